/** @file What the pickles of checkpoints may name: PyTorch's tensors and storages, and a few of Python's containers. Nothing is run. */
import { FormatError, NotSupportedError } from '@tessera/core';
import {
  PickleDict,
  PickleGlobal,
  type PickleObject,
  PickleSet,
  PickleTuple,
  type PickleValue,
  type PickleWorld,
} from './pickle-reader.js';
import { isStorageName, isTorchDType, storageDType, storageType, UNTYPED } from './storage.js';

/** A storage as the pickle speaks of it. */
export class StorageRef implements PickleObject {
  readonly kind = 'object';
  constructor(
    /** The entry `data/KEY` of the archive. */
    readonly key: string,
    /** The dtype; null for plain bytes. */
    readonly dtype: string | null,
    /** In elements; in bytes for plain ones. */
    readonly length: number,
  ) {}
}

/** A tensor as the pickle speaks of it: checked against its storage's length, and made later. */
export class TensorRef implements PickleObject {
  readonly kind = 'object';
  constructor(
    readonly storage: StorageRef,
    readonly dtype: string,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    readonly requiresGrad: boolean,
  ) {}
}

const CALLS: Readonly<Record<string, (args: readonly PickleValue[]) => PickleValue>> = {
  'collections.OrderedDict': (args) => fromPairs(args, true),
  'collections.Counter': (args) => (args[0] instanceof PickleDict ? args[0] : fromPairs(args, false)),
  'torch._utils._rebuild_tensor_v2': ([storage, offset, size, stride, requiresGrad]) =>
    rebuild(storage, offset, size, stride, requiresGrad, undefined),
  'torch._utils._rebuild_tensor_v3': ([storage, offset, size, stride, requiresGrad, , dtype]) =>
    rebuild(storage, offset, size, stride, requiresGrad, dtype),
  'torch._utils._rebuild_parameter': ([data, requiresGrad]) => parameter(data, requiresGrad),
  'torch._utils._rebuild_parameter_with_state': ([data, requiresGrad]) => parameter(data, requiresGrad),
  'torch.Size': ([sizes]) => (sizes instanceof PickleTuple || Array.isArray(sizes) ? sizes : bad('torch.Size of no list')),
  'torch.device': ([type, index]) =>
    typeof type === 'string' ? (typeof index === 'number' ? `${type}:${index}` : type) : bad('torch.device of no text'),
  '_codecs.encode': ([text, encoding]) => latin1(text, encoding),
  'builtins.set': ([items]) => setOf(items),
  '__builtin__.set': ([items]) => setOf(items),
};

const bad = (why: string): never => {
  throw new FormatError('ERR_TORCH', `PyTorch file: ${why}`);
};

function fromPairs(args: readonly PickleValue[], ordered: boolean): PickleDict {
  const dict = new PickleDict(ordered);
  const pairs = args[0];
  if (pairs === undefined) return dict;
  if (!Array.isArray(pairs)) return bad('a dict of something other than pairs');
  for (const pair of pairs) {
    const items = pair instanceof PickleTuple ? pair.items : Array.isArray(pair) ? pair : [];
    const [key, value] = items;
    if (items.length !== 2 || (typeof key !== 'string' && typeof key !== 'number')) return bad('a dict of something other than pairs');
    dict.entries.set(key, value!);
  }
  return dict;
}

function latin1(text: PickleValue | undefined, encoding: PickleValue | undefined): Uint8Array {
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1'))
    return bad('_codecs.encode of something other than latin1 text');
  return Uint8Array.from(text, (c) => (c.codePointAt(0)! < 256 ? c.codePointAt(0)! : bad('a text that is not latin1')));
}

function setOf(items: PickleValue | undefined): PickleSet {
  const set = new PickleSet();
  if (items === undefined) return set;
  if (!Array.isArray(items)) return bad('a set of no list');
  for (const item of items) set.items.push(item);
  return set;
}

function parameter(data: PickleValue | undefined, requiresGrad: PickleValue | undefined): TensorRef {
  if (!(data instanceof TensorRef)) return bad('a parameter of no tensor');
  return new TensorRef(data.storage, data.dtype, data.offset, data.shape, data.strides, requiresGrad === true);
}

const isNatural = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0;

function naturals(value: PickleValue | undefined, what: string): readonly number[] {
  const items = value instanceof PickleTuple ? value.items : value;
  if (!Array.isArray(items) || items.length > 64 || !items.every(isNatural))
    return bad(`a tensor's ${what} is no list of whole numbers from 0 up`);
  return items;
}

/** A tensor, whose elements must all lie in its storage. */
function rebuild(
  storage: PickleValue | undefined,
  offset: PickleValue | undefined,
  size: PickleValue | undefined,
  stride: PickleValue | undefined,
  requiresGrad: PickleValue | undefined,
  dtype: PickleValue | undefined,
): TensorRef {
  if (!(storage instanceof StorageRef)) return bad('a tensor without a storage');
  if (!isNatural(offset)) return bad("a tensor's offset is no whole number from 0 up");
  const shape = naturals(size, 'size');
  const strides = naturals(stride, 'stride');
  if (shape.length !== strides.length) return bad(`a tensor has ${shape.length} sizes and ${strides.length} strides`);
  const given = dtype instanceof PickleGlobal ? dtype.name.slice('torch.'.length) : null;
  const type = given ?? storage.dtype ?? bad('a tensor without a dtype');
  const length = storage.dtype === null ? Math.floor(storage.length / storageType(type).size) : storage.length;
  let elements = 1;
  let last = offset;
  shape.forEach((n, d) => {
    elements *= n;
    last += (n - 1) * strides[d]!;
  });
  // Broadcast by stride 0, a few bytes could stand for any number of elements; PyTorch writes such views too, so they are bounded only.
  if (elements > 2 ** 32) return bad(`a tensor of ${elements} elements`);
  if (elements > 0 && !(last < length)) return bad(`a tensor reaches element ${last} of a storage of ${length}`);
  return new TensorRef(storage, type, elements > 0 ? offset : 0, shape, strides, requiresGrad === true);
}

/** PyTorch's own list for `weights_only`, as far as it has a meaning here. */
export const torchWorld: PickleWorld = {
  knows: (name) => Object.hasOwn(CALLS, name) || isStorageName(name) || isTorchDType(name),

  call(name, args) {
    if (!Object.hasOwn(CALLS, name)) return bad(`${name} is called`);
    return CALLS[name]!(args);
  },

  persistent(id) {
    const [tag, type, key, , length] = id instanceof PickleTuple ? id.items : [];
    if (tag !== 'storage' || !(type instanceof PickleGlobal) || !isStorageName(type.name) || typeof key !== 'string' || !isNatural(length))
      return bad('a storage that is not described as PyTorch does it');
    if (!/^[\w.-]+$/.test(key)) return bad(`a storage of the name ${JSON.stringify(key.slice(0, 80))}`);
    return new StorageRef(key, type.name === UNTYPED ? null : storageDType(type.name), length);
  },

  build(target, state) {
    // Attributes of a dict, such as the versions beside a state_dict: nothing here needs them.
    if (target instanceof PickleDict) return target;
    if (target instanceof TensorRef && (state === null || state instanceof PickleDict || state instanceof PickleTuple)) return target;
    throw new NotSupportedError('ERR_TORCH', 'PyTorch file: attributes are set on something that has none here');
  },
};
