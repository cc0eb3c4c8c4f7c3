/** @file nn.utils.parametrizations. PyTorch: torch.nn.utils.parametrizations. */
export { orthogonal, type OrthogonalMap, type OrthogonalOptions } from './orthogonal.js';
export { spectralNorm, type SpectralNormOptions } from './spectral-norm.js';
export { weightNorm } from './weight-norm.js';
