/** @file Sampling images at given places: affine grids, and reading between the elements. */
import {
  checkOptions,
  type OptionNames,
  contiguousStrides,
  numelOf,
  ShapeError,
  tensor,
  type Tensor,
  ValueError,
  zerosLike,
  asWidest,
  autocasting,
} from '@tessera/core';

const AFFINE_GRID_OPTIONS: OptionNames<AffineGridOptions> = { alignCorners: true };
const GRID_SAMPLE_OPTIONS: OptionNames<GridSampleOptions> = { mode: true, paddingMode: true, alignCorners: true };

export interface AffineGridOptions {
  /** −1 and 1 are the centres of the corner elements, rather than the image's edges. Default false. */
  readonly alignCorners?: boolean;
}

/** Places from −1 to 1 along a dim: of the elements' centres. */
function axis(length: number, align: boolean): Float64Array {
  if (length <= 1) return new Float64Array(Math.max(length, 0));
  const full = Float64Array.from({ length }, (_, i) => -1 + (2 * i) / (length - 1));
  return align ? full : full.map((x) => (x * (length - 1)) / length);
}

/**
 * Places for {@link gridSample} by affine maps: theta (N, 2, 3) and a size [N, C, H, W] give (N, H, W, 2); (N, 3, 4) and [N, C, D, H, W] give
 * (N, D, H, W, 3). PyTorch: F.affine_grid.
 * @throws ShapeError `ERR_GRID_SHAPE`
 */
export function affineGrid(theta: Tensor, size: readonly number[], options: AffineGridOptions = {}): Tensor {
  checkOptions('affineGrid', options, AFFINE_GRID_OPTIONS);
  const n = size.length - 2;
  if ((n !== 2 && n !== 3) || theta.ndim !== 3 || theta.shape[0] !== size[0] || theta.shape[1] !== n || theta.shape[2] !== n + 1) {
    throw new ShapeError(
      'ERR_GRID_SHAPE',
      `affineGrid: Expected a batch of ${n === 3 ? '3D affine matrices of shape Nx3x4' : '2D affine matrices of shape Nx2x3'} for size [${size.join(', ')}]. Got [${theta.shape.join(', ')}].`,
      { op: 'affineGrid', shapes: [theta.shape, size] },
    );
  }
  const sizes = size.slice(2);
  const axes = sizes.map((length) => axis(length, options.alignCorners ?? false));
  const strides = contiguousStrides(sizes);
  const places = numelOf(sizes);
  // Rows (x, y, …, 1): the last dim comes first.
  const base = Float64Array.from({ length: places * (n + 1) }, (_, i) => {
    const d = n - 1 - (i % (n + 1));
    return d < 0 ? 1 : axes[d]![Math.floor(Math.floor(i / (n + 1)) / strides[d]!) % sizes[d]!]!;
  });
  const rows = tensor(base, { dtype: theta.dtype, device: theta.device }).reshape([1, places, n + 1]);
  return rows
    .expand([theta.shape[0]!, places, n + 1])
    .matmul(theta.transpose(1, 2))
    .reshape([theta.shape[0]!, ...sizes, n]);
}

export type GridSampleMode = 'bilinear' | 'nearest' | 'bicubic';
export type GridPaddingMode = 'zeros' | 'border' | 'reflection';

export interface GridSampleOptions {
  /** 'bilinear' (trilinear for volumes, the default), 'nearest', or 'bicubic' (images only). */
  readonly mode?: GridSampleMode;
  /** What lies outside. Default 'zeros'. */
  readonly paddingMode?: GridPaddingMode;
  readonly alignCorners?: boolean | null;
}

/** From [−1, 1] to places of a dim. */
const unnormalized = (g: Tensor, length: number, align: boolean): Tensor =>
  align ? g.add(1).mul((length - 1) / 2) : g.add(1).mul(length).sub(1).mul(0.5);

