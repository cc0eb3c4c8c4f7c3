/** @file Two backends on the same random programs: the same backend agrees with itself, and a wrong one is caught with a case of a few lines. */
import { CpuBackend } from '@tessera/backend-cpu';
import type { Backend } from '@tessera/core';
import { describe, expect, it } from 'vitest';
import { againstLines, type AgainstReport, compareBackends } from '../src/index.js';
import { alter, withKernels } from './support/faults/fault.js';
import { FAULTS } from './support/faults/index.js';

const sound = (): Backend => new CpuBackend() as unknown as Backend;
const compare = (make: () => Backend, runs: number): Promise<AgainstReport> =>
  compareBackends({ create: make }, { create: sound }, { runs });
const linesOf = (report: AgainstReport, kind: string): readonly string[] =>
  report.disagreements.find((one) => one.kind === kind)?.lines ?? [];

describe('compareBackends', () => {
  it('finds nothing where there is nothing', async () => {
    const report = await compare(sound, 60);
    expect(againstLines(report)).toEqual([
      expect.stringMatching(/agree on pointwise programs, views, models with their gradients, training runs/),
    ]);
    expect(report.disagreements).toEqual([]);
  });

  it.each(['an offset is lost', 'a negative stride is taken as positive', 'only the first output is written'])(
    'shrinks a program to a few lines: %s',
    async (fault) => {
      const report = await compare(FAULTS[fault].make, 100);
      const lines = linesOf(report, 'pointwise programs');
      expect(lines.length).toBeGreaterThan(0);
      const instructions = lines[0].split('\n').filter((line) => /^%\d+ = /.test(line));
      expect(instructions.length, lines[0]).toBeLessThanOrEqual(2);
      // Of at most a few elements.
      expect(lines.filter((line) => /^x\d+: /.test(line)).length).toBeLessThanOrEqual(2);
      const [, shape] = /\((\d+(?:x\d+)*)\)/.exec(lines[1])!;
      expect(shape.split('x').reduce((a, b) => a * Number(b), 1)).toBeLessThanOrEqual(33);
    },
  );

  it('finds a wrong gradient, and the smallest model that has it', async () => {
    const make = withKernels(({ layerNormGrad }, backend) => ({
      layerNormGrad: (...args: Parameters<NonNullable<typeof layerNormGrad>>) => {
        const done = layerNormGrad!(...args);
        const gradWeight = args[6];
        if (done && gradWeight !== null) alter(backend, gradWeight, (x) => 1.01 * x);
        return done;
      },
    }));
    const report = await compare(make, 100);
    const lines = linesOf(report, 'models with their gradients');
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/^LayerNorm\(\d+\)$/);
    expect(report.disagreements.find(({ kind }) => kind === 'models with their gradients')!.message).toMatch(/^gradient of 0\.weight/);
  });
});
