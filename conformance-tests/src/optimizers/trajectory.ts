/** @file Steps of training: what optimizers and whole models have in common, and how far float32 may wander from PyTorch's path. */
import type { Tensor } from '@tessera/core';
import { Mismatch } from '../check/result.js';
import { flatTensors } from '../check/outputs.js';
import type { AnyModule } from '../modules/construct.js';

/** What the kit uses of an optimizer. PyTorch: optim.Optimizer. */
export interface AnyOptimizer {
  readonly paramGroups: readonly { lr: number }[];
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly state: ReadonlyMap<unknown, unknown>;
  stateDict(): { readonly state: Readonly<Record<number, Readonly<Record<string, unknown>>>> };
  loadStateDictAsync(saved: unknown): Promise<void>;
  step(closure?: () => Tensor): unknown;
  stepAsync?(closure?: () => Tensor): Promise<unknown>;
}

/** What may differ after so many steps. */
export type PathTolerance = (steps: number) => { readonly rtol: number; readonly floorFactor: number };

/** Losses and parameters after `steps` steps: rounding errors add up like a random walk. */
export const pathTolerance: PathTolerance = (steps) => ({ rtol: 1e-5 * Math.max(1, Math.sqrt(steps)), floorFactor: 0 });

/**
 * The same for quasi-Newton methods, whose step takes 20 iterations that go by differences of nearly equal gradients, and so multiply rounding
 * errors: on such networks a float32 path and its float64 twin lie 1e-5 apart after 3 steps, 1e-2 after 5 to 10, and part after that. Where a path
 * is more sensitive still, see drift.ts.
 */
export const quasiNewtonTolerance: PathTolerance = (steps) => ({ rtol: 1e-4 * steps * steps, floorFactor: 10 });
export const PATH_FLOOR = 1e-6;

/** @throws Mismatch */
export function checkLoss(step: number, got: number, expected: number, tolerance: PathTolerance = pathTolerance, drift = 0): void {
  const { rtol, floorFactor } = tolerance(step + 1);
  const allowed = rtol * Math.abs(expected) + floorFactor * drift + PATH_FLOOR;
  if (!(Math.abs(got - expected) <= allowed))
    throw new Mismatch(`loss before step ${step + 1}: ${got}, expected ${expected} (allowed ${allowed.toExponential(2)})`);
}

/** Gives gradients back at once: nothing disposes of those that an optimizer's `zeroGrad` only forgets. */
export function dropGradients(module: AnyModule): void {
  for (const [, parameter] of module.namedParameters()) {
    parameter.grad?.dispose();
    parameter.grad = null;
  }
}

/** Gives back what an optimizer keeps. */
export function disposeOptimizer({ state }: AnyOptimizer): void {
  for (const entry of state.values()) for (const tensor of flatTensors(entry)) tensor.dispose();
}
