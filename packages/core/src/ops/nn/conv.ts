/** @file Convolutions and transposed convolutions over 1, 2 and 3 spatial dims: arguments, checks, padding by name. */
import { notTensor } from '../define.js';
import { asHalf } from '../../amp/policy.js';
import { autocasting } from '../../amp/state.js';
import type { Window } from '../../backend/contract.js';
import { DTypeError, ShapeError, ValueError } from '../../errors.js';
import type { Shape } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { OPS } from '../registry.js';
import { reshape, squeeze, unsqueeze } from '../view.js';
import { convolution, convolutionInputGrad } from './convolution.js';
import { listed, perDim, type SpatialSize } from './geometry.js';
import { constantPadNd } from './pad.js';
import { checkOptions, type OptionNames } from '../../options.js';

const CONV_OPTIONS: OptionNames<ConvOptions> = { stride: true, padding: true, dilation: true, groups: true };
const CONV_TRANSPOSE_OPTIONS: OptionNames<ConvTransposeOptions> = {
  stride: true,
  padding: true,
  outputPadding: true,
  groups: true,
  dilation: true,
};

/** Options of {@link conv2d} and its kin; a number stands for all spatial dims. */
export interface ConvOptions {
  /** Default 1. */
  readonly stride?: SpatialSize;
  /** Zeros on both sides; 'valid' is none, 'same' keeps the sizes (stride 1 only; an odd one goes to the right). Default 0. */
  readonly padding?: SpatialSize | 'same' | 'valid';
  /** The distance between neighbouring taps of the kernel. Default 1. */
  readonly dilation?: SpatialSize;
  /** Channels in and out are split into so many groups, each convolved on its own. Default 1. */
  readonly groups?: number;
}

/** Options of {@link convTranspose2d} and its kin. */
export interface ConvTransposeOptions {
  readonly stride?: SpatialSize;
  /** `dilation · (kernel − 1) − padding` zeros are put around the input. Default 0. */
  readonly padding?: SpatialSize;
  /** Added to one side of the output. Default 0. */
  readonly outputPadding?: SpatialSize;
  readonly groups?: number;
  readonly dilation?: SpatialSize;
}

function checkWindow(op: string, w: Window, groups: number): void {
  if (!Number.isInteger(groups) || groups < 1)
    throw new ValueError('ERR_CONV_GROUPS', `${op}: non-positive groups is not supported`, { op });
  if (w.stride.some((s) => s < 1)) throw new ValueError('ERR_CONV_STRIDE', `${op}: non-positive stride is not supported`, { op });
  if (w.padding.some((p) => p < 0)) throw new ValueError('ERR_CONV_PADDING', `${op}: negative padding is not supported`, { op });
  if (w.dilation.some((d) => d < 1)) throw new ValueError('ERR_CONV_DILATION', `${op}: dilation should be greater than zero`, { op });
}

/** Types, ranks and the sizes of weight and bias, as PyTorch checks them. */
function checkOperands(
  op: string,
  n: number,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  groups: number,
  outChannels: number,
): void {
  if (!isTensor(input)) notTensor(op, 'input', input);
  if (!isTensor(weight)) notTensor(op, 'weight', weight);
  const details = { op, shapes: [input.shape, weight.shape], dtypes: [input.dtype, weight.dtype] };
  if (input.dtype !== weight.dtype)
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `${op}: Input type (${input.dtype}) and weight type (${weight.dtype}) should be the same`,
      details,
    );
  if (bias !== null && bias.dtype !== input.dtype)
    throw new DTypeError('ERR_DTYPE_MIX', `${op}: Input type (${input.dtype}) and bias type (${bias.dtype}) should be the same`, details);
  if (input.dtype === 'bool') throw new DTypeError('ERR_DTYPE', `${op}: not implemented for 'Bool'`, details);
  if (input.ndim !== n + 1 && input.ndim !== n + 2) {
    throw new ShapeError(
      'ERR_CONV_RANK',
      `${op}: Expected ${n + 1}D (unbatched) or ${n + 2}D (batched) input to ${op}, but got input of size: ${listed(input.shape)}`,
      details,
    );
  }
  if (weight.ndim !== n + 2)
    throw new ShapeError(
      'ERR_CONV_RANK',
      `${op}: expected weight to be ${n + 2}-dimensional, but got weight of size ${listed(weight.shape)}`,
      details,
    );
  const out = weight.shape[0]!;
  if (out < groups)
    throw new ShapeError(
      'ERR_CONV_GROUPS',
      `${op}: Given groups=${groups}, expected weight to be at least ${groups} at dimension 0, but got weight of size ${listed(weight.shape)} instead`,
      details,
    );
  if (out % groups !== 0)
    throw new ShapeError(
      'ERR_CONV_GROUPS',
      `${op}: Given groups=${groups}, expected weight to be divisible by ${groups} at dimension 0, but got weight of size ${listed(weight.shape)} instead`,
      details,
    );
  if (bias !== null && (bias.ndim !== 1 || bias.shape[0] !== outChannels)) {
    throw new ShapeError(
      'ERR_CONV_BIAS',
      `${op}: Given weight of size ${listed(weight.shape)}, expected bias to be 1-dimensional with ${outChannels} elements, but got bias of size ${listed(bias.shape)} instead`,
      details,
    );
  }
}

