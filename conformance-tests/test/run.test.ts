/** @file Running the suite: selection, the scorecard, and `conform` under a runner. */
import { cpuPlugin } from '@tessera/backend-cpu';
import { describe, expect, it } from 'vitest';
import { conform, markdownOf, runConformance, summaryOf } from '../src/index.js';

const options = { plugin: cpuPlugin, device: 'cpu' } as const;

describe('runConformance', () => {
  it('runs one case, an op with its variants, or what fits a pattern', async () => {
    const one = await runConformance({ ...options, levels: ['ops'], only: 'add/sample/0' });
    expect(one).toMatchObject({ device: 'cpu', passed: 1, failed: 0, skipped: 0 });
    const variants = await runConformance({ ...options, levels: ['ops'], only: 'norm.fro,norm.inf' });
    expect(variants.rows.map(({ name }) => name)).toEqual(['norm.fro', 'norm.inf']);
    const parts = await runConformance({
      ...options,
      levels: ['ops', 'modules'],
      only: 'nn.logSoftmax,logsoftmax/,F.log_softmax',
      sample: true,
    });
    expect(parts.rows.map(({ name }) => name)).toEqual([
      'log_softmax',
      'log_softmax.with_dtype',
      'AdaptiveLogSoftmaxWithLoss',
      'LogSoftmax',
    ]);
    const alone = await runConformance({ ...options, levels: ['ops'], only: 'T/', sample: true });
    expect(alone.rows.map(({ name }) => name)).toEqual(['T']);
    const pattern = await runConformance({ ...options, levels: ['ops'], only: 'sq*' });
    expect(pattern.rows.map(({ name }) => name)).toEqual(['sqrt', 'square', 'squeeze', 'squeeze.multiple', 'squeeze_copy']);
  });

  it('gives the same scorecard twice', async () => {
    const run = (): ReturnType<typeof runConformance> => runConformance({ ...options, levels: ['ops'], only: 'relu,dropout,sort' });
    expect(JSON.stringify(await run())).toBe(JSON.stringify(await run()));
  });

  it('lists what is not supported, with its reason, and never drops it', async () => {
    const card = await runConformance({ ...options, levels: ['ops'], only: 'cat' });
    const [row] = card.rows;
    expect(row.skips).toContainEqual({ kind: 'scope', reason: 'there is no out= argument here', cases: expect.any(Number) as number });
    expect(row.skipped).toBe(row.skips.reduce((sum, { cases }) => sum + cases, 0));
    expect(markdownOf(card)).toContain('| cat |');
    expect(summaryOf(card)).toBe(`${card.passed} passed, ${card.failed} failed, ${card.skipped} skipped`);
  });
});

/** What a runner was given to run. */
const declared: { path: string; body: () => Promise<void> }[] = [];
const path: string[] = [];
const recorder = {
  describe(name: string, body: () => void): void {
    path.push(name);
    body();
    path.pop();
  },
  it: (name: string, body: () => Promise<void>): void => void declared.push({ path: [...path, name].join(' > '), body }),
};
await conform({ ...options, test: recorder, levels: ['ops'], only: 'abs' });

describe('conform', () => {
  it('declares a test for each op under its level', async () => {
    expect(declared.map((test) => test.path)).toEqual(['conformance of cpu > ops > abs']);
    await declared[0].body();
  });

  it('declares no empty run for a name that nothing has', async () => {
    await expect(conform({ ...options, test: recorder, levels: ['ops'], only: 'ads' })).rejects.toMatchObject({
      code: 'ERR_CONFORMANCE_ONLY',
      message: expect.stringMatching(/only 'ads' fits nothing of the \d+ ops\. Did you mean '\w+'\?/) as string,
    });
    expect(declared).toHaveLength(1);
  });
});

// And under a real one.
await conform({ ...options, test: { describe, it }, levels: ['kernels'], only: 'memory' });
