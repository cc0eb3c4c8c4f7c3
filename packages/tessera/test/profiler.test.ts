/** @file The profiler: where time and memory go, by op and by module; totals; the trace; and nothing left behind when it ends. */
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '@tessera/backend-cpu';
import {
  BACKEND,
  F,
  init,
  type KernelTiming,
  nn,
  optim,
  Profiler,
  profile,
  type ProfileRow,
  randn,
  recordFunction,
  Runtime,
  runtimes,
  scope,
  type Tensor,
  toDevice,
} from '../src/index.js';

const model = new nn.Sequential(new nn.Linear(256, 512), new nn.ReLU(), new nn.Linear(512, 256));
const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
const x = randn([128, 256]).realize();
const y = randn([128, 256]).realize();
const step = (): void =>
  scope(() => {
    optimizer.zeroGrad();
    const loss = recordFunction('forward', () => F.mseLoss(model(x), y));
    loss.backward();
    optimizer.step();
  });
const rowOf = (rows: readonly ProfileRow[], name: string): ProfileRow => rows.find((r) => r.name === name)!;
for (let i = 0; i < 5; i++) step();

describe('totals', () => {
  it('are the wall clock’s within 5 %', () => {
    // The best of several: this machine may be busy with other things.
    const runs = Array.from({ length: 5 }, () => {
      const start = performance.now();
      const p = profile(() => {
        for (let i = 0; i < 5; i++) step();
      });
      const wall = performance.now() - start;
      const self = p.byOp().reduce((sum, r) => sum + r.self, 0);
      return { clock: Math.abs(p.wallTime - wall) / wall, self: Math.abs(self - wall) / wall };
    });
    const least = (key: keyof (typeof runs)[number]): number => Math.min(...runs.map((r) => r[key]));
    expect(least('clock')).toBeLessThan(0.05);
    expect(least('self')).toBeLessThan(0.05);
  });

  it('where there is little but kernels, those are the wall clock’s time within 5 %', () => {
    const a = randn([256, 256]).realize();
    const share = Array.from({ length: 5 }, () => {
      const start = performance.now();
      const p = profile(() => scope(() => void Array.from({ length: 10 }, () => a.matmul(a))));
      return p.kernelTime / (performance.now() - start);
    });
    expect(Math.max(...share)).toBeGreaterThan(0.95);
  });

  it('by module are the same', () => {
    const p = profile(step);
    const sum = (rows: readonly ProfileRow[], key: 'self' | 'allocated' | 'flops'): number => rows.reduce((all, r) => all + r[key], 0);
    for (const key of ['self', 'allocated', 'flops'] as const) expect(sum(p.byModule(), key)).toBeCloseTo(sum(p.byOp(), key), 6);
    expect(sum(p.byOp(), 'self')).toBeCloseTo(p.wallTime, 6);
  });

  it('counts launches as the device does', () => {
    const device = toDevice('cpu');
    const before = device.launches;
    const p = profile(step);
    expect(p.kernels.length).toBe(device.launches - before);
  });
});

