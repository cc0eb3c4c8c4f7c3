/** @file Writing files that torch.load reads, with weights_only=True too. */
import { checkOptions, type OptionNames, asStrided, FormatError, isTensor, type Tensor } from '@tessera/core';
import { zipSync } from 'fflate';
import { int32ToInt64Bytes } from '../safetensors/host-array.js';
import * as op from './pickle-writer.js';
import { PickleWriter } from './pickle-writer.js';
import { STORAGE_OF } from './storage.js';

const TORCH_SAVE_OPTIONS: OptionNames<TorchSaveOptions> = { int64: true };

/**
 * What can be saved: tensors, numbers, texts, booleans and nulls in arrays (lists), Maps (OrderedDicts), Sets and plain objects (dicts, whose
 * keys that look like whole numbers become ints, as optimizers' states have them); iterables of [name, tensor] are state_dicts.
 */
export type TorchSavable =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Tensor
  | Uint8Array
  | readonly TorchSavable[]
  | ReadonlyMap<string | number | boolean | null, TorchSavable>
  | ReadonlySet<TorchSavable>
  | { readonly [key: string]: TorchSavable };

export interface TorchSaveOptions {
  /** Which int32 tensors are written as int64, by their path in the value. Default: those that PyTorch keeps so, `…num_batches_tracked`. */
  readonly int64?: (path: string) => boolean;
}

/**
 * The bytes of a file for torch.load. Tensors that share memory share it in the file. Numbers that are whole become ints. PyTorch: torch.save.
 *
 * @throws FormatError ERR_TORCH_VALUE for what cannot be saved (functions, class instances, cycles), with its path.
 * @throws NotSupportedError ERR_SYNC_READ where a device cannot wait; use {@link saveTorchAsync}.
 * @example await writeFile('model.pt', saveTorch(model.stateDict()))
 * @example await writeFile('run.pt', saveTorch({ model: model.stateDict(), optimizer: optimizer.stateDict(), epoch }))
 */
export function saveTorch(value: TorchSavable, options: TorchSaveOptions = {}): Uint8Array {
  checkOptions('saveTorch', options, TORCH_SAVE_OPTIONS);
  const file = new TorchFile(value, options);
  for (const storage of file.storages) storage.bytes = storage.whole.bytes();
  return file.zip();
}

/** As {@link saveTorch}, for devices that cannot be read synchronously. */
export async function saveTorchAsync(value: TorchSavable, options: TorchSaveOptions = {}): Promise<Uint8Array> {
  checkOptions('saveTorchAsync', options, TORCH_SAVE_OPTIONS);
  const file = new TorchFile(value, options);
  await Promise.all(
    file.storages.map(async (storage) => {
      storage.bytes = await storage.whole.bytesAsync();
    }),
  );
  return file.zip();
}

/** What one entry `data/KEY` will hold. */
interface SavedStorage {
  readonly key: string;
  /** All its elements as one tensor. */
  readonly whole: Tensor;
  readonly type: string;
  readonly wide: boolean;
  bytes: Uint8Array | null;
}

interface Placed {
  readonly storage: SavedStorage;
  readonly offset: number;
  readonly strides: readonly number[];
}

const isCounter = (path: string): boolean => path.endsWith('num_batches_tracked');

class TorchFile {
  readonly storages: SavedStorage[] = [];
  readonly #pickle = new PickleWriter();
  /** How many tensors of the value show each storage. */
  readonly #sharers = new Map<object, number>();
  readonly #saved = new Map<object, SavedStorage>();
  readonly #open = new Set<object>();
  readonly #wide: (path: string) => boolean;
  readonly #data: Uint8Array;

  constructor(value: TorchSavable, options: TorchSaveOptions) {
    this.#wide = options.int64 ?? isCounter;
    this.#count(value, new Set());
    this.#write(value, '');
    this.#data = this.#pickle.finish();
  }

