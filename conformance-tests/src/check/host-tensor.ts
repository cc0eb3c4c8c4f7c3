/** @file Tensors as plain numbers on the host: what is expected, and what came out. */
import { type DType, f16BitsToF32, type Tensor } from '@tessera/core';
import type { FixtureDType, TensorValue } from '../fixtures/index.js';
import { Skip } from './skip.js';

/** The elements in row-major order. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** PyTorch's dtypes as ours: integers that we have not are int32, where their values fit. */
const DTYPES: { readonly [D in FixtureDType]: DType } = {
  float32: 'float32',
  float64: 'float64',
  float16: 'float16',
  int64: 'int32',
  int32: 'int32',
  int16: 'int32',
  int8: 'int32',
  uint8: 'uint8',
  bool: 'bool',
};

/**
 * A dtype by PyTorch's name.
 * @throws Skip for those that the framework has not: complex, quantized.
 */
export function dtypeOf(name: string): DType {
  if (name === 'bfloat16') return 'bfloat16';
  if (Object.hasOwn(DTYPES, name)) return DTYPES[name as FixtureDType];
  throw new Skip('scope', `the framework has no ${name}`);
}

/**
 * The elements as numbers, in the order in which the file has them.
 * @throws Skip where int64 values do not fit in int32.
 */
export function numbersOf({ dtype, data }: TensorValue): ArrayLike<number> {
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, f16BitsToF32);
  if (!(data instanceof BigInt64Array)) return data;
  const out = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const x = data[i];
    if (x < -2147483648n || x > 2147483647n) throw new Skip('scope', 'int64 values beyond int32');
    out[i] = Number(x);
  }
  return out;
}

/** A tensor of the fixtures without its view: row-major. @throws Skip */
export function expectedTensor(value: TensorValue): HostTensor {
  const dtype = dtypeOf(value.dtype);
  const stored = numbersOf(value);
  if (!value.view) return { dtype, shape: value.shape, data: stored };
  const { size, stride, offset } = value.view;
  const data: number[] = [];
  const walk = (dim: number, at: number): void => {
    if (dim === size.length) data.push(stored[at]);
    else for (let i = 0; i < size[dim]; i++) walk(dim + 1, at + i * stride[dim]);
  };
  walk(0, offset);
  return { dtype, shape: size, data };
}

/** Reads a tensor from its device, whether or not that can wait. */
export async function read(tensor: Tensor): Promise<HostTensor> {
  return { dtype: tensor.dtype, shape: tensor.shape, data: await tensor.dataAsync() };
}

const SHOWN = 6;

/** A tensor in a line, its first elements only. */
export function describe({ dtype, shape, data }: HostTensor): string {
  const shown = Array.from({ length: Math.min(data.length, SHOWN) }, (_, i) =>
    dtype === 'float32' ? Number(data[i].toPrecision(8)) : data[i],
  );
  return `${dtype}[${shape.join(', ')}] {${shown.join(', ')}${data.length > SHOWN ? ', …' : ''}}`;
}
