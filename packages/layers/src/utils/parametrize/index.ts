/** @file nn.utils.parametrize. PyTorch: torch.nn.utils.parametrize. */
export { cached } from './cached.js';
export { type Parametrization, ParametrizationList } from './parametrization-list.js';
export { isParametrized, registerParametrization, removeParametrizations, typeBeforeParametrizations } from './parametrize.js';
