/** @file Random masks: Philox bits inside the program that uses them, or PyTorch's own draws from the host. */
import type { Generator } from '../../random/generator.js';
import { ValueError } from '../../errors.js';
import type { Device } from '../../plugin/device.js';
import { defaultGenerator } from '../../random/default-generator.js';
import { type DType, DTYPE_INFO, isFloat } from '../../tensor/dtype.js';
import { contiguousStrides, numelOf, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castValue, indexValue, relabel, scalarValue, type Value } from '../../tensor/value.js';
import { fromHost } from '../creation.js';
import { e } from '../expression.js';
import { wrap } from '../result.js';
import { permute } from '../view.js';
import { checkOptions, type OptionNames } from '../../options.js';

const NOISE_OPTIONS: OptionNames<NoiseOptions> = { rng: true, generator: true };

/** Where noise comes from. */
export interface NoiseOptions {
  /**
   * 'philox' (the default): made on the device, inside the program that uses it, the same on every backend. 'torch': drawn on the host from
   * the generator, bit for bit what PyTorch draws on its CPU.
   */
  readonly rng?: 'philox' | 'torch';
  /** Default: the runtime's, which `manualSeed` seeds. */
  readonly generator?: Generator;
}

export const generatorOf = (options: NoiseOptions): Generator => options.generator ?? defaultGenerator();

/** Is the noise to be drawn on the host? @throws ValueError `ERR_RNG` */
export function drawsOnHost(op: string, { rng = 'philox' }: NoiseOptions): boolean {
  if (rng !== 'philox' && rng !== 'torch')
    throw new ValueError('ERR_RNG', `${op}: rng is 'philox' or 'torch', not '${String(rng)}'`, { op });
  return rng === 'torch';
}

/** 32 random bits for each place of `shape`, under a fresh key. */
function bits(shape: Shape, device: Device, generator: Generator): Value {
  const { k0, k1 } = generator.philoxKey();
  const strides = contiguousStrides(shape);
  let counter: Value | null = null;
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 1) continue;
    const at = strides[d] === 1 ? indexValue(shape, d, device) : e.mul(indexValue(shape, d, device), strides[d]!);
    counter = counter === null ? at : e.add(counter, at);
  }
  return e.philox(counter ?? relabel(scalarValue(0, 'int32', device), shape, 'int32'), k0, k1);
}

const BITS_24 = 2 ** 24;

/** Uniform numbers in [0, 1), of 24 bits each, made on the device. */
export function philoxUniform(shape: Shape, dtype: DType, device: Device, options: NoiseOptions): Tensor {
  checkOptions('philoxUniform', options, NOISE_OPTIONS);
  const whole = e.cast(e.and(bits(shape, device, generatorOf(options)), BITS_24 - 1), 'float32');
  return wrap(castValue(e.mul(whole, 1 / BITS_24), dtype));
}

/** true with probability `keep` at each place of `shape`. */
export function keepMask(shape: Shape, keep: number, device: Device, options: NoiseOptions): Tensor {
  const random = e.cast(e.and(bits(shape, device, generatorOf(options)), BITS_24 - 1), 'float32');
  return wrap(e.lt(random, keep * BITS_24));
}

/** The same from the host, drawn in the order in which PyTorch would lay out a tensor like `x`: by its strides, where it is dense. */
export function drawnMask(x: Tensor, shape: Shape, keep: number, options: NoiseOptions): Tensor {
  const values = generatorOf(options).bernoulli(new Uint8Array(numelOf(shape)), keep);
  const order = shape.length === x.ndim && shape.every((s, d) => s === x.shape[d]) ? memoryOrder(x) : null;
  if (order === null) return fromHost(values, shape, 'bool', x.device);
  const inverse = new Array<number>(order.length);
  order.forEach((d, i) => (inverse[d] = i));
  return permute(
    fromHost(
      values,
      order.map((d) => shape[d]!),
      'bool',
      x.device,
    ),
    inverse,
  );
}

/** The dims of a dense tensor from the outermost in memory to the innermost; null where it is row-major or has gaps. */
export function memoryOrder(x: Tensor): readonly number[] | null {
  if (x.isContiguous()) return null;
  const strides = x.stride();
  const order = x.shape.map((_, d) => d).sort((a, b) => strides[b]! - strides[a]! || a - b);
  let step = 1;
  for (let i = order.length - 1; i >= 0; i--) {
    const d = order[i]!;
    if (x.shape[d] === 1) continue;
    if (strides[d] !== step) return null;
    step *= x.shape[d]!;
  }
  return order;
}

/** A probability. @throws ValueError `ERR_DROPOUT_P` */
export function requireProbability(op: string, p: number): void {
  if (!(p >= 0 && p <= 1))
    throw new ValueError('ERR_DROPOUT_P', `${op}: dropout probability has to be between 0 and 1, but got ${p}`, { op });
}

/** A mask as numbers of a float dtype. */
export const numbers = (mask: Tensor, dtype: DType): Value => castValue(mask.value, isFloat(dtype) ? DTYPE_INFO[dtype].compute : 'float32');
