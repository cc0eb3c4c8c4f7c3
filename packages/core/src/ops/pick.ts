/** @file How ops end that give values together with their places along a dim: the values are picked there, and so are gradients. */
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue } from '../tensor/value.js';
import { zerosOf } from './fill.js';
import { gather, scatterAdd } from './gather.js';
import { attach, recording, wrap } from './result.js';
import { reshape, squeeze, unsqueeze } from './view.js';

/** The name of an op's node, as PyTorch prints it. */
export const nodeName = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}Backward0`;

/** The elements that `indices` (with size 1 at `dim`) pick along a dim. */
export function pickAlong(name: string, x: Tensor, dim: number, indices: Tensor, keepdim: boolean): [values: Tensor, indices: Tensor] {
  if (x.ndim === 0) {
    const same = wrap(castValue(x.value, x.dtype));
    if (recording(x)) attach(same, nodeName(name), [x], (grad) => [grad]);
    return [same, reshape(indices, [])];
  }
  const drop = (t: Tensor): Tensor => (keepdim ? t : wrap(squeeze(t, dim).value));
  const values = drop(gather(x.detach(), dim, indices));
  if (recording(x)) {
    const from = x.shape;
    attach(values, nodeName(name), [x], (grad, node) => [scatterInto(grad, from, dim, node.saved(0), keepdim)]).save(indices);
  }
  return [values, drop(indices)];
}

/** Zeros of shape `from` with gradients at the places that they came from. */
const scatterInto = (grad: Tensor, from: Shape, dim: number, indices: Tensor, keepdim: boolean): Tensor =>
  scatterAdd(zerosOf(grad, from), dim, indices, keepdim ? grad : unsqueeze(grad, dim));
