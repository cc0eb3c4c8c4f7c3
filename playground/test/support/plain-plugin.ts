/** @file The module that a third party would publish: core's plain backend as a plugin. */
import { plainPlugin } from '../../../packages/core/test/support/plain-backend.js';

export const plain = plainPlugin();