function convNd(op: string, n: number, input: Tensor, weight: Tensor, bias: Tensor | null, o: ConvOptions): Tensor {
  const groups = o.groups ?? 1;
  const stride = perDim(o.stride ?? 1, n, 'stride', op);
  const dilation = perDim(o.dilation ?? 1, n, 'dilation', op);
  const named = typeof o.padding === 'string';
  const given = named ? 0 : ((o.padding as SpatialSize | undefined) ?? 0);
  const padding = perDim(given, n, 'padding', op);
  checkWindow(op, { stride, padding, dilation }, groups);
  checkOperands(op, n, input, weight, bias, groups, weight.shape[0]!);
  if (input.ndim === n + 1) return squeeze(convNd(op, n, unsqueeze(input, 0), weight, bias, o), 0);
  if (input.shape[1] !== weight.shape[1]! * groups) {
    throw new ShapeError(
      'ERR_CONV_CHANNELS',
      `${op}: Given groups=${groups}, weight of size ${listed(weight.shape)}, expected input${listed(input.shape)} to have ${weight.shape[1]! * groups} channels, but got ${input.shape[1]} channels instead`,
      {
        op,
        shapes: [input.shape, weight.shape],
      },
    );
  }
  const kernel = weight.shape.slice(2);
  if (named) return convNamed(op, n, input, weight, bias, { stride, padding: o.padding as string, dilation, groups }, kernel);
  checkKernelFits(op, input.shape, kernel, { stride, padding, dilation });
  return convolution(input, weight, bias, { stride, padding, dilation }, groups);
}

function checkKernelFits(op: string, input: Shape, kernel: Shape, w: Window): void {
  const padded = input.slice(2).map((s, i) => s + 2 * w.padding[i]!);
  const reach = kernel.map((k, i) => w.dilation[i]! * (k - 1) + 1);
  if (padded.some((s, i) => s < reach[i]!)) {
    throw new ShapeError(
      'ERR_CONV_KERNEL',
      `${op}: Calculated padded input size per channel: (${padded.join(' x ')}). Kernel size: (${reach.join(' x ')}). Kernel size can't be greater than actual input size`,
      { op, shapes: [input, kernel] },
    );
  }
}

interface NamedWindow {
  readonly stride: Shape;
  readonly padding: string;
  readonly dilation: Shape;
  readonly groups: number;
}

function convNamed(op: string, n: number, input: Tensor, weight: Tensor, bias: Tensor | null, o: NamedWindow, kernel: Shape): Tensor {
  const { stride, dilation, groups } = o;
  const none = new Array<number>(n).fill(0);
  if (o.padding === 'valid') {
    checkKernelFits(op, input.shape, kernel, { stride, padding: none, dilation });
    return convolution(input, weight, bias, { stride, padding: none, dilation }, groups);
  }
  if (o.padding !== 'same') throw new ValueError('ERR_CONV_PADDING', `${op}: Invalid padding string: '${o.padding}'`, { op });
  if (stride.some((s) => s !== 1))
    throw new ValueError('ERR_CONV_PADDING', `${op}: padding='same' is not supported for strided convolutions`, { op });
  const total = kernel.map((k, i) => dilation[i]! * (k - 1));
  const padding = total.map((t) => Math.floor(t / 2));
  // What is left of an odd total goes to the right, where PyTorch puts it.
  const extra = total.map((t) => t % 2);
  const x = extra.some((e) => e > 0)
    ? constantPadNd(
        input,
        [...extra].reverse().flatMap((e) => [0, e]),
      )
    : input;
  return convolution(x, weight, bias, { stride, padding, dilation }, groups);
}

