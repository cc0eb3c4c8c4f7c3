/** @file Pooling that is composed of other ops: power means, and the reverse of max pooling. */
import {
  checkOptions,
  type OptionNames,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  numelOf,
  ShapeError,
  type SpatialSize,
  type Tensor,
  ValueError,
} from '@tessera/core';

const LP_POOL_OPTIONS: OptionNames<LpPoolOptions> = { stride: true, ceilMode: true };
const MAX_UNPOOL_OPTIONS: OptionNames<MaxUnpoolOptions> = { stride: true, padding: true, outputSize: true };

export interface LpPoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: SpatialSize | null;
  readonly ceilMode?: boolean;
}

/** (Σ x^p over each window)^(1/p); the sign of a negative sum is kept out, as PyTorch does. */
function lpPool(pool: typeof avgPool2d, n: number, x: Tensor, normType: number, kernelSize: SpatialSize, o: LpPoolOptions): Tensor {
  const taps = typeof kernelSize === 'number' ? kernelSize ** n : numelOf(kernelSize);
  const mean = pool(x.pow(normType), kernelSize, { stride: o.stride ?? null, padding: 0, ceilMode: o.ceilMode ?? false });
  return mean
    .sign()
    .mul(mean.abs().relu())
    .mul(taps)
    .pow(1 / normType);
}

/** The p-norm of each window along the last dim. PyTorch: F.lp_pool1d. */
export const lpPool1d = (x: Tensor, normType: number, kernelSize: SpatialSize, options: LpPoolOptions = {}): Tensor =>
  lpPool(avgPool1d, 1, x, normType, kernelSize, checkOptions('lpPool1d', options, LP_POOL_OPTIONS));
/** The p-norm of each window over the last two dims. PyTorch: F.lp_pool2d. */
export const lpPool2d = (x: Tensor, normType: number, kernelSize: SpatialSize, options: LpPoolOptions = {}): Tensor =>
  lpPool(avgPool2d, 2, x, normType, kernelSize, checkOptions('lpPool2d', options, LP_POOL_OPTIONS));
/** The p-norm of each window over the last three dims. PyTorch: F.lp_pool3d. */
export const lpPool3d = (x: Tensor, normType: number, kernelSize: SpatialSize, options: LpPoolOptions = {}): Tensor =>
  lpPool(avgPool3d, 3, x, normType, kernelSize, checkOptions('lpPool3d', options, LP_POOL_OPTIONS));

export interface MaxUnpoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: SpatialSize | null;
  readonly padding?: SpatialSize;
  /** The spatial sizes of the output, or its whole shape; without it, the least that pooling would have taken. */
  readonly outputSize?: readonly number[] | null;
}

const perDim = (value: SpatialSize, n: number): readonly number[] =>
  typeof value === 'number' ? new Array<number>(n).fill(value) : value.length === 1 ? new Array<number>(n).fill(value[0]!) : value;

function maxUnpool(op: string, n: number, x: Tensor, indices: Tensor, kernelSize: SpatialSize, o: MaxUnpoolOptions): Tensor {
  const details = { op, shapes: [x.shape, indices.shape] };
  if (x.ndim !== n + 1 && x.ndim !== n + 2)
    throw new ShapeError(
      'ERR_POOL_RANK',
      `${op}: Input to ${op} should be a ${n + 1}d or ${n + 2}d Tensor, but got Tensor with ${x.ndim} dimensions`,
      details,
    );
  if (x.shape.join() !== indices.shape.join())
    throw new ShapeError(
      'ERR_UNPOOL',
      `${op}: Expected shape of indices to be same as that of the input tensor ([${x.shape.join(', ')}]) but got indices tensor with shape: [${indices.shape.join(', ')}]`,
      details,
    );
  const kernel = perDim(kernelSize, n);
  const given = o.stride ?? null;
  const stride = given === null || (typeof given !== 'number' && given.length === 0) ? kernel : perDim(given, n);
  const padding = perDim(o.padding ?? 0, n);
  const least = x.shape.slice(-n).map((s, i) => (s - 1) * stride[i]! + kernel[i]! - 2 * padding[i]!);
  let sizes: readonly number[] = least;
  if (o.outputSize) {
    sizes = o.outputSize.length >= n + 1 ? o.outputSize.slice(-n) : o.outputSize;
    if (sizes.length !== n)
      throw new ValueError(
        'ERR_UNPOOL',
        `${op}: output_size should be a sequence containing ${n} or ${n + 2} elements, but it has a length of '${o.outputSize.length}'`,
        details,
      );
    sizes.forEach((s, i) => {
      if (!(least[i]! - stride[i]! < s && s < least[i]! + stride[i]!))
        throw new ValueError(
          'ERR_UNPOOL',
          `${op}: invalid output_size [${sizes.join(', ')}] (dim ${i} must be between ${least[i]! - stride[i]!} and ${least[i]! + stride[i]!})`,
          details,
        );
    });
  }
  const lead = x.shape.slice(0, -n);
  const flat = x.newZeros([...lead, numelOf(sizes)]).scatter(-1, indices.reshape([...lead, -1]), x.reshape([...lead, -1]));
  return flat.reshape([...lead, ...sizes]);
}

/** Puts each element of x where `maxPool1d` found it, with zeros elsewhere. PyTorch: F.max_unpool1d. @throws ShapeError, ValueError `ERR_UNPOOL`. */
export const maxUnpool1d = (x: Tensor, indices: Tensor, kernelSize: SpatialSize, options: MaxUnpoolOptions = {}): Tensor =>
  maxUnpool('maxUnpool1d', 1, x, indices, kernelSize, checkOptions('maxUnpool1d', options, MAX_UNPOOL_OPTIONS));
/** As {@link maxUnpool1d}, for `maxPool2d`. PyTorch: F.max_unpool2d. */
export const maxUnpool2d = (x: Tensor, indices: Tensor, kernelSize: SpatialSize, options: MaxUnpoolOptions = {}): Tensor =>
  maxUnpool('maxUnpool2d', 2, x, indices, kernelSize, checkOptions('maxUnpool2d', options, MAX_UNPOOL_OPTIONS));
/** As {@link maxUnpool1d}, for `maxPool3d`. PyTorch: F.max_unpool3d. */
export const maxUnpool3d = (x: Tensor, indices: Tensor, kernelSize: SpatialSize, options: MaxUnpoolOptions = {}): Tensor =>
  maxUnpool('maxUnpool3d', 3, x, indices, kernelSize, checkOptions('maxUnpool3d', options, MAX_UNPOOL_OPTIONS));
