/** @file Tensors overwritten with random numbers: PyTorch's CPU numbers for a seed, drawn on the host. */
import { DTypeError, ValueError } from '../errors.js';
import { runtimes } from '../plugin/runtime.js';
import type { Generator, NumberArray } from '../random/generator.js';
import { type DType, isFloat } from '../tensor/dtype.js';
import { encode } from '../tensor/host.js';
import type { Tensor } from '../tensor/tensor.js';
import { inMemory } from '../tensor/value.js';
import { checkWritable, write } from './in-place.js';
import { checkOptions, type OptionNames } from '../options.js';

const DRAW_OPTIONS: OptionNames<DrawOptions> = { generator: true };

export interface DrawOptions {
  /** Default: the runtime's. */
  readonly generator?: Generator;
}

/** Draws for all elements of `x`, in row-major order, and writes them. */
function fill<A extends NumberArray>(x: Tensor, values: A, options: DrawOptions, draw: (into: A, generator: Generator) => void): Tensor {
  draw(values, options.generator ?? runtimes.current.generator);
  if (values.length === 0) return x;
  const memory = x.device.allocate(x.dtype, values.length);
  x.device.backend.write(memory.buffer, 0, encode(values, x.dtype));
  write(x, inMemory(memory, x.shape, values.length, null, 0, true));
  if (x.gradFn !== null && x.viewOf === null) x.setGradFn(null);
  return x;
}

const refuseDType = (x: Tensor, name: string): never => {
  throw new DTypeError('ERR_DTYPE', `${name}: not implemented for ${x.dtype}`, { op: name, dtypes: [x.dtype] });
};

function overwrite(
  x: Tensor,
  name: string,
  options: DrawOptions,
  draw: (into: Float32Array | Float64Array, generator: Generator) => void,
): Tensor {
  checkWritable(x, name);
  if (!isFloat(x.dtype)) refuseDType(x, name);
  return fill(x, x.dtype === 'float64' ? new Float64Array(x.numel()) : new Float32Array(x.numel()), options, draw);
}

/** As `overwrite`, of any dtype. */
function overwriteNumbers(x: Tensor, name: string, options: DrawOptions, draw: (into: NumberArray, generator: Generator) => void): Tensor {
  if (isFloat(x.dtype)) return overwrite(x, name, options, draw);
  checkWritable(x, name);
  return fill(x, x.dtype === 'int32' ? new Int32Array(x.numel()) : new Uint8Array(x.numel()), options, draw);
}

/** Uniform in [from, to). PyTorch: Tensor.uniform_(). */
export function uniform_(x: Tensor, from = 0, to = 1, options: DrawOptions = {}): Tensor {
  checkOptions('uniform_', options, DRAW_OPTIONS);
  if (!(from <= to))
    throw new ValueError('ERR_RANDOM_RANGE', `uniform_: expects to return a [from, to) range, but found from=${from} > to=${to}`, {
      op: 'uniform_',
    });
  return overwrite(x, 'uniform_', options, (into, g) => g.uniform(into, from, to));
}

/** Exponential, of the rate `lambda`. PyTorch: Tensor.exponential_(). @throws ValueError `ERR_RANDOM_RANGE` unless lambda is above 0 */
export function exponential_(x: Tensor, lambda = 1, options: DrawOptions = {}): Tensor {
  checkOptions('exponential_', options, DRAW_OPTIONS);
  return overwrite(x, 'exponential_', options, (into, g) => g.exponential(into, lambda));
}

/** Normal. PyTorch: Tensor.normal_(). */
export function normal_(x: Tensor, mean = 0, std = 1, options: DrawOptions = {}): Tensor {
  checkOptions('normal_', options, DRAW_OPTIONS);
  if (!(std >= 0)) throw new ValueError('ERR_RANDOM_STD', `normal_: expects std >= 0.0, but found std ${std}`, { op: 'normal_' });
  return overwrite(x, 'normal_', options, (into, g) => g.normal(into, mean, std, { contiguous: x.isContiguous() }));
}

/** e to normal numbers. PyTorch: Tensor.log_normal_(). @throws ValueError `ERR_RANDOM_RANGE` unless std is above 0 */
export function logNormal_(x: Tensor, mean = 1, std = 2, options: DrawOptions = {}): Tensor {
  checkOptions('logNormal_', options, DRAW_OPTIONS);
  return overwrite(x, 'logNormal_', options, (into, g) => g.logNormal(into, mean, std));
}

/** Cauchy's distribution. PyTorch: Tensor.cauchy_(). @throws ValueError `ERR_RANDOM_RANGE` unless sigma is above 0 */
export function cauchy_(x: Tensor, median = 0, sigma = 1, options: DrawOptions = {}): Tensor {
  checkOptions('cauchy_', options, DRAW_OPTIONS);
  return overwrite(x, 'cauchy_', options, (into, g) => g.cauchy(into, median, sigma));
}

/** How many trials it takes to succeed once. PyTorch: Tensor.geometric_(). @throws ValueError `ERR_RANDOM_RANGE` unless 0 < p < 1 */
export function geometric_(x: Tensor, p: number, options: DrawOptions = {}): Tensor {
  checkOptions('geometric_', options, DRAW_OPTIONS);
  if (x.dtype === 'bool') refuseDType(x, 'geometric_');
  return overwriteNumbers(x, 'geometric_', options, (into, g) => g.geometric(into, p));
}

/** The integers up to this one have each a value of their own. */
const LAST_EXACT: Readonly<Record<DType, number>> = {
  float64: 2 ** 53,
  float32: 2 ** 24,
  float16: 2 ** 11,
  bfloat16: 2 ** 8,
  int32: 2 ** 31 - 1,
  uint8: 255,
  bool: 1,
};

/**
 * Integers from `from` to `to - 1`; with one bound from 0; with none, up to the last integer that the dtype holds exactly, that one included.
 * PyTorch: Tensor.random_().
 *
 * @throws ValueError `ERR_RANDOM_RANGE` where there is no such integer, or the dtype does not hold all of them.
 * @example empty([2, 3], { dtype: 'int32' }).random_(10)
 */
export function random_(x: Tensor, options?: DrawOptions): Tensor;
export function random_(x: Tensor, to: number, options?: DrawOptions): Tensor;
export function random_(x: Tensor, from: number, to: number, options?: DrawOptions): Tensor;
export function random_(x: Tensor, ...given: readonly (number | DrawOptions | undefined)[]): Tensor {
  const bounds = given.filter((a) => typeof a === 'number');
  const options = checkOptions('random_', given.find((a) => typeof a === 'object') ?? {}, DRAW_OPTIONS);
  const last = LAST_EXACT[x.dtype];
  const from = bounds.length === 2 ? bounds[0]! : 0;
  const to = bounds.at(-1);
  if (to === undefined) return overwriteNumbers(x, 'random_', options, (into, g) => g.integersTo(into, last));
  const details = { op: 'random_', dtypes: [x.dtype] };
  if (!(from < to))
    throw new ValueError('ERR_RANDOM_RANGE', `random_: expects 'from' to be less than 'to', but got from=${from} >= to=${to}`, details);
  const least = x.dtype === 'bool' || x.dtype === 'uint8' ? 0 : x.dtype === 'int32' ? -last - 1 : -last;
  if (from < least || to - 1 > last)
    throw new ValueError('ERR_RANDOM_RANGE', `random_: ${x.dtype} does not hold each of the integers from ${from} to ${to - 1}`, details);
  return overwriteNumbers(x, 'random_', options, (into, g) => g.integers(into, from, to));
}
