/** @file Storages of PyTorch's files: their types, and their bytes as the framework's. */
import { type DType, FormatError, NotSupportedError } from '@tessera/core';
import { int64ToInt32 } from '../safetensors/host-array.js';

/** How a storage's elements lie in the file, and what they become. */
export interface StorageType {
  /** Bytes an element. */
  readonly size: number;
  readonly dtype: DType;
  /** The file's elements as the dtype's bytes; those with the same layout need none. */
  readonly convert?: (name: string, bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
}

const bytesOf = (a: ArrayBufferView): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

function narrowed(name: string, values: ArrayLike<number | bigint>): Uint8Array {
  const out = new Int32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const x = values[i]!;
    if (x < -(2 ** 31) || x > 2 ** 31 - 1)
      throw new FormatError('ERR_INT32_RANGE', `${name}: element ${i} is ${x}, beyond int32, the framework's integer type`, {
        tensor: name,
      });
    out[i] = Number(x);
  }
  return bytesOf(out);
}

const TYPES: Readonly<Record<string, StorageType>> = {
  float64: { size: 8, dtype: 'float64' },
  float32: { size: 4, dtype: 'float32' },
  float16: { size: 2, dtype: 'float16' },
  bfloat16: { size: 2, dtype: 'bfloat16' },
  int32: { size: 4, dtype: 'int32' },
  uint8: { size: 1, dtype: 'uint8' },
  bool: { size: 1, dtype: 'bool', convert: (_, bytes) => bytes.map((x) => (x === 0 ? 0 : 1)) },
  int64: {
    size: 8,
    dtype: 'int32',
    convert: (name, bytes) => {
      try {
        return bytesOf(int64ToInt32(name, new BigInt64Array(bytes.buffer)));
      } catch (error) {
        throw error instanceof FormatError ? new FormatError('ERR_INT32_RANGE', error.message, error.details) : error;
      }
    },
  },
  int16: { size: 2, dtype: 'int32', convert: (name, bytes) => narrowed(name, new Int16Array(bytes.buffer)) },
  int8: { size: 1, dtype: 'int32', convert: (name, bytes) => narrowed(name, new Int8Array(bytes.buffer)) },
  uint16: { size: 2, dtype: 'int32', convert: (name, bytes) => narrowed(name, new Uint16Array(bytes.buffer)) },
  uint32: { size: 4, dtype: 'int32', convert: (name, bytes) => narrowed(name, new Uint32Array(bytes.buffer)) },
  uint64: { size: 8, dtype: 'int32', convert: (name, bytes) => narrowed(name, new BigUint64Array(bytes.buffer)) },
};

/** The names that storages go by in pickles. */
const STORAGES: Readonly<Record<string, string>> = {
  'torch.DoubleStorage': 'float64',
  'torch.FloatStorage': 'float32',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
};

/** Bytes without a type: the tensor says it. */
export const UNTYPED = 'torch.storage.UntypedStorage';

export const isStorageName = (name: string): boolean => Object.hasOwn(STORAGES, name) || name === UNTYPED;
export const isTorchDType = (name: string): boolean => name.startsWith('torch.') && Object.hasOwn(TYPES, name.slice('torch.'.length));

/** The type that a storage's class stands for; null for one of plain bytes. */
export const storageDType = (name: string): string | null => STORAGES[name] ?? null;

/** @throws NotSupportedError ERR_TORCH_DTYPE */
export function storageType(dtype: string): StorageType {
  const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
  if (type === undefined) throw new NotSupportedError('ERR_TORCH_DTYPE', `no dtype of the framework holds PyTorch's ${dtype}`, { dtype });
  return type;
}

/** The name of the storage that PyTorch keeps a dtype in. */
export const STORAGE_OF: Readonly<Record<DType, string>> = {
  float64: 'DoubleStorage',
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int32: 'IntStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
};
