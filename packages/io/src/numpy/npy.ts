/** @file NumPy's .npy form. Format: numpy/lib/format.py, NEP 1. */
import {
  checkOptions,
  type OptionNames,
  type DeviceLike,
  type DType,
  FormatError,
  fromBytes,
  NotSupportedError,
  type Tensor,
} from '@tessera/core';
import { storageType } from '../torch/storage.js';
import { parseNpyHeader } from './header.js';

const NPY_OPTIONS: OptionNames<NpyOptions> = { device: true };

export interface NpyOptions {
  /** Where the tensor is made. Default: the default device. */
  readonly device?: DeviceLike;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** NumPy's kind and size to PyTorch's name, under which storages are known. */
const TYPES: Readonly<Record<string, string>> = {
  f8: 'float64',
  f4: 'float32',
  f2: 'float16',
  i8: 'int64',
  i4: 'int32',
  i2: 'int16',
  i1: 'int8',
  u8: 'uint64',
  u4: 'uint32',
  u2: 'uint16',
  u1: 'uint8',
  b1: 'bool',
};

const DESCR: Partial<Record<DType, string>> = { float64: '<f8', float32: '<f4', float16: '<f2', int32: '<i4', uint8: '|u1', bool: '|b1' };

/** What a file holds, before a tensor is made of it. @internal */
export interface NpyArray {
  readonly dtype: DType;
  /** As stored: of a Fortran-ordered array, reversed. */
  readonly shape: readonly number[];
  readonly reversed: boolean;
  readonly bytes: Uint8Array;
}

/** Checks a whole file. @internal */
export function parseNpy(file: Uint8Array, name = 'npy'): NpyArray {
  const fail = (why: string, code = 'ERR_NPY'): never => {
    throw new FormatError(code, `${name}: ${why}`);
  };
  if (!MAGIC.every((byte, i) => file[i] === byte)) fail('no .npy file: it does not begin with \\x93NUMPY');
  if (file.length < 10) fail('it ends in its header');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const version = file[6]!;
  if (version < 1 || version > 3)
    throw new NotSupportedError('ERR_NPY_VERSION', `${name}: version ${version} of the format; 1 to 3 are read`);
  const start = version === 1 ? 10 : 12;
  if (file.length < start) fail('it ends in its header');
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > 1e6 || start + length > file.length) fail(`its header claims ${length} bytes`);
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(file.subarray(start, start + length));
  const { descr, fortranOrder, shape } = parseNpyHeader(text, name);
  const match = /^([<>|=])([a-zA-Z])(\d{1,3})$/.exec(descr);
  const torch = match ? TYPES[match[2]! + match[3]!] : undefined;
  if (torch === undefined)
    throw new NotSupportedError('ERR_NPY_DTYPE', `${name}: no dtype of the framework holds NumPy's ${JSON.stringify(descr.slice(0, 40))}`, {
      dtype: descr,
    });
  const type = storageType(torch);
  let elements = 1;
  for (const n of shape) elements *= n;
  const wanted = elements * type.size;
  const data = file.subarray(start + length);
  if (data.length !== wanted) fail(`${torch} of [${shape.join(', ')}] takes ${wanted} bytes, and ${data.length} follow the header`);
  const own = new Uint8Array(data);
  if (match![1] === '>' && type.size > 1) swap(own, type.size);
  return {
    dtype: type.dtype,
    shape: fortranOrder ? shape.toReversed() : shape,
    reversed: fortranOrder && shape.length > 1,
    bytes: type.convert?.(name, own) ?? own,
  };
}

/** From big-endian. */
function swap(bytes: Uint8Array, size: number): void {
  for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

/** @internal */
export function tensorOf({ dtype, shape, reversed, bytes }: NpyArray, options: NpyOptions): Tensor {
  const t = fromBytes(bytes, [...shape], dtype, options.device === undefined ? {} : { device: options.device });
  return reversed ? t.permute(shape.map((_, d) => shape.length - 1 - d)) : t;
}

/**
 * The tensor of a .npy file: floats of 16 to 64 bits, bools, and integers, which become int32 (range-checked) but for uint8. Big-endian and
 * Fortran-ordered files are read too. Arrays of Python objects, texts and records are refused. NumPy: numpy.load(allow_pickle=False).
 *
 * @throws FormatError ERR_NPY for a broken file, ERR_INT32_RANGE for an integer beyond int32; NotSupportedError ERR_NPY_DTYPE, ERR_NPY_VERSION.
 * @example const x = loadNpy(await readFile('x.npy'))
 */
export function loadNpy(bytes: Uint8Array, options: NpyOptions = {}): Tensor {
  checkOptions('loadNpy', options, NPY_OPTIONS);
  return tensorOf(parseNpy(bytes), options);
}

/** @internal */
export function encodeNpy(dtype: DType, shape: readonly number[], bytes: Uint8Array): Uint8Array {
  const descr = DESCR[dtype];
  if (descr === undefined) throw new NotSupportedError('ERR_NPY_DTYPE', `NumPy has no ${dtype}; save x.to('float32')`, { dtypes: [dtype] });
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // Magic, version, length and header end on a multiple of 64 bytes, with a line feed.
  const padded = `${header.padEnd(Math.ceil((10 + header.length + 1) / 64) * 64 - 11)}\n`;
  const out = new Uint8Array(10 + padded.length + bytes.length);
  out.set([...MAGIC, 1, 0, padded.length & 255, padded.length >> 8]);
  for (let i = 0; i < padded.length; i++) out[10 + i] = padded.charCodeAt(i);
  out.set(bytes, 10 + padded.length);
  return out;
}

/**
 * The bytes of a .npy file. NumPy: numpy.save.
 * @throws NotSupportedError ERR_NPY_DTYPE for bfloat16, which NumPy lacks.
 * @example await writeFile('x.npy', saveNpy(x))
 */
export const saveNpy = (t: Tensor): Uint8Array => encodeNpy(t.dtype, t.shape, t.bytes());
/** As {@link saveNpy}, for devices that cannot be read synchronously. */
export const saveNpyAsync = async (t: Tensor): Promise<Uint8Array> => encodeNpy(t.dtype, t.shape, await t.bytesAsync());
