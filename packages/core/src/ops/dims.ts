/** @file Views under other names, after other tensors, and with dims moved about. */
import { ShapeError, ValueError } from '../errors.js';
import { isExpandable, normalizeDims, numelOf, type Sizes } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { sumTo } from './sum-to.js';
import { matrixTranspose } from './transposes.js';
import { expand, permute, reshape, transpose, view } from './view.js';

const sizesOf = (sizes: Sizes): readonly number[] =>
  sizes.length === 1 && Array.isArray(sizes[0]) ? (sizes[0] as readonly number[]) : (sizes as readonly number[]);

/** Dims taken from `source` to `destination`, the others in order around them. PyTorch: torch.movedim. */
export function movedim(x: Tensor, source: number | readonly number[], destination: number | readonly number[]): Tensor {
  const from = typeof source === 'number' ? [source] : source;
  const to = typeof destination === 'number' ? [destination] : destination;
  if (from.length !== to.length) {
    throw new ValueError(
      'ERR_MOVEDIM',
      `movedim: Invalid source or destination dims: source (${from.join(', ')} dims) should contain the same number of dims as destination (${to.join(', ')} dims)`,
      { op: 'movedim' },
    );
  }
  const sources = normalizeDims(from, x.ndim, 'movedim');
  const places = normalizeDims(to, x.ndim, 'movedim');
  if (x.ndim === 0) return x;
  const order = new Array<number>(x.ndim).fill(-1);
  sources.forEach((d, i) => (order[places[i]!] = d));
  const rest = x.shape.map((_, d) => d).filter((d) => !sources.includes(d));
  let next = 0;
  return permute(
    x,
    order.map((d) => (d >= 0 ? d : rest[next++]!)),
  );
}
/** PyTorch: torch.moveaxis. */
export const moveaxis: typeof movedim = movedim;
/** Two dims exchanged. PyTorch: torch.swapaxes. */
export const swapaxes = (x: Tensor, axis0: number, axis1: number): Tensor => transpose(x, axis0, axis1);
/** PyTorch: torch.swapdims. */
export const swapdims = (x: Tensor, dim0: number, dim1: number): Tensor => transpose(x, dim0, dim1);

/** PyTorch: Tensor.expand_as. */
export const expandAs = (x: Tensor, other: Tensor): Tensor => expand(x, other.shape);
/** PyTorch: Tensor.view_as. */
export const viewAs = (x: Tensor, other: Tensor): Tensor => view(x, other.shape);
/** PyTorch: Tensor.reshape_as. */
export const reshapeAs = (x: Tensor, other: Tensor): Tensor => reshape(x, other.shape);
/** PyTorch: torch.broadcast_to. */
export const broadcastTo = (x: Tensor, size: readonly number[]): Tensor => expand(x, size);
/** All dims joined into one. PyTorch: torch.ravel. */
export const ravel = (x: Tensor): Tensor => reshape(x, [x.numel()]);
/** The last two dims exchanged: of real numbers, the conjugate transpose. PyTorch: torch.adjoint. */
export const adjoint = (x: Tensor): Tensor => matrixTranspose('adjoint', x);

/** Summed over the dims that broadcasting would stretch. PyTorch: Tensor.sum_to_size. @throws ShapeError `ERR_EXPAND`. */
export function sumToSize(x: Tensor, ...sizes: Sizes): Tensor {
  const shape = sizesOf(sizes);
  if (!isExpandable(shape, x.shape))
    throw new ShapeError('ERR_EXPAND', `sumToSize: size {[${shape.join(', ')}]} is not expandable to size {[${x.shape.join(', ')}]}.`, {
      op: 'sumToSize',
      shapes: [x.shape, shape],
    });
  if (shape.length === 0) return x.sum();
  const wide = !x.isFloatingPoint() && numelOf(shape) !== x.numel() ? cast(x, 'int32') : x;
  return sumTo(wide, shape);
}
