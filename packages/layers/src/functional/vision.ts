/** @file Rearranging channels and space: shuffles, and patches taken out of images and put back. */
import { checkOptions, type OptionNames, col2im, im2col, ShapeError, type Tensor, ValueError } from '@tessera/core';

const UNFOLD_OPTIONS: OptionNames<UnfoldOptions> = { dilation: true, padding: true, stride: true };

function requirePositive(op: string, name: string, x: number): void {
  if (!Number.isInteger(x) || x < 1) throw new ValueError('ERR_SHUFFLE', `${op}: expects a positive ${name}, but got ${x}`, { op });
}

/**
 * (…, C·r², H, W) → (…, C, H·r, W·r): each r × r block of the output comes from r² channels. PyTorch: F.pixel_shuffle.
 * @throws ShapeError `ERR_SHUFFLE_SHAPE`; ValueError `ERR_SHUFFLE`.
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const r = upscaleFactor;
  requirePositive('pixelShuffle', 'upscale_factor', r);
  if (x.ndim < 3)
    throw new ShapeError(
      'ERR_SHUFFLE_SHAPE',
      `pixelShuffle: expects input to have at least 3 dimensions, but got input with ${x.ndim} dimension(s)`,
      { op: 'pixelShuffle', shapes: [x.shape] },
    );
  const lead = x.shape.slice(0, -3);
  const [c, h, w] = x.shape.slice(-3) as [number, number, number];
  if (c % (r * r) !== 0) {
    throw new ShapeError(
      'ERR_SHUFFLE_SHAPE',
      `pixelShuffle: expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=${c} is not divisible by ${r * r}`,
      { op: 'pixelShuffle', shapes: [x.shape] },
    );
  }
  const n = lead.length;
  const split = x.reshape([...lead, c / (r * r), r, r, h, w]);
  return split.permute([...lead.map((_, d) => d), n, n + 3, n + 1, n + 4, n + 2]).reshape([...lead, c / (r * r), h * r, w * r]);
}

/** The reverse of {@link pixelShuffle}: (…, C, H·r, W·r) → (…, C·r², H, W). PyTorch: F.pixel_unshuffle. */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  const r = downscaleFactor;
  requirePositive('pixelUnshuffle', 'downscale_factor', r);
  if (x.ndim < 3)
    throw new ShapeError(
      'ERR_SHUFFLE_SHAPE',
      `pixelUnshuffle: expects input to have at least 3 dimensions, but got input with ${x.ndim} dimension(s)`,
      { op: 'pixelUnshuffle', shapes: [x.shape] },
    );
  const lead = x.shape.slice(0, -3);
  const [c, h, w] = x.shape.slice(-3) as [number, number, number];
  if (h % r !== 0 || w % r !== 0) {
    throw new ShapeError(
      'ERR_SHUFFLE_SHAPE',
      `pixelUnshuffle: expects height and width to be divisible by downscale_factor, but ${h} x ${w} is not divisible by ${r}`,
      { op: 'pixelUnshuffle', shapes: [x.shape] },
    );
  }
  const n = lead.length;
  const split = x.reshape([...lead, c, h / r, r, w / r, r]);
  return split.permute([...lead.map((_, d) => d), n, n + 2, n + 4, n + 1, n + 3]).reshape([...lead, c * r * r, h / r, w / r]);
}

/** The channels of (N, C, …), split into groups, interleaved. PyTorch: F.channel_shuffle. */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  if (x.ndim < 3)
    throw new ShapeError(
      'ERR_SHUFFLE_SHAPE',
      `channelShuffle: channel_shuffle expects input with > 2 dims, but got input with sizes [${x.shape.join(', ')}]`,
      { op: 'channelShuffle', shapes: [x.shape] },
    );
  requirePositive('channelShuffle', 'groups', groups);
  const [n, c, ...spatial] = x.shape as [number, number, ...number[]];
  if (c % groups !== 0)
    throw new ShapeError(
      'ERR_SHUFFLE_SHAPE',
      `channelShuffle: Number of channels must be divisible by groups. Got ${c} channels and ${groups} groups.`,
      { op: 'channelShuffle', shapes: [x.shape] },
    );
  return x
    .reshape([n, groups, c / groups, ...spatial])
    .transpose(1, 2)
    .reshape(x.shape);
}

/** Options of {@link unfold} and {@link fold}; a number stands for both dims. */
export interface UnfoldOptions {
  readonly dilation?: number | readonly number[];
  readonly padding?: number | readonly number[];
  readonly stride?: number | readonly number[];
}

type Pair = readonly [number, number];

