/** @file The command line: what it prints, and its exit codes. */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CpuBackend } from '@tessera/backend-cpu';
import { type Backend, BACKEND, CONTRACT_VERSION, type Plugin } from '@tessera/core';
import { describe, expect, it } from 'vitest';
import { main } from '../src/cli/main.js';
import { FAULTS } from './support/faults/index.js';

const pluginOf = (id: string, make: () => Backend): Plugin => ({
  name: id,
  version: '0.0.0',
  contract: CONTRACT_VERSION,
  register: ({ container }) =>
    void container.register(BACKEND, {
      useValue: { id, priority: 0, isAvailable: () => ({ available: true }), create: () => Object.assign(make(), { id }) },
    }),
});
const plugins = {
  sound: pluginOf('sound', () => new CpuBackend() as unknown as Backend),
  broken: pluginOf('broken', FAULTS['scatter ignores duplicates'].make),
};

async function run(...argv: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await main(argv, { program: 'conformance', plugins, write: (line) => lines.push(line) });
  return { code, lines };
}

describe('the command', () => {
  it('ends with the totals, and 0', async () => {
    const { code, lines } = await run('--device', 'sound', '--just', 'ops', '--only', 'abs');
    expect(lines.at(-1)).toMatch(/^\d+ passed, 0 failed, \d+ skipped$/);
    expect(code).toBe(0);
  });

  it('prints the command that runs a failing case alone, and ends with 1', async () => {
    const { code, lines } = await run('--device', 'broken', '--just', 'kernels', '--only', 'scatter/add/same-target');
    const again = lines.find((line) => line.includes('run it'))!.trim();
    expect(again).toMatch(/conformance --device broken --just kernels --only 'scatter\/add\/same-target'$/);
    expect(lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped');
    expect(code).toBe(1);
  });

  it('takes a set that has some kinds of data only', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tessera-set-'));
    await mkdir(path.join(folder, 'modules'));
    const shipped = new URL('../fixtures/modules/', import.meta.url);
    for (const file of ['ReLU.json.gz', 'ReLU.safetensors.gz', 'Tanh.json.gz'])
      await copyFile(new URL(file, shipped), path.join(folder, 'modules', file));
    const some = await run('--device', 'sound', '--fixtures', folder, '--only', 'ReLU');
    expect(some.lines.at(-1)).toMatch(/^\d+ passed, 0 failed, 0 skipped$/);
    expect(some.code).toBe(0);

    // Damaged data are one failure; the others run.
    await writeFile(path.join(folder, 'modules', 'Tanh.safetensors'), 'no tensors');
    const damaged = await run('--device', 'sound', '--fixtures', folder, '--just', 'modules');
    expect(damaged.lines.some((line) => line.startsWith('✗ Tanh/data (reference data): threw'))).toBe(true);
    expect(damaged.lines.at(-1)).toMatch(/^[1-9]\d* passed, 1 failed, 0 skipped$/);

    await rm(folder, { recursive: true });
    const none = await run('--device', 'sound', '--fixtures', folder);
    expect(none.code).toBe(2);
    expect(none.lines).toHaveLength(1);
    expect(none.lines[0]).toContain('there are no fixtures');
  });

  it('says in one line what is allowed', async () => {
    const unknown = await run('--device', 'nonesuch');
    expect(unknown).toEqual({ code: 2, lines: ["unknown device 'nonesuch': it must be cpu, wasm, webgpu, or come with --plugin NAME"] });
    const level = await run('--level', 'everything');
    expect(level.code).toBe(2);
    expect(level.lines).toHaveLength(1);
    expect(level.lines[0]).toContain('kernels, ops, modules, optimizers, training');
    expect((await run('--frobnicate')).lines).toHaveLength(1);
  });

  it('says in one line why a device does not start', async () => {
    const lines: string[] = [];
    const halves = {
      half: pluginOf('half', () => ({}) as Backend),
      torn: pluginOf('torn', () => {
        throw new RangeError('no GPU');
      }),
    };
    expect(await main(['--device', 'half'], { program: 'conformance', plugins: halves, write: (line) => lines.push(line) })).toBe(2);
    expect(await main(['--device', 'torn'], { program: 'conformance', plugins: halves, write: (line) => lines.push(line) })).toBe(2);
    expect(lines).toEqual([
      expect.stringContaining("backend 'half' is no whole backend: there is no allocate(); there is no free();"),
      "backend 'torn' does not start: no GPU",
    ]);
  });

  it('runs several devices, and writes what came of them', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'conformance-'));
    const { code, lines } = await run(
      '--device',
      'sound,broken',
      '--just',
      'kernels',
      '--only',
      'scatter/add/same-target',
      '--report',
      folder,
    );
    expect(lines.filter((line) => line.startsWith('device'))).toEqual([
      'device sound: 1 passed, 0 failed, 0 skipped',
      'device broken: 0 passed, 1 failed, 0 skipped',
    ]);
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped');
    expect(code).toBe(1);
    const cards = JSON.parse(await readFile(path.join(folder, 'scorecard.json'), 'utf8')) as { device: string }[];
    expect(cards.map(({ device }) => device)).toEqual(['sound', 'broken']);
    expect(await readFile(path.join(folder, 'scorecard.html'), 'utf8')).toContain('--device broken --just kernels');
    expect(await readFile(path.join(folder, 'scorecard.md'), 'utf8')).toContain('# Conformance of broken');
    await rm(folder, { recursive: true });
  });

  it('hands options on to the backend', async () => {
    const lines: string[] = [];
    let given: unknown;
    const plugin: Plugin = {
      ...plugins.sound,
      register: ({ container }) =>
        void container.register(BACKEND, {
          useValue: {
            id: 'tuned',
            priority: 0,
            isAvailable: () => ({ available: true }),
            create(options: unknown) {
              given = options;
              return Object.assign(new CpuBackend(), { id: 'tuned' }) as unknown as Backend;
            },
          },
        }),
    };
    const argv = ['--device', 'tuned', '--option', 'threads=2', '--option', 'mode=fast', '--just', 'ops', '--only', 'abs/sample/0'];
    expect(await main(argv, { program: 'conformance', plugins: { tuned: plugin }, write: (line) => lines.push(line) })).toBe(0);
    expect(given).toEqual({ threads: 2, mode: 'fast' });
  });

  it('ends with 1 where nothing fits the pattern', async () => {
    const { code, lines } = await run('--device', 'sound', '--just', 'ops', '--only', 'nonesuch');
    expect(code).toBe(1);
    expect(lines[0]).toContain("nothing fits --only 'nonesuch'");
  });
});
