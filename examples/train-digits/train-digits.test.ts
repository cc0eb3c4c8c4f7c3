import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadPlugins, runtimes } from 'tessera';
import { main } from './cli.js';
import { type Options, parseOptions, pluginNames } from './options.js';
import { type Display, type Outcome, run } from './run.js';

const silent: Display = { print: () => {}, epochStarts: () => {}, step: () => {}, epochEnds: () => {} };

/** A plugin as a file: core is handed to it, so that it imports nothing. */
const MEAN_LAYER = `
export const plugin = {
  name: 'row-means', version: '1.0.0', contract: 1,
  register({ container, core }) {
    class RowMeans extends core.Module {
      static typeName = 'RowMeans';
      static signature = '';
      forward(x) { return x.mean([1, 2]); }
    }
    container.register(core.LAYER, { useValue: { name: 'RowMeans', module: RowMeans } });
  },
};
`;

describe('train-digits', () => {
  let out: string;
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), 'train-digits-'));
  });
  afterAll(() => rm(out, { recursive: true, force: true }));
  const defaults: Omit<Options, 'out'> = { device: 'cpu', epochs: 1, batchSize: 64, lr: 0.004, optimizer: 'adam', seed: 0 };
  const train = (more: Partial<Options>): Promise<Outcome> => run({ ...defaults, out, ...more }, silent);

  it('learns, gives the same numbers for the same seed, and leaves weights and a curve', { timeout: 300_000 }, async () => {
    const first = await train({});
    expect(first.losses).toHaveLength(23);
    expect(first.losses.at(-1)!).toBeLessThan(first.losses[0]! / 2);
    expect(first.accuracy).toBeGreaterThan(0.75);
    expect(await train({})).toEqual(first);
    // The same network as data: the same numbers.
    expect(await train({ model: join(import.meta.dirname, 'cnn.json') })).toEqual(first);
    expect((await readFile(join(out, 'loss.svg'), 'utf8')).startsWith('<svg')).toBe(true);
    expect((await readFile(join(out, 'weights.safetensors'))).length).toBeGreaterThan(4 * (16 * 9 + 32 * 16 * 9 + 1568 * 10));
  });

  it('stopped at any step and resumed, gives the same losses and the same accuracy, bit for bit', { timeout: 300_000 }, async () => {
    // A model that takes little time, and draws random numbers.
    const layers = [{ type: 'Flatten' }, { type: 'Dropout', args: [0.2] }, { type: 'Linear', args: [784, 10] }];
    const model = join(out, 'small.json');
    await writeFile(model, JSON.stringify({ format: 'tessera.model', version: 1, model: { type: 'Sequential', args: layers } }));
    const settings: Partial<Options> = { epochs: 3, batchSize: 480, model };
    const { losses, accuracy } = await train(settings);
    expect(losses).toHaveLength(9);
    // In an epoch; after its last step; and two stops in one run.
    for (const stops of [[1], [3], [2, 8]]) {
      const folder = join(out, `stopped-${stops.join('-')}`);
      for (const stop of stops) {
        const asked = new AbortController();
        let steps = stops.indexOf(stop) === 0 ? 0 : stops[0]!;
        const display: Display = { ...silent, step: () => void (++steps === stop && asked.abort()) };
        const resume = stops.indexOf(stop) === 0 ? {} : { resume: folder };
        await expect(run({ ...defaults, ...settings, ...resume, out: folder }, display, asked.signal)).rejects.toThrow(
          `after ${stop} steps`,
        );
      }
      // The options of the run are in the checkpoint.
      expect(await run({ ...defaults, out: folder, resume: true }, silent)).toMatchObject({ losses, accuracy });
    }
    // A run that has come to its end only tests again.
    expect(await run({ ...defaults, out: join(out, 'stopped-1'), resume: true }, silent)).toMatchObject({ losses, accuracy });
    await expect(run({ ...defaults, out, resume: join(out, 'stopped-1'), batchSize: 7, given: ['batchSize'] }, silent)).rejects.toThrow(
      /--resume '.*checkpoint.pt': it is of a run with --batch-size 480, not 7/,
    );
    await expect(run({ ...defaults, out, resume: join(out, 'nothing') }, silent)).rejects.toThrow(/there is no such checkpoint/);
    await expect(run({ ...defaults, out, resume: join(out, 'loss.svg') }, silent)).rejects.toThrow(/--resume '.*loss.svg': PyTorch file/);
  });

  it('builds models with layers of plugins, and says what it does not know', { timeout: 300_000 }, async () => {
    const plugin = join(out, 'mean-layer.mjs');
    await writeFile(plugin, MEAN_LAYER);
    const model = join(out, 'mean.json');
    const args = [{ type: 'RowMeans' }, { type: 'Linear', args: [28, 10] }];
    await writeFile(model, JSON.stringify({ format: 'tessera.model', version: 1, model: { type: 'Sequential', args } }));
    await expect(train({ model })).rejects.toThrow("model.args[0].type: there is no layer 'RowMeans'");
    for (const name of pluginNames(['--epochs', '1', '--plugin', plugin]))
      for (const one of await loadPlugins(name)) runtimes.current.use(one);
    expect((await train({ model })).losses).toHaveLength(23);
    await writeFile(model, '{');
    await expect(train({ model })).rejects.toThrow(/--model '.*mean.json'/);
    await expect(loadPlugins(join(out, 'nothing.mjs'))).rejects.toMatchObject({ code: 'ERR_PLUGIN' });
  });

  it.each([
    [['--epochs', '0'], 'whole number from 1'],
    [['--batch-size', 'many'], 'whole number from 1'],
    [['--lr', '-1'], 'number above 0'],
    [['--optimizer', 'magic'], 'adam, adamw, sgd'],
    [['--device', 'abacus'], 'auto, cpu'],
    [['--nonsense'], 'unknown option'],
    [['--optimiser', 'adam'], 'Did you mean --optimizer?'],
    [['--epoch', '1'], 'Did you mean --epochs?'],
    [['--devise', 'cpu'], 'Did you mean --device?'],
  ])('refuses %j with one line that says what is allowed', (argv, allowed) => {
    const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    expect(() => parseOptions(argv, ['cpu'])).toThrow(expect.objectContaining({ exitCode: 1 }));
    const text = write.mock.calls.map(([line]) => String(line)).join('');
    write.mockRestore();
    expect(text).toContain(allowed);
    expect(text.trim().split('\n')).toHaveLength(1);
  });

  describe('the command', () => {
    async function command(...argv: string[]): Promise<{ code: number; out: string; errors: string }> {
      const streams = { out: new PassThrough({ encoding: 'utf8' }), error: new PassThrough({ encoding: 'utf8' }) };
      const code = await main(argv, streams);
      const text = (stream: PassThrough): string => (stream.read() as string | null) ?? '';
      return { code, out: text(streams.out), errors: text(streams.error) };
    }

    it('without a terminal writes a line an epoch, and no bar', { timeout: 300_000 }, async () => {
      const { code, out: printed, errors } = await command('--device', 'wasm', '--epochs', '1', '--batch-size', '256', '--out', out);
      expect(code).toBe(0);
      expect(printed.match(/^epoch 1\/1 {2}loss [\d.]+ {2}accuracy [\d.]+ % {2}\d+ images\/s$/gm)).toHaveLength(1);
      // oxlint-disable-next-line no-control-regex -- what moves a terminal's cursor
      expect(printed).not.toMatch(/\r|\u001B/);
      expect(errors).toBe('');
    });

    it('--json gives one object, and all else goes to standard error', { timeout: 300_000 }, async () => {
      const run = await command('--device', 'wasm', '--epochs', '1', '--batch-size', '256', '--out', out, '--json');
      expect(run.code).toBe(0);
      expect(run.out.trim().split('\n')).toHaveLength(1);
      const result = JSON.parse(run.out) as Outcome & { readonly seconds: number };
      expect(result).toMatchObject({ device: 'wasm', steps: 6, losses: { length: 6 } });
      expect(result.seconds).toBeGreaterThan(0);
      expect(await readFile(result.weights)).toBeDefined();
      expect(run.errors).toContain('epoch 1/1');
    });

    it('ends with 1 where it fails, with one line', async () => {
      expect(await command('--device', 'cpu', '--model', join(out, 'nothing.json'), '--out', out)).toEqual({
        code: 1,
        out: '',
        errors: expect.stringMatching(/^error: .*nothing\.json.*\n$/) as unknown,
      });
      const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
      expect((await command('--epochs', '0')).code).toBe(2);
      write.mockRestore();
    });
  });
});
