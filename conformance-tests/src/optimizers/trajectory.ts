/** @file Steps of training: what optimizers and whole models have in common, and how far float32 may wander from PyTorch's path. */
import type { Tensor } from '@tessera/core';
import { Mismatch } from '../check/result.js';
import { flatTensors } from '../check/outputs.js';
import type { AnyModule } from '../modules/construct.js';

/** What the kit uses of an optimizer. PyTorch: optim.Optimizer. */
export interface AnyOptimizer {
  readonly paramGroups: readonly { lr: number }[];
  readonly state: ReadonlyMap<unknown, unknown>;
  step(closure?: () => Tensor): unknown;
  stepAsync?(closure?: () => Tensor): Promise<unknown>;
}

/** Losses and parameters after `steps` steps: rounding errors add up like a random walk. */
export const pathTolerance = (steps: number, optimizer?: string): { rtol: number; floorFactor: number } => ({
  rtol: optimizer === 'LBFGS' ? curvatureTolerance(steps) : 1e-5 * Math.max(1, Math.sqrt(steps)),
  floorFactor: 0,
});
export const PATH_FLOOR = 1e-6;

/**
 * A step of L-BFGS is up to twenty iterations, each of which divides by differences of nearly equal gradients: rounding grows by a factor. PyTorch's
 * own float32 path is as far from a float64 one as this allows: 2e-5 after one step, 1e-4 after two, 2e-2 after five, 6e-2 after twenty.
 */
const curvatureTolerance = (steps: number): number => Math.min(0.1, 3e-5 * 3 ** steps);

/** @throws Mismatch */
export function checkLoss(step: number, got: number, expected: number, optimizer?: string): void {
  const allowed = pathTolerance(step + 1, optimizer).rtol * Math.abs(expected) + PATH_FLOOR;
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
