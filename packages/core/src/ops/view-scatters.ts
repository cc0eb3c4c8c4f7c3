/** @file The reverse of views: a copy of a tensor with `src` in the place that the view would show. PyTorch: torch.select_scatter and its kin. */
import { noGrad } from '../autograd/mode.js';
import { ShapeError } from '../errors.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { zerosOf } from './fill.js';
import { OPS } from './registry.js';
import { attach, recording } from './result.js';
import { asStrided, clone, diagonal, select, slice } from './view.js';

function scattered(name: string, x: Tensor, src: Tensor, part: (x: Tensor) => Tensor): Tensor {
  const out = noGrad(() => {
    const copy = clone(x.detach());
    const place = part(copy);
    if (!sameShape(place.shape, src.shape)) {
      throw new ShapeError(
        'ERR_SCATTER_SHAPE',
        `${name}: expected src to have a size equal to the slice of self. src size = [${src.shape.join(', ')}], slice size = [${place.shape.join(', ')}]`,
        { op: name, shapes: [place.shape, src.shape] },
      );
    }
    place.copy_(src.detach());
    return copy;
  });
  if (recording(x, src)) {
    const { shape, dtype } = src;
    attach(out, `${name.charAt(0).toUpperCase()}${name.slice(1)}Backward0`, [x, src], (grad, node) => [
      node.needs(0) ? scattered(name, grad, zerosOf(grad, shape), part) : null,
      node.needs(1) ? cast(part(grad), dtype) : null,
    ]);
  }
  return out;
}

for (const name of ['selectScatter', 'sliceScatter', 'diagonalScatter', 'asStridedScatter'])
  OPS.set(name, { name, inputs: 2, differentiable: true });
/** `src` as the entry `index` of a dim. PyTorch: torch.select_scatter. */
export const selectScatter = (x: Tensor, src: Tensor, dim: number, index: number): Tensor =>
  scattered('selectScatter', x, src, (t) => select(t, dim, index));
/** `src` as the entries `start`, `start + step`, … before `end` of a dim. PyTorch: torch.slice_scatter. */
export const sliceScatter = (x: Tensor, src: Tensor, dim = 0, start: number | null = null, end: number | null = null, step = 1): Tensor =>
  scattered('sliceScatter', x, src, (t) => slice(t, dim, start, end, step));
/** `src` as a diagonal. PyTorch: torch.diagonal_scatter. */
export const diagonalScatter = (x: Tensor, src: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor =>
  scattered('diagonalScatter', x, src, (t) => diagonal(t, offset, dim1, dim2));
/** `src` where `asStrided` would look. PyTorch: torch.as_strided_scatter. */
export const asStridedScatter = (x: Tensor, src: Tensor, size: readonly number[], stride: readonly number[], storageOffset = 0): Tensor =>
  scattered('asStridedScatter', x, src, (t) => asStrided(t, size, stride, storageOffset));
