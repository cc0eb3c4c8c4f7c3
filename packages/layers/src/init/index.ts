/** @file nn.init: how weights begin. PyTorch: torch.nn.init. */
export { calculateFans, calculateGain, type FanMode, type Nonlinearity } from './fan.js';
export { constant_, dirac_, eye_, type InitOptions, normal_, ones_, uniform_, zeros_ } from './fill.js';
export { orthogonal_, sparse_, truncNormal_ } from './drawn.js';
export { kaimingNormal_, type KaimingOptions, kaimingUniform_, xavierNormal_, xavierUniform_ } from './scaled.js';
export * from './python-names.js';
