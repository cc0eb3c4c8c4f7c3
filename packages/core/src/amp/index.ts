/** @file Mixed precision, by torch.amp's names. */
export { autocast, type AutocastOptions, type AutocastRegion, enterAutocast, getAutocastDtype, isAutocastEnabled } from './autocast.js';
export { GradScaler, type GradScalerOptions, type GradScalerState, type ScaledOptimizer } from './grad-scaler.js';
export { clearAutocastCache } from './policy.js';
export { type HalfDType } from './state.js';
