/** @file Gradients of broadcast inputs: summed back to the shape that they had. PyTorch: sum_to_size. */
import type { DType } from '../tensor/dtype.js';
import { sameShape, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { sum } from './reduce.js';
import { reshape } from './view.js';

/** Sums `grad` over the dims in which `shape` was broadcast. */
export function sumTo(grad: Tensor, shape: Shape): Tensor {
  const from = grad.shape;
  if (sameShape(from, shape)) return grad;
  const lead = from.length - shape.length;
  const dims: number[] = [];
  for (let d = 0; d < from.length; d++) if (d < lead || (shape[d - lead] === 1 && from[d] !== 1)) dims.push(d);
  const total = dims.length > 0 ? sum(grad, dims, { keepdim: true }) : grad;
  return lead > 0 ? reshape(total, shape) : total;
}

/** The same, in the input's dtype. */
export function reduceGradient(grad: Tensor, shape: Shape, dtype: DType): Tensor {
  const g = sumTo(grad, shape);
  return g.dtype === dtype ? g : cast(g, dtype);
}
