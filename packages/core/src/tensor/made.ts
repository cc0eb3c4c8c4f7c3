/** @file Who is told of each tensor that is made: nobody, unless tensors are tracked. In a file of its own, since tensors ask it. */
import type { Tensor } from './tensor.js';

export const made: { listener: ((t: Tensor) => void) | null } = { listener: null };
