/** @file Choosing where to compute while a program runs: init, variables of the environment, moving in the middle of a training. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { deviceLines, deviceReports } from '../src/cli/devices.js';
import { main } from '../src/cli/main.js';
import {
  CONTRACT_VERSION,
  cpuPlugin,
  F,
  init,
  manualSeed,
  nn,
  optim,
  randn,
  Runtime,
  runtimes,
  tensor,
  type Tensor,
  wasmPlugin,
  withRuntime,
} from '../src/index.js';

afterEach(() => vi.unstubAllEnvs());

describe('init', () => {
  it('takes the best device that can run, and each that is named', async () => {
    const runtime = new Runtime().use(cpuPlugin).use(wasmPlugin);
    expect(runtime.backendIds).toEqual(['wasm', 'cpu']);
    expect((await runtime.init({ device: 'auto' })).id).toBe('wasm');
    expect((await runtime.init({ device: 'cpu' })).id).toBe('cpu');
    expect(runtime.defaultDevice.id).toBe('cpu');
    await runtime.dispose();
  });

  it('reads TESSERA_DEVICE where the program leaves the choice open', async () => {
    const outer = runtimes.current;
    runtimes.current = new Runtime().use(cpuPlugin).use(wasmPlugin);
    try {
      vi.stubEnv('TESSERA_DEVICE', 'cpu');
      expect((await init()).id).toBe('cpu');
      expect((await init({ device: 'auto' })).id).toBe('cpu');
      expect((await init({ device: 'wasm' })).id).toBe('wasm');
      vi.stubEnv('TESSERA_DEVICE', 'abacus');
      await expect(init()).rejects.toMatchObject({ code: 'ERR_DEVICE_UNKNOWN' });
      vi.stubEnv('TESSERA_DEVICE', '');
      vi.stubEnv('TESSERA_PLUGINS', 'no-such-plugin');
      await expect(init()).rejects.toMatchObject({ code: 'ERR_PLUGIN', message: expect.stringContaining('no-such-plugin') });
    } finally {
      await runtimes.current.dispose();
      runtimes.current = outer;
    }
  });
});

describe('two devices in one process', () => {
  beforeAll(async () => {
    await runtimes.current.start('wasm');
  });

  it('hold tensors side by side, which move by id, with their gradients', async () => {
    const a = tensor([1, 2, 3], { device: 'cpu', requiresGrad: true });
    const b = a.to('wasm');
    expect([a.device.id, b.device.id]).toEqual(['cpu', 'wasm']);
    expect(() => a.add(b)).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_MIX' }));
    b.mul(b).sum().backward();
    expect(a.grad!.device.id).toBe('cpu');
    expect(a.grad!.toArray()).toEqual([2, 4, 6]);
    expect((await b.toAsync('cpu')).toArray()).toEqual([1, 2, 3]);
  });

  it('says how to start a device that is not there yet', () => {
    const other = new Runtime().use(cpuPlugin).use(wasmPlugin);
    expect(() => withRuntime(other, () => tensor([1]).to('wasm'))).toThrow(
      expect.objectContaining({ code: 'ERR_DEVICE_NOT_STARTED', message: expect.stringContaining("init({ device: 'wasm' })") }),
    );
  });
});

/** Losses of a small network with batch norm; `moves` says at which step it goes where. */
async function train(
  make: (model: nn.Module) => optim.SGD | optim.Adam | optim.Adagrad,
  moves: Readonly<Record<number, string>> = {},
): Promise<number[]> {
  manualSeed(3);
  const inputs = randn([32, 12], { device: 'cpu' });
  const labels = inputs.narrow(1, 0, 4).argmax(1);
  const model = new nn.Sequential(
    new nn.Linear(12, 16, { device: 'cpu' }),
    new nn.BatchNorm1d(16, { device: 'cpu' }),
    new nn.Tanh(),
    new nn.Linear(16, 4, { device: 'cpu' }),
  );
  const optimizer = make(model);
  const parameters = model.parameters();
  const losses: number[] = [];
  let device = 'cpu';
  for (let step = 0; step < 30; step++) {
    if (moves[step] !== undefined) {
      device = moves[step];
      await model.toAsync(device);
      await optimizer.toAsync(device);
      expect(model.parameters().every((p, i) => p === parameters[i] && p.device.id === device)).toBe(true);
    }
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model(inputs.to(device)) as Tensor, labels.to(device));
    loss.backward();
    optimizer.step();
    losses.push(await loss.itemAsync());
  }
  return losses;
}

