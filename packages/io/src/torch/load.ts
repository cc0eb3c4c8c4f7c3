/** @file Reading PyTorch's files. Format: torch/serialization.py, and torch/csrc/jit/serialization for the archive. */
import {
  checkOptions,
  type OptionNames,
  asStrided,
  type DeviceLike,
  FormatError,
  fromBytes,
  NotSupportedError,
  type Tensor,
  ValueError,
} from '@tessera/core';
import { isZip, readZip } from '../zip/read-zip.js';
import { PickleDict, PickleGlobal, type PickleKey, PickleSet, PickleTuple, type PickleValue, readPickle } from './pickle-reader.js';
import { storageType } from './storage.js';
import { StorageRef, TensorRef, torchWorld } from './torch-world.js';

const TORCH_LOAD_OPTIONS: OptionNames<TorchLoadOptions> = { device: true, maxBytes: true };

/** What a checkpoint may hold. An OrderedDict (a state_dict) is a Map, any other dict a plain object (a Map where its keys are neither texts nor whole numbers). */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Tensor
  | readonly TorchValue[]
  | ReadonlyMap<PickleKey, TorchValue>
  | ReadonlySet<TorchValue>
  | { readonly [key: string]: TorchValue };

export interface TorchLoadOptions {
  /** Where the tensors are made. Default: the default device. */
  readonly device?: DeviceLike;
  /** The most bytes that the file may unpack to. Default: 64 MiB and 64 times its own size. */
  readonly maxBytes?: number;
}

/** The magic number of what `torch.save` wrote before PyTorch 1.6, as a pickle begins with it. */
const LEGACY = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc];

/**
 * Reads a file that `torch.save` wrote: tensors of all dtypes, strided and shared ones (which share memory here too), in nested dicts, lists and
 * tuples. Nothing in the file is run: it may name PyTorch's tensors and storages, and is refused if it names anything else. int64 and the smaller
 * integers become int32, range-checked. Everything is checked before a tensor is made. PyTorch: torch.load(weights_only=True).
 *
 * @throws FormatError ERR_TORCH and ERR_TORCH_…, ERR_PICKLE and ERR_PICKLE_…, ERR_ZIP and ERR_ZIP_…; NotSupportedError ERR_TORCH_DTYPE.
 *
 * What it gives has the type that is expected of it, unchecked: `loadStateDict` checks what it is given.
 *
 * @example model.loadStateDict(loadTorch(await readFile('model.pt')))
 */
export function loadTorch<T extends TorchValue = TorchValue>(bytes: Uint8Array, options: TorchLoadOptions = {}): T {
  checkOptions('loadTorch', options, TORCH_LOAD_OPTIONS);
  if (typeof bytes === 'string')
    throw new ValueError('ERR_BYTES', `loadTorch takes the bytes of a file: await readFile('${bytes as string}')`);
  if (!isZip(bytes)) {
    const legacy = LEGACY.every((byte, i) => bytes[i] === byte);
    throw new FormatError(
      'ERR_TORCH',
      legacy
        ? 'PyTorch file: written in the form from before PyTorch 1.6; load it there and save it again'
        : 'PyTorch file: it is no zip archive, as torch.save writes it',
    );
  }
  const entries = readZip(bytes, options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes });
  const pickle = [...entries.keys()].find((name) => name === 'data.pkl' || (name.endsWith('/data.pkl') && name.split('/').length === 2));
  if (pickle === undefined) throw new FormatError('ERR_TORCH', 'PyTorch file: the archive has no data.pkl');
  const root = pickle.slice(0, -'data.pkl'.length);
  if (entries.has(`${root}constants.pkl`))
    throw new NotSupportedError('ERR_TORCH_SCRIPT', 'PyTorch file: a TorchScript program, not a checkpoint; save its state_dict()');
  const order = entries.get(`${root}byteorder`);
  if (order !== undefined && new TextDecoder().decode(order).trim() !== 'little')
    throw new NotSupportedError('ERR_TORCH_BYTEORDER', 'PyTorch file: written on a big-endian machine');
  const value = readPickle(entries.get(pickle)!, torchWorld);
  const storages = new Storages(entries, root);
  storages.checkAll(value);
  return new Builder(storages, options.device).build(value) as T;
}

/** The storages of an archive, by key and dtype, converted when they are first wanted. */
class Storages {
  readonly #bytes = new Map<string, Uint8Array>();

  constructor(
    readonly entries: ReadonlyMap<string, Uint8Array>,
    readonly root: string,
  ) {}

