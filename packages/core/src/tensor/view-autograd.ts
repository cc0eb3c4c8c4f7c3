/** @file The history of a view whose base was written to: the view, taken again from what the base is now. */
import { GradNode } from '../autograd/node.js';
import type { Tensor } from './tensor.js';

type Gradient = (x: Tensor, shape: readonly number[], strides: readonly number[], offset: number) => (grad: Tensor) => Tensor;
let asStridedGradient: Gradient | null = null;

/** Filled in by ops/view.ts, which imports tensors. */
export function provideViewGradient(given: Gradient): void {
  asStridedGradient = given;
}

export function viewGradient(base: Tensor, view: Tensor): GradNode {
  const rule = asStridedGradient!(base, view.shape, view.stride(), view.offset);
  return new GradNode('AsStridedBackward0', (grad) => [rule(grad)], [base.gradFn ?? base.accumulator()]);
}
