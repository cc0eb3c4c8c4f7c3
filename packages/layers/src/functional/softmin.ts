/** @file softmin. */
import { checkOptions, type OptionNames, softmax, type SoftmaxOptions, type Tensor } from '@tessera/core';

const SOFTMAX_OPTIONS: OptionNames<SoftmaxOptions> = { dtype: true };

/** softmax of −x along a dim. PyTorch: F.softmin. */
export const softmin = (x: Tensor, dim: number, options: SoftmaxOptions = {}): Tensor => {
  const { dtype } = checkOptions('softmin', options, SOFTMAX_OPTIONS);
  return softmax((dtype === undefined ? x : x.to(dtype)).neg(), dim);
};