/** Mirrored until it lies between the bounds, which are given doubled. */
function mirrored(x: Tensor, low2: number, high2: number): Tensor {
  if (low2 === high2) return zerosLike(x);
  const low = low2 / 2;
  const span = (high2 - low2) / 2;
  const from = x.sub(low).abs();
  // How often it turned says which way it runs; the count has no gradient.
  const flips = from.detach().div(span).floor();
  const extra = from.sub(flips.mul(span));
  const odd = flips.sub(flips.mul(0.5).floor().mul(2)).gt(0.5);
  return extra
    .neg()
    .add(span + low)
    .where(odd, extra.add(low));
}

/** A place brought into the image, as the padding mode says. */
function inside(x: Tensor, length: number, padding: GridPaddingMode, align: boolean): Tensor {
  if (padding === 'zeros') return x;
  const y = padding === 'reflection' ? mirrored(x, align ? 0 : -1, align ? 2 * (length - 1) : 2 * length - 1) : x;
  return bounded(y, length);
}

/** Clipped into the image. PyTorch gives no gradient at the bounds themselves. */
function bounded(x: Tensor, length: number): Tensor {
  const free = x
    .detach()
    .gt(0)
    .logicalAnd(x.detach().lt(length - 1));
  return x.where(free, x.detach().clamp(0, length - 1));
}

/** Elements of `flat` (N, C, positions) at whole places (N, P), one for each spatial dim; outside ones are 0. */
function read(flat: Tensor, sizes: readonly number[], places: readonly Tensor[]): Tensor {
  const strides = contiguousStrides(sizes);
  let index: Tensor | null = null;
  let valid: Tensor | null = null;
  places.forEach((p, d) => {
    const length = sizes[d]!;
    const ok = p.ge(0).logicalAnd(p.le(length - 1));
    valid = valid === null ? ok : valid.logicalAnd(ok);
    const part = p
      .clamp(0, length - 1)
      .to('int32')
      .mul(strides[d]!);
    index = index === null ? part : index.add(part);
  });
  const [n, c] = flat.shape as [number, number];
  const count = index!.shape[1]!;
  const found = flat.gather(2, index!.realize().unsqueeze(1).expand([n, c, count]));
  return found.maskedFill(valid!.logicalNot().realize().unsqueeze(1), 0);
}

const cubicNear = (t: Tensor): Tensor => t.mul(1.25).sub(2.25).mul(t).mul(t).add(1);
const cubicFar = (t: Tensor): Tensor => t.mul(-0.75).add(3.75).mul(t).sub(6).mul(t).add(3);
/** Keys's weights for the four neighbours of a place with fraction t, A = −0.75. */
const cubicWeights = (t: Tensor): Tensor[] => [cubicFar(t.add(1)), cubicNear(t), cubicNear(t.neg().add(1)), cubicFar(t.neg().add(2))];

function check(input: Tensor, grid: Tensor, mode: string, padding: string): void {
  const n = input.ndim - 2;
  const details = { op: 'gridSample', shapes: [input.shape, grid.shape] };
  if (mode !== 'bilinear' && mode !== 'nearest' && mode !== 'bicubic')
    throw new ValueError(
      'ERR_GRID_MODE',
      `gridSample: expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '${mode}'`,
      details,
    );
  if (padding !== 'zeros' && padding !== 'border' && padding !== 'reflection')
    throw new ValueError(
      'ERR_GRID_MODE',
      `gridSample: expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '${padding}'`,
      details,
    );
  if ((n !== 2 && n !== 3) || grid.ndim !== input.ndim)
    throw new ShapeError(
      'ERR_GRID_SHAPE',
      `gridSample: expected 4D or 5D input and grid with same number of dimensions, but got input with sizes [${input.shape.join(', ')}] and grid with sizes [${grid.shape.join(', ')}]`,
      details,
    );
  if (grid.shape[0] !== input.shape[0])
    throw new ShapeError(
      'ERR_GRID_SHAPE',
      `gridSample: expected grid and input to have same batch size, but got input with sizes [${input.shape.join(', ')}] and grid with sizes [${grid.shape.join(', ')}]`,
      details,
    );
  if (grid.shape.at(-1) !== n)
    throw new ShapeError(
      'ERR_GRID_SHAPE',
      `gridSample: expected grid to have size ${n} in last dimension, but got grid with sizes [${grid.shape.join(', ')}]`,
      details,
    );
  if (input.shape.slice(2).some((s) => s === 0))
    throw new ShapeError(
      'ERR_GRID_SHAPE',
      `gridSample: expected input to have non-empty spatial dimensions, but input has sizes [${input.shape.join(', ')}]`,
      details,
    );
  if (mode === 'bicubic' && n !== 2)
    throw new ValueError('ERR_GRID_MODE', 'gridSample: bicubic interpolation only supports 4D input', details);
}