function pair(op: string, name: string, given: number | readonly number[], least: number): Pair {
  const list = typeof given === 'number' ? [given, given] : given.length === 1 ? [given[0]!, given[0]!] : given;
  if (list.length !== 2 || list.some((x) => !Number.isInteger(x) || x < least)) {
    throw new ValueError(
      'ERR_UNFOLD',
      `${op}: ${name} should be ${least > 0 ? 'greater than zero' : 'non-negative'}, a number or two, but got [${list.join(', ')}]`,
      { op },
    );
  }
  return list as unknown as Pair;
}

interface Patches {
  readonly kernel: Pair;
  readonly dilation: Pair;
  readonly padding: Pair;
  readonly stride: Pair;
  readonly rows: number;
  readonly columns: number;
}

function patches(op: string, height: number, width: number, kernelSize: number | readonly number[], o: UnfoldOptions): Patches {
  const kernel = pair(op, 'kernel size', kernelSize, 1);
  const dilation = pair(op, 'dilation', o.dilation ?? 1, 1);
  const padding = pair(op, 'padding', o.padding ?? 0, 0);
  const stride = pair(op, 'stride', o.stride ?? 1, 1);
  const count = (size: number, d: 0 | 1): number => Math.floor((size + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1;
  const rows = count(height, 0);
  const columns = count(width, 1);
  if (rows < 1 || columns < 1) {
    throw new ShapeError(
      'ERR_UNFOLD',
      `${op}: with spatial size (${height}, ${width}), kernel_size=(${kernel.join(', ')}), dilation=(${dilation.join(', ')}), padding=(${padding.join(', ')}), the array of sliding blocks has shape (${rows}, ${columns}), but its components must be at least one.`,
      { op },
    );
  }
  return { kernel, dilation, padding, stride, rows, columns };
}

/**
 * The sliding patches of (N, C, H, W) or (C, H, W), each as a column: (N, C·kh·kw, L). PyTorch: F.unfold.
 * @throws ValueError, ShapeError `ERR_UNFOLD`.
 */
export function unfold(x: Tensor, kernelSize: number | readonly number[], options: UnfoldOptions = {}): Tensor {
  checkOptions('unfold', options, UNFOLD_OPTIONS);
  if (x.ndim !== 3 && x.ndim !== 4)
    throw new ShapeError('ERR_UNFOLD', `unfold: Expected 3D or 4D (batch mode) tensor, but got [${x.shape.join(', ')}]`, {
      op: 'unfold',
      shapes: [x.shape],
    });
  if (x.ndim === 3) return unfold(x.unsqueeze(0), kernelSize, options).squeeze(0);
  const p = patches('unfold', x.shape[2]!, x.shape[3]!, kernelSize, options);
  return im2col(x, p.kernel, p);
}

/**
 * The reverse of {@link unfold}: columns (N, C·kh·kw, L) summed where their patches overlap, to (N, C, ...outputSize). PyTorch: F.fold.
 * @throws ValueError, ShapeError `ERR_UNFOLD`.
 */
export function fold(
  x: Tensor,
  outputSize: number | readonly number[],
  kernelSize: number | readonly number[],
  options: UnfoldOptions = {},
): Tensor {
  checkOptions('fold', options, UNFOLD_OPTIONS);
  if (x.ndim !== 2 && x.ndim !== 3)
    throw new ShapeError('ERR_UNFOLD', `fold: Expected 2D or 3D (batch mode) tensor, but got [${x.shape.join(', ')}]`, {
      op: 'fold',
      shapes: [x.shape],
    });
  if (x.ndim === 2) return fold(x.unsqueeze(0), outputSize, kernelSize, options).squeeze(0);
  const [height, width] = pair('fold', 'output size', outputSize, 1);
  const p = patches('fold', height, width, kernelSize, options);
  const [kh, kw] = p.kernel;
  const [n, wide, length] = x.shape as [number, number, number];
  const details = { op: 'fold', shapes: [x.shape] };
  if (wide % (kh * kw) !== 0)
    throw new ShapeError(
      'ERR_UNFOLD',
      `fold: Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=${wide} and kernel_size=(${kh}, ${kw}).`,
      details,
    );
  if (length !== p.rows * p.columns)
    throw new ShapeError(
      'ERR_UNFOLD',
      `fold: Given output_size=(${height}, ${width}), expected size of input's dimension 2 to match the calculated number of sliding blocks ${p.rows} * ${p.columns} = ${p.rows * p.columns}, but got input.size(2)=${length}.`,
      details,
    );
  return col2im(x, [n, wide / (kh * kw), height, width], p.kernel, p);
}
