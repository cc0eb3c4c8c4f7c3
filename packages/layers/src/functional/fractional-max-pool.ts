/** @file Fractional max pooling (Graham, 2014): windows whose steps are drawn at random, so that sizes shrink by any factor. */
import {
  checkOptions,
  type OptionNames,
  arange,
  type Generator,
  numelOf,
  rand,
  ShapeError,
  type SpatialSize,
  type Tensor,
  ValueError,
} from '@tessera/core';

const FRACTIONAL_MAX_POOL_OPTIONS: OptionNames<FractionalMaxPoolOptions> = {
  outputSize: true,
  outputRatio: true,
  returnIndices: true,
  _randomSamples: true,
  generator: true,
};

export interface FractionalMaxPoolOptions {
  /** The sizes of the output. This or `outputRatio` must be given. */
  readonly outputSize?: SpatialSize | null;
  /** The sizes of the output as parts of the input's. */
  readonly outputRatio?: number | readonly number[] | null;
  /** Also give where each maximum lies in its plane (int32). Default false. */
  readonly returnIndices?: boolean;
  /** (N, C, spatial dims): the draws, in [0, 1). Default: drawn. */
  readonly _randomSamples?: Tensor | null;
  readonly generator?: Generator;
}

const perDim = <T extends number>(value: T | readonly T[], n: number): readonly T[] =>
  typeof value === 'number' ? new Array<T>(n).fill(value) : (value as readonly T[]);

/** Where the windows begin along one dim: (N, C, out), int32. The last one ends where the input does. */
function starts(sample: Tensor, input: number, output: number, kernel: number): Tensor {
  const last = input - kernel;
  if (output === 1) return sample.newFull([...sample.shape, 1], last, { dtype: 'int32' });
  const u = sample.unsqueeze(-1);
  const alpha = Math.fround(last / (output - 1));
  const i = arange(output, { dtype: sample.dtype, device: sample.device });
  const from = i.add(u).mul(alpha).trunc().sub(u.mul(alpha).trunc()).to('int32');
  return from.maskedFill(i.eq(output - 1), last);
}

function fractionalMaxPool(
  op: string,
  n: number,
  input: Tensor,
  kernelSize: SpatialSize,
  options: FractionalMaxPoolOptions,
): [Tensor, Tensor] {
  const { outputSize = null, outputRatio = null } = options;
  const details = { op, shapes: [input.shape] };
  const fail = (why: string): never => {
    throw new ValueError('ERR_FRACTIONAL_POOL', `${op}: ${why}`, details);
  };
  if (input.ndim !== n + 1 && input.ndim !== n + 2)
    throw new ShapeError('ERR_POOL_RANK', `${op}: Expected ${n + 1}D or ${n + 2}D tensor, but got: ${input.ndim}D`, details);
  if (outputSize === null && outputRatio === null) fail('output_size or output_ratio must be specified');
  const x = input.ndim === n + 1 ? input.unsqueeze(0) : input;
  const sizes = x.shape.slice(-n);
  if (x.shape.slice(1).includes(0))
    throw new ShapeError(
      'ERR_POOL_RANK',
      `${op}: Expected input to have non-zero size for non-batch dimensions, but got [${input.shape.join(', ')}]`,
      details,
    );
  const ratios = outputRatio === null ? null : perDim(outputRatio, n);
  const out = outputSize === null ? sizes.map((size, d) => Math.trunc(size * ratios![d]!)) : perDim(outputSize, n);
  const kernel = perDim(kernelSize, n);
  if (kernel.length !== n) fail(`kernel_size must either be a single number or a list of ${n} numbers`);
  if (out.length !== n) fail(`output_size must either be a single number or a list of ${n} numbers`);
  sizes.forEach((size, d) => {
    if (!(out[d]! > 0) || !(kernel[d]! > 0))
      fail(`sizes of output and kernel must be above 0, but are [${out.join(', ')}] and [${kernel.join(', ')}]`);
    if (out[d]! + kernel[d]! - 1 > size) fail(`pool size ${kernel[d]} too large relative to input size ${size} for ${out[d]} outputs`);
  });
  const [batch, channels] = x.shape as [number, number, ...number[]];
  const dtype = x.dtype === 'float64' ? 'float64' : 'float32';
  const given = options._randomSamples ?? null;
  if (given !== null && given.shape.join() !== [batch, channels, n].join())
    throw new ShapeError(
      'ERR_FRACTIONAL_POOL',
      `${op}: Expected _random_samples of (${batch}, ${channels}, ${n}), but got (${given.shape.join(', ')})`,
      details,
    );
  const samples =
    given ??
    rand([batch, channels, n], { dtype, device: x.device, ...(options.generator === undefined ? {} : { generator: options.generator }) });

  // The place in its plane of each element of each window: (N, C, out…, kernel…).
  let places: Tensor | null = null;
  for (let d = 0; d < n; d++) {
    // In two dims PyTorch's first draw is the width's.
    const sample = samples.select(2, n === 2 ? 1 - d : d);
    const ofOut = [batch, channels, ...out.map((size, i) => (i === d ? size : 1)), ...kernel.map(() => 1)];
    const ofKernel = kernel.map((size, i) => (i === d ? size : 1));
    const along = starts(sample, sizes[d]!, out[d]!, kernel[d]!)
      .reshape(ofOut)
      .add(arange(kernel[d]!, { device: x.device }).reshape(ofKernel));
    places = places === null ? along : places.mul(sizes[d]!).add(along);
  }
  const taps = numelOf(kernel);
  const windows = places!.reshape([batch, channels, numelOf(out), taps]);
  const plane = x.reshape([batch, channels, numelOf(sizes)]);
  const values = plane
    .detach()
    .gather(2, windows.reshape([batch, channels, numelOf(out) * taps]))
    .reshape(windows.shape);
  const indices = windows.gather(3, values.argmax(3, { keepdim: true })).squeeze(3);
  const shape = [...input.shape.slice(0, -n), ...out];
  // The gradient goes where the maxima are, and nowhere else.
  return [plane.gather(2, indices).reshape(shape), indices.reshape(shape)];
}

