/** @file How a runtime makes its generator, filled in by core's index: what draws no numbers does without PyTorch's recipes for them. */
import { NotSupportedError } from '../errors.js';
import type { Generator } from './generator.js';

export const generators: { make: () => Generator } = {
  make: () => {
    throw new NotSupportedError(
      'ERR_NO_GENERATOR',
      'this bundle has no random numbers yet: call manualSeed first, or import @tessera/core',
    );
  },
};