function convTransposeNd(op: string, n: number, input: Tensor, weight: Tensor, bias: Tensor | null, o: ConvTransposeOptions): Tensor {
  const groups = o.groups ?? 1;
  const stride = perDim(o.stride ?? 1, n, 'stride', op);
  const padding = perDim(o.padding ?? 0, n, 'padding', op);
  const dilation = perDim(o.dilation ?? 1, n, 'dilation', op);
  const outputPadding = perDim(o.outputPadding ?? 0, n, 'outputPadding', op);
  const w = { stride, padding, dilation };
  checkWindow(op, w, groups);
  if (outputPadding.some((p) => p < 0)) throw new ValueError('ERR_CONV_PADDING', `${op}: negative output_padding is not supported`, { op });
  const outChannels = (weight.shape[1] ?? 0) * groups;
  checkOperands(op, n, input, weight, bias, groups, outChannels);
  if (input.ndim === n + 1) return squeeze(convTransposeNd(op, n, unsqueeze(input, 0), weight, bias, o), 0);
  if (!isTensor(input)) notTensor(op, 'input', input);
  if (!isTensor(weight)) notTensor(op, 'weight', weight);
  const details = { op, shapes: [input.shape, weight.shape] };
  if (input.shape[1] !== weight.shape[0]) {
    throw new ShapeError(
      'ERR_CONV_CHANNELS',
      `${op}: Given transposed=1, weight of size ${listed(weight.shape)}, expected input${listed(input.shape)} to have ${weight.shape[0]} channels, but got ${input.shape[1]} channels instead`,
      details,
    );
  }
  if (outputPadding.some((p, i) => p >= stride[i]! && p >= dilation[i]!)) {
    throw new ValueError(
      'ERR_CONV_PADDING',
      `${op}: output padding must be smaller than either stride or dilation, but got output_padding: ${listed(outputPadding)}, stride: ${listed(stride)}, dilation: ${listed(dilation)}`,
      details,
    );
  }
  const kernel = weight.shape.slice(2);
  const sizes = input.shape
    .slice(2)
    .map((s, i) => (s - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (kernel[i]! - 1) + outputPadding[i]! + 1);
  if (sizes.some((s) => s < 1)) {
    throw new ShapeError(
      'ERR_CONV_KERNEL',
      `${op}: Given input size per channel: (${input.shape.slice(2).join(' x ')}). Calculated output size per channel: (${sizes.join(' x ')}). Output size is too small`,
      details,
    );
  }
  const out = convolutionInputGrad(input, weight, [input.shape[0]!, outChannels, ...sizes], w, groups);
  return bias === null ? out : out.add(reshape(bias, [outChannels, ...sizes.map(() => 1)]));
}

for (const n of [1, 2, 3]) {
  OPS.set(`conv${n}d`, { name: `conv${n}d`, inputs: 3, differentiable: true });
  OPS.set(`convTranspose${n}d`, { name: `convTranspose${n}d`, inputs: 3, differentiable: true });
}

/**
 * The cross-correlation of x (N, C, L) with weight (O, C/groups, k), plus bias (O): (N, O, L'), L' = ⌊(L + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1.
 * An input (C, L) gives (O, L'). PyTorch: F.conv1d.
 */
export function conv1d(input: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  checkOptions('conv1d', options, CONV_OPTIONS);
  if (autocasting.on) return asHalf(conv1d, input, weight, bias, options);
  return convNd('conv1d', 1, input, weight, bias ?? null, options);
}

/**
 * As {@link conv1d} over (N, C, H, W) or (C, H, W), weight (O, C/groups, kH, kW). PyTorch: F.conv2d.
 *
 * @throws ShapeError `ERR_CONV_RANK`, `ERR_CONV_CHANNELS`, `ERR_CONV_GROUPS`, `ERR_CONV_BIAS`, `ERR_CONV_KERNEL`; ValueError `ERR_CONV_STRIDE`,
 * `ERR_CONV_PADDING`, `ERR_CONV_DILATION`; DTypeError `ERR_DTYPE_MIX`.
 * @example conv2d(images, weight, bias, { stride: 2, padding: 1 })
 */
export function conv2d(input: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  checkOptions('conv2d', options, CONV_OPTIONS);
  if (autocasting.on) return asHalf(conv2d, input, weight, bias, options);
  return convNd('conv2d', 2, input, weight, bias ?? null, options);
}

/** As {@link conv1d} over (N, C, D, H, W) or (C, D, H, W). PyTorch: F.conv3d. */
export function conv3d(input: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  checkOptions('conv3d', options, CONV_OPTIONS);
  if (autocasting.on) return asHalf(conv3d, input, weight, bias, options);
  return convNd('conv3d', 3, input, weight, bias ?? null, options);
}

/**
 * The gradient of {@link conv1d} by its input, as an op: x (N, C, L), weight (C, O/groups, k), bias (O) give (N, O, L'),
 * L' = (L − 1)·stride − 2·padding + dilation·(k − 1) + outputPadding + 1. PyTorch: F.conv_transpose1d.
 */
export function convTranspose1d(input: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvTransposeOptions = {}): Tensor {
  checkOptions('convTranspose1d', options, CONV_TRANSPOSE_OPTIONS);
  if (autocasting.on) return asHalf(convTranspose1d, input, weight, bias, options);
  return convTransposeNd('convTranspose1d', 1, input, weight, bias ?? null, options);
}

/** As {@link convTranspose1d} over (N, C, H, W) or (C, H, W). PyTorch: F.conv_transpose2d. */
export function convTranspose2d(input: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvTransposeOptions = {}): Tensor {
  checkOptions('convTranspose2d', options, CONV_TRANSPOSE_OPTIONS);
  if (autocasting.on) return asHalf(convTranspose2d, input, weight, bias, options);
  return convTransposeNd('convTranspose2d', 2, input, weight, bias ?? null, options);
}

/** As {@link convTranspose1d} over (N, C, D, H, W) or (C, D, H, W). PyTorch: F.conv_transpose3d. */
export function convTranspose3d(input: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvTransposeOptions = {}): Tensor {
  checkOptions('convTranspose3d', options, CONV_TRANSPOSE_OPTIONS);
  if (autocasting.on) return asHalf(convTranspose3d, input, weight, bias, options);
  return convTransposeNd('convTranspose3d', 3, input, weight, bias ?? null, options);
}