  /** All that the value refers to, so that nothing is made of a file that is broken further down. */
  checkAll(value: PickleValue, seen = new Set<object>()): void {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (value instanceof TensorRef) this.get(value.storage, value.dtype);
    else if (value instanceof StorageRef) throw new NotSupportedError('ERR_TORCH', 'PyTorch file: a storage that belongs to no tensor');
    else if (Array.isArray(value)) for (const item of value) this.checkAll(item, seen);
    else if (value instanceof PickleTuple || value instanceof PickleSet) for (const item of value.items) this.checkAll(item, seen);
    else if (value instanceof PickleDict) for (const item of value.entries.values()) this.checkAll(item, seen);
  }

  get(storage: StorageRef, dtype: string): Uint8Array {
    const id = `${storage.key}:${dtype}`;
    let bytes = this.#bytes.get(id);
    if (bytes === undefined) {
      const name = `${this.root}data/${storage.key}`;
      const raw = this.entries.get(name);
      if (raw === undefined) throw new FormatError('ERR_TORCH', `PyTorch file: the archive has no ${name}`);
      const type = storageType(dtype);
      const wanted = storage.dtype === null ? storage.length : storage.length * storageType(storage.dtype).size;
      if (raw.length !== wanted)
        throw new FormatError('ERR_TORCH', `PyTorch file: ${name} has ${raw.length} bytes, and should have ${wanted}`);
      const whole = new Uint8Array(raw.subarray(0, raw.length - (raw.length % type.size)));
      bytes = type.convert === undefined ? whole : type.convert(name, whole);
      this.#bytes.set(id, bytes);
    }
    return bytes;
  }
}

/** Makes the user's values. What was one object in the file is one object here. */
class Builder {
  readonly #made = new Map<object, TorchValue>();
  readonly #bases = new Map<string, Tensor>();

  constructor(
    readonly storages: Storages,
    readonly device: DeviceLike | undefined,
  ) {}

  build(value: PickleValue): TorchValue {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    const known = this.#made.get(value);
    if (known !== undefined) return known;
    const made = this.#make(value);
    this.#made.set(value, made);
    return made;
  }

  #make(value: Exclude<PickleValue, PickleKey | Uint8Array>): TorchValue {
    if (Array.isArray(value)) return value.map((item) => this.build(item));
    if (value instanceof PickleTuple) return value.items.map((item) => this.build(item));
    if (value instanceof PickleSet) return new Set(value.items.map((item) => this.build(item)));
    if (value instanceof PickleDict) return this.#dict(value);
    if (value instanceof PickleGlobal) return value.name;
    return this.#tensor(value as TensorRef);
  }

  #dict({ ordered, entries }: PickleDict): TorchValue {
    const plain =
      !ordered && [...entries.keys()].every((key) => typeof key === 'string' || (typeof key === 'number' && Number.isInteger(key)));
    if (!plain) return new Map([...entries].map(([key, item]) => [key, this.build(item)]));
    const object = Object.create(null) as Record<string, TorchValue>;
    for (const [key, item] of entries) object[String(key)] = this.build(item);
    return object;
  }

  #tensor({ storage, dtype, offset, shape, strides, requiresGrad }: TensorRef): Tensor {
    const type = storageType(dtype);
    const options = this.device === undefined ? {} : { device: this.device };
    if (shape.includes(0))
      return fromBytes(new Uint8Array(0), [...shape], type.dtype, { ...options, requiresGrad: requiresGrad && isFloat(type.dtype) });
    const id = `${storage.key}:${dtype}`;
    const length = storage.dtype === null ? Math.floor(storage.length / type.size) : storage.length;
    const whole = offset === 0 && isWhole(shape, strides, length);
    let base = this.#bases.get(id);
    if (base === undefined) {
      base = fromBytes(this.storages.get(storage, dtype), whole ? [...shape] : [length], type.dtype, options);
      this.#bases.set(id, base);
    }
    const same = whole && sameShape(base.shape, shape);
    const t = (same ? base : asStrided(base, [...shape], [...strides], offset)).detach();
    return requiresGrad && isFloat(type.dtype) ? t.requiresGrad_() : t;
  }
}

const isFloat = (dtype: string): boolean => dtype.includes('float');

const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((n, d) => n === b[d]);

/** Row-major over all of the storage? */
function isWhole(shape: readonly number[], strides: readonly number[], length: number): boolean {
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && strides[d] !== step) return false;
    step *= shape[d]!;
  }
  return step === length;
}