const chosen = ([values, indices]: [Tensor, Tensor], { returnIndices = false }: FractionalMaxPoolOptions): Tensor | [Tensor, Tensor] =>
  returnIndices ? [values, indices] : values;

/**
 * The maximum of each of `outputSize` windows of (N, C, H, W) or (C, H, W) that lie at random steps. With `returnIndices` it gives
 * `[values, indices]`. PyTorch: F.fractional_max_pool2d.
 *
 * @throws ShapeError `ERR_POOL_RANK`; ValueError `ERR_FRACTIONAL_POOL`.
 * @example fractionalMaxPool2d(x, 3, { outputRatio: 0.7 })
 */
export function fractionalMaxPool2d(
  x: Tensor,
  kernelSize: SpatialSize,
  options: FractionalMaxPoolOptions & { readonly returnIndices: true },
): [Tensor, Tensor];
export function fractionalMaxPool2d(
  x: Tensor,
  kernelSize: SpatialSize,
  options?: FractionalMaxPoolOptions & { readonly returnIndices?: false },
): Tensor;
export function fractionalMaxPool2d(x: Tensor, kernelSize: SpatialSize, options?: FractionalMaxPoolOptions): Tensor | [Tensor, Tensor];
export function fractionalMaxPool2d(x: Tensor, kernelSize: SpatialSize, options: FractionalMaxPoolOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions('fractionalMaxPool2d', options, FRACTIONAL_MAX_POOL_OPTIONS);
  return chosen(fractionalMaxPool('fractionalMaxPool2d', 2, x, kernelSize, options), options);
}

/** As {@link fractionalMaxPool2d}, over (N, C, T, H, W) or (C, T, H, W). PyTorch: F.fractional_max_pool3d. */
export function fractionalMaxPool3d(
  x: Tensor,
  kernelSize: SpatialSize,
  options: FractionalMaxPoolOptions & { readonly returnIndices: true },
): [Tensor, Tensor];
export function fractionalMaxPool3d(
  x: Tensor,
  kernelSize: SpatialSize,
  options?: FractionalMaxPoolOptions & { readonly returnIndices?: false },
): Tensor;
export function fractionalMaxPool3d(x: Tensor, kernelSize: SpatialSize, options?: FractionalMaxPoolOptions): Tensor | [Tensor, Tensor];
export function fractionalMaxPool3d(x: Tensor, kernelSize: SpatialSize, options: FractionalMaxPoolOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions('fractionalMaxPool3d', options, FRACTIONAL_MAX_POOL_OPTIONS);
  return chosen(fractionalMaxPool('fractionalMaxPool3d', 3, x, kernelSize, options), options);
}
