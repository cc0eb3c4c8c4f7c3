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
      "device 'torn' does not start: no GPU",
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

  it('refuses a name that nothing has, with what was meant, before anything is started', async () => {
    const line = async (...argv: string[]): Promise<string> => {
      const { code, lines } = await run('--device', 'sound', ...argv);
      expect(code).toBe(2);
      expect(lines).toHaveLength(1);
      return lines[0];
    };
    expect(await line('--only', 'sofmax')).toMatch(
      /^error: --only 'sofmax' fits nothing of the \d+ kernels, .*\. Did you mean 'softmax'\?$/,
    );
    expect(await line('--only', 'add,conv_2d_transposed')).toContain("'conv_2d_transposed' fits nothing");
    expect(await line('--just', 'ops', '--only', 'qqqqqqqqq')).toMatch(/fits nothing of the \d+ ops; --list shows the names$/);
    expect(await line('--just', 'ops', '--only', 'Softmax2d')).toContain('it is at level modules');
    expect(await line('--just', 'ops', '--only', 'abs/sample/999')).toContain("--only 'abs/sample/999' fits no case");
    expect(await line('--only', ' ,')).toContain('names nothing');
  });

  it('lists names', async () => {
    const { code, lines } = await run('--device', 'sound', '--list', '--only', 'softmax');
    expect(code).toBe(0);
    const names = lines.map((line) => line.split(/ +/)[1]);
    expect(names).toEqual(expect.arrayContaining(['softmax', 'log_softmax', 'nn.Softmax', 'nn.LogSoftmax']));
    expect(names).not.toContain('nn.Softmin');
    expect((await run('--list')).lines.length).toBeGreaterThan(700);
  });

  it('prints progress: each suite as it ends, and which of how many it is', async () => {
    const argv = ['--device', 'sound', '--just', 'kernels', '--only', 'scan,sort'];
    const { lines } = await run(...argv);
    expect(lines).toEqual([
      expect.stringMatching(/^✓ 1\/2 kernels scan: \d+ passed, 0 failed, 0 skipped$/),
      expect.stringMatching(/^✓ 2\/2 kernels sort: /),
      expect.stringMatching(/^\d+ passed, 0 failed, 0 skipped$/),
    ]);
    expect((await run(...argv, '--quiet')).lines).toEqual(lines.slice(-1));
  });

  it('prints JSON alone with --json, the rest beside it', async () => {
    const out: string[] = [];
    const aside: string[] = [];
    const argv = ['--device', 'broken', '--just', 'kernels', '--only', 'scatter/add', '--json'];
    const context = {
      program: 'c',
      plugins,
      write: (line: string) => void out.push(line),
      writeAside: (line: string) => void aside.push(line),
    };
    expect(await main(argv, context)).toBe(1);
    const card = JSON.parse(out.join('\n')) as { device: string; failed: number };
    expect(card.device).toBe('broken');
    expect(card.failed).toBeGreaterThan(0);
    expect(aside.at(-1)).toMatch(/passed, \d+ failed/);
    // What follows --json is not written over.
    expect(await run('--json', './my-backend.js')).toMatchObject({ code: 2, lines: [expect.stringContaining('It must end in .json')] });
  });

  it('tells in one line what is wrong with a plugin or a device', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tessera-plugins-'));
    const plugin = async (name: string, source: string): Promise<string> => {
      const file = path.join(folder, `${name}.mjs`);
      await writeFile(file, source);
      return file;
    };
    const backend = (contract: number, available: string): string => `export const plugin = {
      name: 'odd', version: '1.0.0', contract: ${contract},
      register: ({ container, core }) => container.register(core.BACKEND, {
        useValue: { id: 'odd', priority: 0, isAvailable: () => (${available}), create: () => { throw new Error('no card') } },
      }),
    };`;
    const cases: readonly (readonly [file: string, line: string | RegExp])[] = [
      [path.join(folder, 'none.mjs'), /^plugin '.*none.mjs' does not load: Cannot find module/],
      [await plugin('throws', "throw new Error('boom')"), /^plugin '.*throws.mjs' does not load: boom$/],
      [
        await plugin('empty', 'export const x = 1'),
        /^plugin .* exports no plugin \({ name, version, contract, register }\): it exports x$/,
      ],
      [await plugin('later', backend(99, '{ available: true }')), "plugin 'odd' was written for contract version 99; this core speaks 1"],
      [await plugin('absent', backend(1, "{ available: false, reason: 'no card' }")), "backend 'odd' cannot run here: no card"],
      [await plugin('broken', backend(1, '{ available: true }')), "device 'odd' does not start: no card"],
    ];
    for (const [file, line] of cases)
      expect(await run(file, '--only', 'abs/')).toEqual({
        code: 2,
        lines: [typeof line === 'string' ? line : expect.stringMatching(line)],
      });
    await rm(folder, { recursive: true });
  });

  it('refuses what does not go together', async () => {
    expect(await run('--against', 'nonesuch')).toMatchObject({ code: 2, lines: [expect.stringContaining('it must be cpu, wasm, webgpu')] });
    expect(await run('--against', 'cpu', '--only', 'abs')).toMatchObject({
      code: 2,
      lines: [expect.stringContaining('cannot be used with')],
    });
    expect(await run('--runs', '3')).toMatchObject({ code: 2, lines: ['error: --runs and --seed go with --against'] });
    expect(await run('one', 'two')).toMatchObject({ code: 2, lines: [expect.stringContaining('too many arguments')] });
  });
});
