/** @file First and second derivatives of every differentiable op against finite differences, in float64. An op without a case fails here. */
import { beforeAll, describe, expect, it } from 'vitest';
import { gradcheck, gradgradcheck, OPS, runtimes } from '../src/index.js';
import { derivativeCases, VIEWS } from './support/derivative-cases.js';
import type { DerivativeCase } from './support/derivative-inputs.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

function check({ fn, inputs }: DerivativeCase): void {
  expect(gradcheck(fn, inputs())).toBe(true);
  expect(gradgradcheck(fn, inputs())).toBe(true);
}

const differentiable = [...OPS.values()].filter((op) => op.differentiable);

it('every differentiable op has a case', () => {
  expect(differentiable.filter((op) => derivativeCases(op.name, op.inputs) === null).map((op) => op.name)).toEqual([]);
});

describe('the derivatives of', () => {
  it.each(differentiable.map((op) => [op.name, op] as const))('%s', (_name, op) => {
    for (const one of derivativeCases(op.name, op.inputs) ?? []) check(one);
  });

  it.each(Object.entries(VIEWS))('%s', (_name, one) => check(one));
});
