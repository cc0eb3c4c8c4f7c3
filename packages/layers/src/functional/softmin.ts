/** @file softmin. */
import { softmax, type SoftmaxOptions, type Tensor } from '@tessera/core';

/** softmax of −x along a dim. PyTorch: F.softmin. */
export const softmin = (x: Tensor, dim: number, options: SoftmaxOptions = {}): Tensor =>
  softmax((options.dtype === undefined ? x : x.to(options.dtype)).neg(), dim);
