/** @file What of linear algebra are methods too, and torch's own names of it. All of it is under `linalg`. */
import type { Tensor } from '../tensor/tensor.js';
import * as linalg from './linalg/index.js';

/** The determinants of square matrices. PyTorch: torch.det. */
export const det = (x: Tensor): Tensor => linalg.det(x);
/** The inverses of square matrices. PyTorch: torch.inverse. */
export const inverse = (x: Tensor): Tensor => linalg.inv(x);
/** Aⁿ. PyTorch: torch.matrix_power. */
export const matrixPower = (x: Tensor, n: number): Tensor => linalg.matrixPower(x, n);
