/** @file Linear algebra by torch.linalg's names. What one matrix is to these functions, batches of them may be: (…, n, n). */
export { cholesky, type CholeskyOptions } from './cholesky.js';
export { matrixNorm, type MatrixNormOptions, type MatrixNormOrder } from './matrix-norm.js';
export { norm, vectorNorm, type VectorNormOptions } from './norm.js';
export { cross, matrixPower, multiDot } from './products.js';
export { svdvals } from './singular-values.js';
export { det, inv, solve, type SolveOptions } from './solve.js';