describe('a training that moves from device to device', () => {
  it.each([
    ['SGD with momentum', (m: nn.Module) => new optim.SGD(m.parameters(), { lr: 0.1, momentum: 0.9 })],
    ['Adam', (m: nn.Module) => new optim.Adam(m.parameters(), { lr: 0.02, amsgrad: true })],
    ['Adagrad', (m: nn.Module) => new optim.Adagrad(m.parameters(), { lr: 0.05 })],
  ] as const)('keeps its loss curve with %s, whose state moves along', async (_, make) => {
    const stayed = await train(make);
    const moved = await train(make, { 10: 'wasm', 20: 'cpu' });
    expect(moved.slice(0, 10)).toEqual(stayed.slice(0, 10));
    expect(stayed.at(-1)!).toBeLessThan(stayed[0] / 2);
    for (const [step, loss] of stayed.entries()) expect(Math.abs(moved[step] - loss), `step ${step}`).toBeLessThan(2e-4 * stayed[0]);
  });
});

describe('tessera devices', () => {
  const runtime = (): Runtime => new Runtime().use(cpuPlugin).use(wasmPlugin);

  it('reports each backend: what it can do, or why it cannot run', async () => {
    const started = runtime().use({
      name: 'abacus',
      version: '1.0.0',
      contract: CONTRACT_VERSION,
      register: ({ container, core }) =>
        void container.register(core.BACKEND, {
          useValue: {
            id: 'abacus',
            priority: 200,
            isAvailable: () => ({ available: false, reason: 'no beads' }),
            create: () => Promise.reject(new Error()),
          },
        }),
    });
    const reports = await deviceReports(started);
    expect(reports.map(({ id, chosen }) => [id, chosen])).toEqual([
      ['abacus', false],
      ['wasm', true],
      ['cpu', false],
    ]);
    const [abacus, wasm] = reports;
    expect(abacus).toMatchObject({ version: null, availability: { reason: 'no beads' }, capabilities: null });
    expect(wasm.capabilities!.dtypes).toContain('float32');
    expect([...wasm.kernels!.native, ...wasm.kernels!.decomposed]).toContain('crossEntropyGrad');
    expect(wasm.kernels!.required).toHaveLength(7);
    expect(reports.map(({ notChosen }) => notChosen)).toEqual(['no beads', null, 'wasm comes before it']);
    const named = await deviceReports(started, 'cpu');
    expect(named.map(({ notChosen }) => notChosen)).toEqual(['no beads', 'TESSERA_DEVICE names cpu', null]);
    const text = deviceLines(reports).join('\n');
    expect(text).toMatch(/cpu +\d+\.\d+\.\d+ +0 +yes \(wasm comes before it\)/);
    expect(text).toMatch(/abacus +- +200 +no: no beads/);
    expect(text).toMatch(/\* +wasm +\d+\.\d+\.\d+ +50 +yes/);
    await started.dispose();
  });

  it('is a command, with --json', async () => {
    const run = async (argv: readonly string[], environment = {}): Promise<{ code: number; text: string; errors: string }> => {
      let [text, errors] = ['', ''];
      const own = runtime();
      const write = (more: string): void => void (text += more);
      const code = await main(argv, { runtime: own, version: '1.2.3', environment, write, writeError: (more) => void (errors += more) });
      await own.dispose();
      return { code, text, errors };
    };
    const { code, text } = await run(['devices', '--json'], { TESSERA_DEVICE: 'cpu' });
    expect(code).toBe(0);
    expect((JSON.parse(text) as { id: string; chosen: boolean }[]).find(({ chosen }) => chosen)!.id).toBe('cpu');
    // Errors are none of the output that a program reads.
    expect(await run(['devices', '--json', '--plugin', './no-such-file.js'])).toEqual({
      code: 1,
      text: '',
      errors: expect.stringContaining("plugin './no-such-file.js' does not load") as unknown,
    });
    expect(await run(['divices'])).toMatchObject({ code: 2, text: '', errors: expect.stringContaining('devices') as unknown });
    expect(await run(['--version'])).toEqual({ code: 0, text: '1.2.3\n', errors: '' });
  });
});
