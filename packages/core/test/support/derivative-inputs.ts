/** @file Inputs of the derivative checks: float64 leaves of fixed, irregular numbers, and the form of a case. */
import { type Tensor, tensor } from '../../src/index.js';
import { irregular } from './finite-differences.js';

/** A function and the leaves that it is differentiated by. */
export interface DerivativeCase {
  readonly fn: (...inputs: Tensor[]) => unknown;
  readonly inputs: () => Tensor[];
}

export type Numbers = 'any' | 'positive' | 'unit' | 'probability' | 'large';

/** Leaves with irregular numbers of a kind: none near another, nor near where a function has a corner. */
export function numbers(shape: readonly number[], seed: number, kind: Numbers): Tensor {
  const x = irregular(shape, seed).detach();
  const scaled =
    kind === 'any'
      ? x
      : kind === 'positive'
        ? x.abs().add(0.3)
        : kind === 'unit'
          ? x.div(2)
          : kind === 'probability'
            ? x.div(4).add(0.5)
            : x.abs().add(1.5);
  return scaled.clone().requiresGrad_();
}

/** A case with one leaf for each shape. */
export const on =
  (kind: Numbers) =>
  (shapes: readonly (readonly number[])[], fn: (...inputs: Tensor[]) => unknown): DerivativeCase => ({
    fn,
    inputs: () => shapes.map((shape, i) => numbers(shape, i + 1, kind)),
  });
export const any = on('any');
export const positive = on('positive');
export const large = on('large');

export const ints = (values: unknown): Tensor => tensor(values as number[], { dtype: 'int32' });
export const M = [2, 3] as const;