describe('what is shown', () => {
  const p = profile(step);

  it('kernels, nodes, modules, named parts and the optimizer', () => {
    const rows = p.byOp();
    expect(rowOf(rows, 'AddmmBackward0')).toMatchObject({ kind: 'node', calls: 2 });
    expect(rowOf(rows, 'Linear')).toMatchObject({ kind: 'module', calls: 2 });
    expect(rowOf(rows, 'forward')).toMatchObject({ kind: 'user', calls: 1 });
    expect(rowOf(rows, 'backward')).toMatchObject({ kind: 'backward', calls: 1 });
    expect(rowOf(rows, 'SGD.step')).toMatchObject({ kind: 'user', calls: 1, kernels: 4 });
    const products = rows.filter((r) => r.kind === 'kernel' && (r.name === 'linear' || r.name === 'matmul'));
    // Two products forward; backward two for the weights and one for the hidden layer, since the input wants no gradient.
    expect(products.reduce((sum, r) => sum + r.flops, 0)).toBe(2 * 128 * 256 * 512 * 5);
  });

  it('modules by path, forward and backward together', () => {
    const rows = p.byModule();
    const names = rows.map((r) => r.name);
    expect(names).toEqual(
      expect.arrayContaining(['Sequential', 'Sequential.0 (Linear)', 'Sequential.1 (ReLU)', 'Sequential.2 (Linear)', 'outside of modules']),
    );
    // One product forward, and the backward's: weight only for the first layer, weight and input for the last.
    expect(rowOf(rows, 'Sequential.0 (Linear)').flops).toBe(2 * 128 * 256 * 512 * 2);
    expect(rowOf(rows, 'Sequential.2 (Linear)').flops).toBe(2 * 128 * 256 * 512 * 3);
  });

  it('memory that is made and freed', () => {
    const out = 128 * 512 * 4;
    expect(rowOf(p.byModule(), 'Sequential.0 (Linear)').allocated).toBeGreaterThanOrEqual(out);
    const [sample] = p.memory.slice(-1);
    expect(sample!.bytes).toBe(p.devices[0]!.memory.bytes);
  });

  it('copies between the host and the device', () => {
    const rows = profile(() => void randn([1000]).sum().item()).spans.filter((s) => s.kind === 'transfer');
    expect(rows.map((s) => [s.name, s.transferred])).toEqual([
      ['write', 4000],
      ['read', 4],
    ]);
  });

  it('a table, sorted', () => {
    const table = p.table({ sortBy: 'total', limit: 3 });
    const lines = table.split('\n');
    expect(lines[0]).toMatch(/^Name +Kind +Self +Self % +Total +Calls +Kernels +Kernel time/);
    expect(lines[2]).toMatch(/^outside of all/);
    expect(table).toMatch(/and \d+ more rows/);
    expect(table).toMatch(/Wall time .* in \d+ kernels/);
    expect(p.table({ groupBy: 'module' })).toContain('Sequential.2 (Linear)');
    expect(p.table({ sortBy: 'name', limit: 100 })).toContain('AddmmBackward0');
  });

  it('a trace that Chrome reads: spans within each other, kernels on a line of their own', () => {
    const { traceEvents } = JSON.parse(p.exportChromeTrace()) as {
      traceEvents: { ph: string; name: string; cat: string; ts: number; dur: number; tid: number; args: Record<string, unknown> }[];
    };
    const named = (name: string): (typeof traceEvents)[number] => traceEvents.find((e) => e.name === name && e.ph === 'X')!;
    const outer = named('backward');
    const inner = named('AddmmBackward0');
    expect(inner.ts).toBeGreaterThanOrEqual(outer.ts);
    expect(inner.ts + inner.dur).toBeLessThanOrEqual(outer.ts + outer.dur + 1e-3);
    expect(inner.args['module']).toBe('Sequential.2 (Linear)');
    const kernel = traceEvents.find((e) => e.cat === 'kernel' && e.args['flops'] !== undefined)!;
    expect(kernel.tid).toBe(1);
    expect(kernel.args['shapes']).toBeInstanceOf(Array);
    expect(traceEvents.some((e) => e.ph === 'C')).toBe(true);
  });

  it('with exactModules each module launches its own kernels', () => {
    const relu = (exactModules: boolean): number =>
      rowOf(profile(() => void model(x).realize(), { exactModules }).byModule(), 'Sequential.1 (ReLU)').kernels;
    expect(relu(false)).toBe(0);
    expect(relu(true)).toBe(1);
  });
});