  #count(value: unknown, seen: Set<object>): void {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (isTensor(value)) this.#sharers.set(value.storage, (this.#sharers.get(value.storage) ?? 0) + 1);
    else if (!(value instanceof Uint8Array)) for (const [, child] of childrenOf(value)) this.#count(child, seen);
  }

  #write(value: unknown, path: string): void {
    const p = this.#pickle;
    if (value === null || value === undefined) return p.none();
    if (typeof value === 'boolean') return p.bool(value);
    if (typeof value === 'number') return p.number(value);
    if (typeof value === 'bigint') return p.bigint(value);
    if (typeof value === 'string') return p.text(value);
    if (isTensor(value)) return this.#tensor(value, path);
    if (value instanceof Uint8Array) return this.#binary(value);
    if (typeof value !== 'object') return fail(path, `a ${typeof value}`);
    if (this.#open.has(value)) return fail(path, 'something that contains itself');
    this.#open.add(value);
    if (Array.isArray(value)) this.#list(value, path);
    else if (value instanceof Set) {
      p.global('__builtin__', 'set');
      this.#list([...(value as ReadonlySet<unknown>)], path);
      p.op(op.TUPLE1);
      p.op(op.REDUCE);
    } else this.#dict(value, path);
    this.#open.delete(value);
  }

  #list(items: readonly unknown[], path: string): void {
    const p = this.#pickle;
    p.op(op.EMPTY_LIST);
    if (items.length === 0) return;
    p.op(op.MARK);
    items.forEach((item, i) => this.#write(item, join(path, i)));
    p.op(op.APPENDS);
  }

  #dict(value: object, path: string): void {
    const p = this.#pickle;
    if (value instanceof Map) {
      p.global('collections', 'OrderedDict');
      p.op(op.EMPTY_TUPLE);
      p.op(op.REDUCE);
    } else if (isPlain(value)) p.op(op.EMPTY_DICT);
    else return fail(path, `an object of class ${(value.constructor as { name?: string } | undefined)?.name ?? '?'}`);
    const entries = childrenOf(value);
    if (entries.length === 0) return;
    p.op(op.MARK);
    for (const [key, item] of entries) {
      this.#write(key, path);
      this.#write(item, join(path, key));
    }
    p.op(op.SETITEMS);
  }

  /** As Python 3 pickles bytes in protocol 2. */
  #binary(bytes: Uint8Array): void {
    const p = this.#pickle;
    p.global('_codecs', 'encode');
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    p.text(text);
    p.text('latin1');
    p.op(op.TUPLE2);
    p.op(op.REDUCE);
  }

  #tensor(t: Tensor, path: string): void {
    const p = this.#pickle;
    const { storage, offset, strides } = this.#place(t, path);
    p.global('torch._utils', '_rebuild_tensor_v2');
    p.op(op.MARK);
    p.op(op.MARK);
    p.text('storage');
    p.global('torch', storage.type);
    p.text(storage.key);
    p.text('cpu');
    p.number(storage.whole.numel());
    p.op(op.TUPLE);
    p.op(op.BINPERSID);
    p.number(offset);
    this.#numbers(t.shape);
    this.#numbers(strides);
    p.bool(t.requiresGrad && t.isLeaf);
    p.global('collections', 'OrderedDict');
    p.op(op.EMPTY_TUPLE);
    p.op(op.REDUCE);
    p.op(op.TUPLE);
    p.op(op.REDUCE);
  }

  #numbers(values: readonly number[]): void {
    this.#pickle.op(op.MARK);
    for (const x of values) this.#pickle.number(x);
    this.#pickle.op(op.TUPLE);
  }

  /** Its own elements, or, when others show the same storage, a place in all of that. */
  #place(t: Tensor, path: string): Placed {
    const flat = t.detach();
    const shared = (this.#sharers.get(t.storage) ?? 0) > 1;
    if (!shared) return { storage: this.#add(flat, path), offset: 0, strides: rowMajor(t.shape) };
    let storage = this.#saved.get(t.storage);
    if (storage === undefined) {
      storage = this.#add(asStrided(flat, [t.storage.length], [1], 0).detach(), path);
      this.#saved.set(t.storage, storage);
    }
    return { storage, offset: t.storageOffset(), strides: t.stride() };
  }

  #add(whole: Tensor, path: string): SavedStorage {
    const wide = whole.dtype === 'int32' && this.#wide(path);
    const storage = { key: String(this.storages.length), whole, type: wide ? 'LongStorage' : STORAGE_OF[whole.dtype], wide, bytes: null };
    this.storages.push(storage);
    return storage;
  }

  zip(): Uint8Array {
    const text = (s: string): Uint8Array => new TextEncoder().encode(s);
    const files: Record<string, Uint8Array> = { 'archive/data.pkl': this.#data, 'archive/byteorder': text('little') };
    for (const { key, bytes, wide } of this.storages) {
      const own = bytes!;
      files[`archive/data/${key}`] = wide ? int32ToInt64Bytes(new Int32Array(own.slice().buffer)) : own;
    }
    files['archive/version'] = text('3\n');
    // Stored, not compressed, as torch.save does; and always the same bytes for the same value.
    return zipSync(files, { level: 0, mtime: '1980-01-01T12:00:00' });
  }
}

/** Keys and values, in order; keys of a plain object that look like whole numbers are ones. */
function childrenOf(value: object): [key: unknown, value: unknown][] {
  if (Array.isArray(value)) return value.map((item, i) => [i, item]);
  if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)];
  if (value instanceof Set) return [...(value as ReadonlySet<unknown>)].map((item, i) => [i, item]);
  return Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => [/^(?:0|[1-9]\d{0,14})$/.test(key) ? Number(key) : key, item]);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

const join = (path: string, key: unknown): string => (path === '' ? String(key) : `${path}.${String(key)}`);

function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= Math.max(1, shape[d]!);
  }
  return strides;
}

function fail(path: string, what: string): never {
  throw new FormatError('ERR_TORCH_VALUE', `saveTorch: ${path === '' ? 'the value' : path} is ${what}, which no checkpoint holds`, {
    path,
  });
}
