/** @file What `npm run bench` writes: a page that stands alone, with a plot for each family and case, and the same figures as Markdown. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { htmlPage, markdownPage, type Report } from '../benchmarks/report/page.mjs';

const sizes = [64, 128, 256];
const report: Report = {
  command: 'npm run bench -- --lib a,<b>',
  machine: {
    date: '2026-11-25T21:00:00.000Z',
    cpu: 'A & B',
    cores: 2,
    memoryGiB: 8,
    system: 'Linux',
    load: [0.1, 0.2, 0.3],
    node: '20.20.2',
    v8: '11.3',
    versions: { tessera: '0.1.0' },
  },
  settings: { seconds: 0.4, rounds: 2, limit: 120 },
  libs: ['tessera-cpu', '<b>'],
  cases: ['mlp_train', 'conv', ...sizes.map((n) => `matmul_${n}`)],
  rows: [
    ...sizes.map((n) => ({ lib: 'tessera-cpu', case: `matmul_${n}`, status: 'ok' as const, value: n / 10, unit: 'ms' })),
    { lib: '<b>', case: 'matmul_64', status: 'ok', value: 5000, unit: 'ms' },
    { lib: '<b>', case: 'matmul_128', status: 'skip' },
    { lib: 'tessera-cpu', case: 'mlp_train', status: 'ok', value: 20, unit: 'steps/s' },
    { lib: 'tessera-cpu', case: 'mlp_train', status: 'ok', value: 25, unit: 'steps/s' },
    { lib: '<b>', case: 'mlp_train', status: 'ok', value: 5, unit: 'steps/s' },
    { lib: 'tessera-cpu', case: 'conv', status: 'wrong', value: 1, unit: 'ms' },
    { lib: '<b>', case: 'conv', status: 'unsupported' },
  ],
};

describe('the page', () => {
  const html = htmlPage(report);

  it('asks no server for anything, and its policy forbids it', () => {
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(html).not.toMatch(/https?:|<script|<link|@import|url\(|src="/);
  });

  it('names machine, versions, date and command', () => {
    for (const text of ['2026-11-25 21:00 UTC', 'A &amp; B, 2 cores, 8 GiB', 'tessera 0.1.0', 'npm run bench -- --lib a,&lt;b&gt;'])
      expect(html).toContain(text);
    expect(html).not.toContain('<b>');
  });

  it('plots time over size: a mark for each size that was run', () => {
    const chart = /<svg[^>]*aria-label="Product of two n×n matrices[^]*?<\/svg>/.exec(html)![0];
    expect(chart.match(/<title>tessera-cpu, n \d+: [\d.]+ ms<\/title>/g)).toHaveLength(3);
    expect(chart.match(/<title>&lt;b&gt;, n 64: 5\.00e\+3 ms<\/title>/g)).toHaveLength(1);
    expect(chart).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws rates as times, and no bar for what is wrong', () => {
    const bars = /<svg[^>]*aria-label="mlp_train"[^]*?<\/svg>/.exec(html)![0];
    const [own, other] = [...bars.matchAll(/width="([\d.]+)" height/g)].map(([, width]) => Number(width));
    expect(own).toBeLessThan(other!);
    expect(bars).toContain('25.0 steps/s');
    expect(html).not.toContain('aria-label="conv"');
  });
});

it('the Markdown page has the best of all rounds, and ratios to the first library', () => {
  expect(markdownPage(report)).toContain('| mlp_train | steps/s | 25.0 | 5.00 (5.00) |');
  expect(markdownPage(report)).toMatch(/\| conv \| ms \| 1\.00 wrong \| – \|/);
});

describe('the command', () => {
  const run = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, '../benchmarks/report.mjs'), ...args]);

  it('refuses what it does not know, with exit code 2', async () => {
    for (const [args, says] of [
      [['--lib', 'keras'], /unknown: keras/],
      [['--fast'], /'--fast'/],
      [['--rounds', 'many'], /--rounds takes a number above 0, not 'many'/],
    ] as const)
      await expect(run(...args)).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(says) as unknown });
  });

  // It times what was built: `npm test` builds before.
  const built = existsSync(join(import.meta.dirname, '../packages/tessera/dist/index.js'));
  it.skipIf(!built)('writes all three, and each result was right', async () => {
    const out = await mkdtemp(join(tmpdir(), 'tessera-bench-'));
    try {
      await run('--lib', 'tessera-cpu', '--case', 'matmul_64,tiny_add', '--seconds', '0.05', '--rounds', '1', '--out', out);
      const { rows, machine } = JSON.parse(await readFile(join(out, 'bench.json'), 'utf8')) as Report;
      expect(rows.map(({ lib, case: name, status }) => [lib, name, status])).toEqual([
        ['tessera-cpu', 'matmul_64', 'ok'],
        ['tessera-cpu', 'tiny_add', 'ok'],
      ]);
      expect(machine.versions['tessera']).toMatch(/^0\./);
      expect(await readFile(join(out, 'bench.html'), 'utf8')).toContain('Product of two');
      expect(await readFile(join(out, 'bench.md'), 'utf8')).toContain('| tiny_add | us/op |');
    } finally {
      await rm(out, { recursive: true });
    }
  });
});
