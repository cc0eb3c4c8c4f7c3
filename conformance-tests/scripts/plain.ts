/** @file The plain backend of core's own tests, as a plugin for the CLI, while there is no other. */
import { plainPlugin } from '../../packages/core/test/support/plain-backend.js';

export const plugin = plainPlugin();
