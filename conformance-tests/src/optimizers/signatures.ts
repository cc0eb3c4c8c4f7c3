/** @file Constructors of schedulers, by the same rule as in ops/signatures. Optimizers take their parameters and options. */
export const SCHEDULERS: readonly string[] = [
  'StepLR(optimizer, stepSize, { gamma })',
  'MultiStepLR(optimizer, milestones, { gamma })',
  'ConstantLR(optimizer, { factor, totalIters })',
  'LinearLR(optimizer, { startFactor, endFactor, totalIters })',
  'ExponentialLR(optimizer, gamma)',
  'PolynomialLR(optimizer, { totalIters, power })',
  'CosineAnnealingLR(optimizer, tMax, { etaMin })',
  'CosineAnnealingWarmRestarts(optimizer, t0, { tMult, etaMin })',
  'CyclicLR(optimizer, baseLr, maxLr, { stepSizeUp, stepSizeDown, mode, gamma, scaleMode, cycleMomentum, baseMomentum, maxMomentum })',
  'OneCycleLR(optimizer, maxLr, { totalSteps, epochs, stepsPerEpoch, pctStart, annealStrategy, cycleMomentum, baseMomentum, maxMomentum, divFactor, finalDivFactor, threePhase })',
  'ReduceLROnPlateau(optimizer, { mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps })',
  'SequentialLR(optimizer, schedulers, milestones)',
];

/** PyTorch's names that camelCase does not give. */
export const RENAMED: Readonly<Record<string, string>> = { T_max: 't_max', T_0: 't0', T_mult: 't_mult' };
