/** @file Padding: with a constant, or with the input's own elements. */
import {
  checkOptions,
  type OptionNames,
  constantPadNd,
  NotSupportedError,
  ShapeError,
  tensor,
  type Tensor,
  ValueError,
} from '@tessera/core';

const PAD_OPTIONS: OptionNames<PadOptions> = { mode: true, value: true };

export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

export interface PadOptions {
  /** Default 'constant'. */
  readonly mode?: PadMode;
  /** What 'constant' pads with. Default 0. */
  readonly value?: number | boolean | null;
}

/** The place of the input that a place outside it, or in it, shows. */
const SOURCES: Readonly<Record<Exclude<PadMode, 'constant'>, (i: number, length: number) => number>> = {
  reflect: (i, length) => length - 1 - Math.abs(length - 1 - Math.abs(i)),
  replicate: (i, length) => Math.min(Math.max(i, 0), length - 1),
  circular: (i, length) => ((i % length) + length) % length,
};

/** What is cut off is gone before the rest is padded: it matters where 'circular' starts over. */
function sourcePlaces(mode: Exclude<PadMode, 'constant'>, length: number, left: number, right: number): Int32Array {
  const source = SOURCES[mode];
  const cut = mode === 'circular' ? Math.max(-left, 0) : 0;
  const inner = mode === 'circular' ? length - cut - Math.max(-right, 0) : length;
  const first = mode === 'circular' ? Math.max(left, 0) : left;
  return Int32Array.from({ length: length + left + right }, (_, k) => cut + source(k - first, inner));
}

function check(mode: PadMode, x: Tensor, pad: readonly number[]): void {
  const n = pad.length / 2;
  const details = { op: 'pad', shapes: [x.shape] };
  if (!(n >= 1 && n <= 3 && (x.ndim === n + 1 || x.ndim === n + 2))) {
    throw new NotSupportedError(
      'ERR_PAD',
      `pad: Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now: ${pad.length} paddings do not fit a tensor with ${x.ndim} dims`,
      details,
    );
  }
  for (let i = 0; i < n; i++) {
    const length = x.shape[x.ndim - 1 - i]!;
    const most = Math.max(pad[2 * i]!, pad[2 * i + 1]!);
    if (mode === 'reflect' && most >= length) {
      throw new ShapeError(
        'ERR_PAD_SHAPE',
        `pad: Padding size should be less than the corresponding input dimension, but got: padding (${pad[2 * i]}, ${pad[2 * i + 1]}) at dimension ${x.ndim - 1 - i} of input [${x.shape.join(', ')}]`,
        details,
      );
    }
    if (mode === 'circular' && most > length)
      throw new ShapeError('ERR_PAD_SHAPE', 'pad: Padding value causes wrapping around more than once.', details);
    if (length === 0 || length + pad[2 * i]! + pad[2 * i + 1]! < (mode === 'circular' ? 0 : 1)) {
      throw new ShapeError('ERR_PAD_SHAPE', `pad: input [${x.shape.join(', ')}] is too small for the padding [${pad.join(', ')}]`, details);
    }
  }
}

/**
 * `x` with more around it. `padding` has two numbers a dim, from the last dim on: [left, right, top, bottom, …]; negative ones cut off.
 * 'reflect' mirrors without repeating the edge, 'replicate' repeats the edge, 'circular' starts over; these three pad the last 1 to 3 dims
 * of a tensor with one or two more. PyTorch: F.pad.
 *
 * @throws ValueError `ERR_PAD`; ShapeError `ERR_PAD_SHAPE`; NotSupportedError `ERR_PAD`.
 * @example pad(x, [1, 1, 2, 2], { mode: 'reflect' })
 */
export function pad(x: Tensor, padding: readonly number[], options: PadOptions = {}): Tensor {
  checkOptions('pad', options, PAD_OPTIONS);
  const { mode = 'constant' } = options;
  if (mode === 'constant') return constantPadNd(x, padding, options.value ?? 0);
  if (!Object.hasOwn(SOURCES, mode)) throw new ValueError('ERR_PAD', `pad: Unrecognised padding mode ${String(mode)}`, { op: 'pad' });
  if (padding.length % 2 !== 0 || padding.some((p) => !Number.isInteger(p)))
    throw new ValueError('ERR_PAD', `pad: Padding length must be divisible by 2, and whole numbers, but is [${padding.join(', ')}]`, {
      op: 'pad',
    });
  if (options.value !== undefined && options.value !== null && options.value !== 0)
    throw new ValueError('ERR_PAD', `pad: Padding mode "${mode}" doesn't take in value argument`, { op: 'pad' });
  check(mode, x, padding);
  let out = x;
  for (let i = 0; 2 * i < padding.length; i++) {
    const left = padding[2 * i]!;
    const right = padding[2 * i + 1]!;
    if (left === 0 && right === 0) continue;
    const dim = x.ndim - 1 - i;
    out = out.indexSelect(dim, tensor(sourcePlaces(mode, x.shape[dim]!, left, right), { device: x.device }));
  }
  return out === x ? x.clone() : out;
}
