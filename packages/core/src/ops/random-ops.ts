/** @file Tensors overwritten with random numbers: PyTorch's CPU numbers for a seed, drawn on the host. */
import { DTypeError, ValueError } from '../errors.js';
import { runtimes } from '../plugin/runtime.js';
import type { Generator } from '../random/generator.js';
import { isFloat } from '../tensor/dtype.js';
import { encode } from '../tensor/host.js';
import type { Tensor } from '../tensor/tensor.js';
import { inMemory } from '../tensor/value.js';
import { checkWritable, write } from './in-place.js';

export interface DrawOptions {
  /** Default: the runtime's. */
  readonly generator?: Generator;
}

/** Draws for all elements of `x`, in row-major order, and writes them. */
function overwrite(
  x: Tensor,
  name: string,
  options: DrawOptions,
  draw: (into: Float32Array | Float64Array, generator: Generator) => void,
): Tensor {
  checkWritable(x, name);
  if (!isFloat(x.dtype)) throw new DTypeError('ERR_DTYPE', `${name}: not implemented for ${x.dtype}`, { op: name, dtypes: [x.dtype] });
  const numel = x.numel();
  const values = x.dtype === 'float64' ? new Float64Array(numel) : new Float32Array(numel);
  draw(values, options.generator ?? runtimes.current.generator);
  if (numel === 0) return x;
  const memory = x.device.allocate(x.dtype, numel);
  x.device.backend.write(memory.buffer, 0, encode(values, x.dtype));
  write(x, inMemory(memory, x.shape, numel, null, 0, true));
  if (x.gradFn !== null && x.viewOf === null) x.setGradFn(null);
  return x;
}

/** Uniform in [from, to). PyTorch: Tensor.uniform_(). */
export function uniform_(x: Tensor, from = 0, to = 1, options: DrawOptions = {}): Tensor {
  if (!(from <= to))
    throw new ValueError('ERR_RANDOM_RANGE', `uniform_: expects to return a [from, to) range, but found from=${from} > to=${to}`, {
      op: 'uniform_',
    });
  return overwrite(x, 'uniform_', options, (into, g) => g.uniform(into, from, to));
}

/** Exponential, of the rate `lambda`. PyTorch: Tensor.exponential_(). @throws ValueError `ERR_RANDOM_RANGE` unless lambda is above 0 */
export function exponential_(x: Tensor, lambda = 1, options: DrawOptions = {}): Tensor {
  return overwrite(x, 'exponential_', options, (into, g) => g.exponential(into, lambda));
}

/** Normal. PyTorch: Tensor.normal_(). */
export function normal_(x: Tensor, mean = 0, std = 1, options: DrawOptions = {}): Tensor {
  if (!(std >= 0)) throw new ValueError('ERR_RANDOM_STD', `normal_: expects std >= 0.0, but found std ${std}`, { op: 'normal_' });
  return overwrite(x, 'normal_', options, (into, g) => g.normal(into, mean, std, { contiguous: x.isContiguous() }));
}