describe('beginning and end', () => {
  it('async functions, and modules with an async forward', async () => {
    class Slow extends nn.Module {
      inner = new nn.Linear(256, 4);
      async forward(t: Tensor): Promise<Tensor> {
        await new Promise((done) => setTimeout(done, 20));
        return this.inner(t);
      }
    }
    const net = new Slow();
    const p = await profile(async () => (await net(x)).sum().itemAsync());
    expect(rowOf(p.byOp(), 'Slow').total).toBeGreaterThan(15);
    expect(p.byModule().map((r) => r.name)).toContain('Slow.inner (Linear)');
    expect(p.spans.map((s) => s.name)).toContain('waiting for devices');
  });

  it('leaves nothing behind, after an error too', () => {
    const device = toDevice('cpu');
    const { kernels, backend } = device;
    expect(() => profile(() => model(randn([2, 3])))).toThrow(expect.objectContaining({ code: 'ERR_MATMUL_SHAPE' }) as Error);
    expect(device.kernels === kernels && device.backend === backend).toBe(true);
    profile(step);
    expect(device.kernels === kernels && device.backend === backend).toBe(true);
  });

  it('one at a time, and started before it is stopped', () => {
    const code = expect.objectContaining({ code: 'ERR_PROFILER' }) as Error;
    const one = new Profiler().start();
    expect(() => new Profiler().start()).toThrow(code);
    one.stop();
    expect(() => one.stop()).toThrow(code);
  });

  it('sees devices that start while it runs', async () => {
    const p = await profile(async () => {
      await init({ device: 'cpu' });
      step();
    });
    expect(p.devices.map((d) => d.id)).toEqual(runtimes.current.devices.map((d) => d.id));
  });

  it('a name costs nothing without a profiler, and may be async', async () => {
    expect(recordFunction('a', () => 3)).toBe(3);
    const p = await profile(() => recordFunction('waiting', () => new Promise((done) => setTimeout(done, 10))));
    expect(rowOf(p.byOp(), 'waiting').total).toBeGreaterThan(8);
  });
});

describe('a device with a clock of its own', () => {
  /** The CPU backend, with each kernel timed from within. */
  class TimedBackend extends CpuBackend {
    override readonly id = 'timed';
    #times: number[] = [];
    running = false;
    readonly timing: KernelTiming = {
      begin: () => {
        this.#times = [];
        this.running = true;
      },
      end: async () => {
        this.running = false;
        return this.#times;
      },
    };

    constructor() {
      super();
      const kernels = this.kernels as unknown as Record<string, (...args: unknown[]) => unknown>;
      for (const [name, kernel] of Object.entries(kernels))
        kernels[name] = (...args) => {
          const start = performance.now();
          const result = kernel(...args);
          if (result !== false) this.#times.push(performance.now() - start);
          return result;
        };
    }
  }

  it('tells how long kernels took, in the order of their launches', async () => {
    const runtime = new Runtime();
    runtime.use({
      name: 'timed',
      version: '1.0.0',
      contract: 1,
      register: ({ container }) =>
        void container.register(BACKEND, {
          useValue: { id: 'timed', priority: 1, isAvailable: () => ({ available: true }), create: () => new TimedBackend() },
        }),
    });
    const was = runtimes.current;
    runtimes.current = runtime;
    try {
      const { backend } = await runtime.init({ device: 'timed' });
      const p = await profile(
        async () =>
          void randn([64, 64])
            .matmul(randn([64, 64]))
            .exp()
            .sum()
            .realize(),
      );
      const kernels = p.kernels;
      expect(kernels.length).toBeGreaterThan(1);
      for (const k of kernels) {
        expect(k.deviceTime!).toBeGreaterThan(0);
        expect(k.deviceTime!).toBeLessThanOrEqual(k.total);
      }
      expect(rowOf(p.byOp(), 'matmul').deviceTime).toBe(kernels.find((k) => k.name === 'matmul')!.deviceTime);
      expect(p.table()).toContain('Device time');
      profile(() => randn(2).exp().realize());
      expect((backend as TimedBackend).running).toBe(false);
    } finally {
      runtimes.current = was;
      await runtime.dispose();
    }
  });
});
