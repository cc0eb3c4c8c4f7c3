/** @file The kit finds faults: each of the backends that are wrong on purpose fails, on the case that is about its fault. */
import { CpuBackend } from '@tessera/backend-cpu';
import type { Backend } from '@tessera/core';
import { describe, expect, it } from 'vitest';
import { type ConformanceOptions, type FailedCase, runConformance, type Scorecard } from '../src/index.js';
import { faultsPage } from './support/faults-page.js';
import { FAULTS } from './support/faults/index.js';

const run = (create: () => Backend, only: string, levels: ConformanceOptions['levels'] = ['kernels']): Promise<Scorecard> =>
  runConformance({ create, levels, only });
const failuresOf = (card: Scorecard): string[] => card.rows.flatMap((row) => row.failures.map(({ id }) => id));

/** What the kit says of each fault, in the case that is about it. */
const caught = new Map<string, FailedCase>();

async function catchFault(fault: string): Promise<FailedCase> {
  const { caughtBy, make } = FAULTS[fault];
  const failures = (await run(make, caughtBy)).rows.flatMap((row) => row.failures);
  // It must be the fault that is found, not a slip in how it was made.
  for (const { message } of failures) expect(message).not.toMatch(/^threw (Type|Reference|Syntax)Error/);
  const failure = failures.find(({ id }) => id === caughtBy);
  expect(failure, `${caughtBy} passed`).toBeDefined();
  return failure!;
}

describe('the kernels level', () => {
  it.each(Object.keys(FAULTS))('finds it: %s', async (fault) => {
    const failure = await catchFault(fault);
    expect(failure.id).toBe(FAULTS[fault].caughtBy);
    caught.set(fault, failure);
  });

  it('docs/conformance-faults.md lists them all (else: npm run docs:faults)', async () => {
    for (const fault of Object.keys(FAULTS)) if (!caught.has(fault)) caught.set(fault, await catchFault(fault));
    await expect(faultsPage(FAULTS, caught)).toMatchFileSnapshot('../../docs/conformance-faults.md');
  });

  it('finds none of them in the sound backend', async () => {
    const cases = [...new Set(Object.values(FAULTS).map(({ caughtBy }) => caughtBy))];
    const card = await run(() => new CpuBackend() as unknown as Backend, cases.join(','));
    expect(failuresOf(card)).toEqual([]);
    expect(card.passed).toBe(cases.length);
  });
});

describe('the ops level', () => {
  it('finds a wrong value, and says which call and what came out', async () => {
    const card = await run(FAULTS['scatter ignores duplicates'].make, 'scatter_add', ['ops']);
    const [failure] = card.rows[0].failures;
    expect(failure).toMatchObject({
      id: expect.stringMatching(/^scatter_add\//) as string,
      stage: expect.any(String) as string,
      inputs: expect.stringContaining('scatter') as string,
    });
    expect(failure.expected).toMatch(/^float32|^int32/);
    expect(failure.got).toMatch(/^float32|^int32/);
  });

  it('finds a leak, and says where it was allocated', async () => {
    const messageOf = async (fault: string): Promise<string> =>
      (await run(FAULTS[fault].make, 'abs/sample/0', ['ops'])).rows[0].failures[0].message;
    const scratch = await messageOf('a kernel keeps its scratch');
    expect(scratch).toMatch(/leak: \d+ buffers? left after the case/);
    expect(scratch).toMatch(/float32\[8\] at .*pointwise/);
    expect(await messageOf('free gives nothing back')).toMatch(/all of them were freed, and stayed on the backend’s account/);
  });
});
