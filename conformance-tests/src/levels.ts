/** @file The levels, and the suites of each. */
import type { FixtureSource } from './fixtures/index.js';
import { kernelSuites } from './kernels/suites.js';
import { moduleSuites } from './modules/suite.js';
import { opSuites } from './ops/suite.js';
import { optimizerSuites } from './optimizers/suite.js';
import { type Level, LEVELS, type Suite } from './suite.js';
import { digitsSuite } from './training/digits-suite.js';
import { seedSuites } from './training/seed-suite.js';

const SUITES: { readonly [L in Level]: (fixtures: FixtureSource) => Promise<Suite[]> } = {
  kernels: async () => kernelSuites(),
  ops: opSuites,
  modules: moduleSuites,
  optimizers: optimizerSuites,
  training: async (fixtures) => [...(await seedSuites(fixtures)), digitsSuite()],
};

/** All suites of the levels up to `level`, or of `levels` alone. */
export async function suitesOf(
  { level = 'training', levels }: { level?: Level; levels?: readonly Level[] },
  fixtures: FixtureSource,
): Promise<Suite[]> {
  const wanted = levels ?? LEVELS.slice(0, LEVELS.indexOf(level) + 1);
  const lists = await Promise.all(wanted.map((one) => SUITES[one](fixtures)));
  return lists.flat();
}