/**
 * Reads x (N, C, H, W) at the places of a grid (N, H', W', 2), whose last dim has x before y, both from −1 to 1: (N, C, H', W'). Volumes
 * likewise. PyTorch: F.grid_sample.
 *
 * @throws ShapeError `ERR_GRID_SHAPE`; ValueError `ERR_GRID_MODE`.
 */
export function gridSample(input: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  checkOptions('gridSample', options, GRID_SAMPLE_OPTIONS);
  if (autocasting.on) return asWidest(gridSample, input, grid, options);
  const { mode = 'bilinear', paddingMode = 'zeros' } = options;
  const align = options.alignCorners ?? false;
  check(input, grid, mode, paddingMode);
  const [n, c, ...sizes] = input.shape as [number, number, ...number[]];
  const out = grid.shape.slice(1, -1);
  const flat = input.reshape([n, c, numelOf(sizes)]);
  const rows = grid.reshape([n, numelOf(out), sizes.length]);
  // Spatial dims in memory order: the grid's last entry belongs to the first.
  const places = sizes.map((length, d) => unnormalized(rows.select(2, sizes.length - 1 - d), length, align));
  let result: Tensor;
  if (mode === 'bicubic') result = bicubic(flat, sizes, places, paddingMode, align);
  else {
    const at = places.map((p, d) => inside(p, sizes[d]!, paddingMode, align));
    result =
      mode === 'nearest'
        ? read(
            flat,
            sizes,
            at.map((p) => p.detach().round()),
          ).add(at.reduce((sum, p) => sum.add(p.mul(0)), at[0]!.mul(0)).unsqueeze(1))
        : linearSample(flat, sizes, at);
  }
  return result.reshape([n, c, ...out]);
}

/** All corners around each place, weighted by how near it is. */
function linearSample(flat: Tensor, sizes: readonly number[], at: readonly Tensor[]): Tensor {
  const low = at.map((p) => p.detach().floor());
  const part = at.map((p, d) => p.sub(low[d]!));
  let sum: Tensor | null = null;
  for (let corner = 0; corner < 2 ** sizes.length; corner++) {
    const high = (d: number): boolean => ((corner >> d) & 1) === 1;
    const value = read(
      flat,
      sizes,
      low.map((l, d) => (high(d) ? l.add(1) : l)),
    );
    const weight = part.map((p, d) => (high(d) ? p : p.neg().add(1))).reduce((product, w) => product.mul(w));
    const term = value.mul(weight.unsqueeze(1));
    sum = sum === null ? term : sum.add(term);
  }
  return sum!;
}

function bicubic(flat: Tensor, sizes: readonly number[], places: readonly Tensor[], padding: GridPaddingMode, align: boolean): Tensor {
  const low = places.map((p) => p.detach().floor());
  const [wy, wx] = places.map((p, d) => cubicWeights(p.sub(low[d]!))) as [Tensor[], Tensor[]];
  let sum: Tensor | null = null;
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      const at = [i, j].map((k, d) => inside(low[d]!.add(k - 1), sizes[d]!, padding, align));
      const term = read(
        flat,
        sizes,
        at.map((p) => p.round()),
      ).mul(wy[i]!.mul(wx[j]!).unsqueeze(1));
      sum = sum === null ? term : sum.add(term);
    }
  }
  return sum!;
}
