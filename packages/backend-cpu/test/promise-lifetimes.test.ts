/**
 * @file Random programs of products that wait for what comes after them, while tensors are disposed of, scopes end, gradients are taken, weights are
 * updated in place and memory runs out: what is read is what an eager device gives, no kernel is given memory that was freed, and none is left.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as core from '@tessera/core';
import {
  checkpoint,
  CONTRACT_VERSION,
  contiguousStrides,
  type Device,
  isTesseraError,
  linear,
  matmul,
  MemoryError,
  noGrad,
  Runtime,
  scope,
  tensor,
  type Tensor,
} from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';

type Kernels = CpuBackend['kernels'];
type CpuView = Parameters<Kernels['matmul']>[0];
type CpuBuffer = CpuView['buffer'];

/** What is freed is poisoned, and may be given to no kernel again. */
class Guarded extends CpuBackend {
  readonly live = new Set<CpuBuffer>();
  /** Buffers until one is refused; Infinity: none. */
  untilFailure = Infinity;
  /** Products taken along with a program. */
  fused = 0;
  calls = 0;

  constructor(epilogues: boolean) {
    super();
    const { kernels } = this;
    const look = (x: unknown): void => {
      if (Array.isArray(x)) x.forEach(look);
      else if (typeof x === 'object' && x !== null && 'strides' in x && !this.live.has((x as CpuView).buffer))
        throw new Error('a kernel was given memory that was freed');
    };
    const plain = kernels as unknown as Record<string, (...args: unknown[]) => unknown>;
    const guarded: Record<string, (...args: unknown[]) => unknown> = {};
    for (const [name, kernel] of Object.entries(plain)) {
      guarded[name] = (...args) => {
        args.forEach(look);
        return kernel.apply(kernels, args);
      };
    }
    if (epilogues) {
      guarded['matmulPointwise'] = ((a, b, bias, program, scalars, inputs, outputs) => {
        [a, b, bias, inputs, outputs].forEach(look);
        if (this.calls++ % 4 === 3) return false;
        this.fused++;
        const [batch, rows, columns] = [a.shape[0]!, a.shape[1]!, b.shape[2]!];
        const shape = [batch, rows, columns];
        const buffer = super.allocate('float32', batch * rows * columns);
        const out: CpuView = { buffer, dtype: 'float32', shape, strides: contiguousStrides(shape), offset: 0 };
        if (bias === null) kernels.matmul(a, b, out);
        else {
          const left = { ...a, shape: a.shape.slice(1), strides: a.strides.slice(1) };
          const right = { ...b, shape: [b.shape[2]!, b.shape[1]!], strides: [b.strides[2]!, b.strides[1]!] };
          kernels.linear!(left, right, bias, { ...out, shape: [rows, columns], strides: [columns, 1] });
        }
        const after = outputs[0]!.shape;
        const read = { ...out, shape: after, strides: contiguousStrides(after) };
        kernels.pointwise(
          program,
          scalars,
          inputs.map((x) => x ?? read),
          outputs,
        );
        return true;
      }) satisfies Kernels['matmulPointwise'] as (typeof guarded)[string];
    }
    Object.assign(this, { kernels: guarded });
  }

  override allocate(...args: Parameters<CpuBackend['allocate']>): CpuBuffer {
    if (--this.untilFailure < 0) {
      this.untilFailure = Infinity;
      throw new MemoryError('ERR_OUT_OF_MEMORY', 'none left', { device: 'cpu' });
    }
    const buffer = super.allocate(...args);
    this.live.add(buffer);
    return buffer;
  }

  override free(buffer: CpuBuffer): void {
    if (!this.live.delete(buffer)) throw new Error('freed twice');
    // Not given back: it must never be seen again.
    buffer.data.fill(77, buffer.base, buffer.base + buffer.length);
  }
}

function device(eager: boolean, epilogues: boolean): Device {
  const runtime = new Runtime(core).use({
    name: 'cpu-under-test',
    version: '0',
    contract: CONTRACT_VERSION,
    register({ container, core: { BACKEND } }) {
      const create = (): CpuBackend => new Guarded(epilogues);
      container.register(BACKEND, {
        useValue: { id: 'cpu', priority: 0, isAvailable: () => ({ available: true }), create, createSync: create },
      });
    },
  });
  const made = runtime.device('cpu');
  made.eager = eager;
  return made;
}
const guardOf = (on: Device): Guarded => on.backend as Guarded;

/** One step: an op, and numbers that choose what it is applied to. */
interface Step {
  readonly op: string;
  readonly a: number;
  readonly b: number;
}

const SIZE = 3;
interface State {
  readonly on: Device;
  readonly weights: Tensor[];
  readonly pool: (Tensor | null)[];
  readonly seen: (number[] | string)[];
}
type Act = (s: State, x: Tensor, y: Tensor, w: Tensor, step: Step) => Tensor | void;

const learnt = (s: State, x: Tensor, how: 'plain' | 'retain' | 'double'): void => {
  const loss = x.mul(0.1).square().mean();
  if (!loss.requiresGrad) return;
  if (how === 'double') {
    const [g] = core.grad(loss, [s.weights[0]!], { createGraph: true, allowUnused: true });
    if (g?.requiresGrad === true) g.square().sum().backward();
    return;
  }
  loss.backward(how === 'retain' ? { retainGraph: true } : {});
  if (how === 'retain') loss.backward();
};

const ACTS: Readonly<Record<string, Act>> = {
  matmul: (_s, x, _y, w) => matmul(x, w),
  product: (_s, x, y) => matmul(x, y),
  linear: (_s, x, _y, w) => linear(x, w),
  biased: (s, x, _y, w) => linear(x, w, s.weights[3]!),
  relu: (_s, x) => x.relu(),
  tanh: (_s, x) => x.tanh(),
  add: (_s, x, y) => x.add(y),
  mul: (_s, x, y) => x.mul(y).tanh(),
  softmax: (_s, x) => x.softmax(-1),
  mean: (_s, x) => x.mean(0, { keepdim: true }).add(x),
  view: (_s, x) => x.transpose(0, 1),
  clone: (_s, x) => x.clone(),
  detach: (_s, x) => x.detach(),
  half: (_s, x) => x.to('float16').to('float32'),
  layer: (s, x, _y, w) => scope(() => linear(x, w, s.weights[3]!).relu()),
  block: (_s, x, _y, w) =>
    scope(() => {
      const h = matmul(x, w);
      const r = h.tanh();
      h.dispose();
      return r.add(x);
    }),
  checkpointed: (_s, x, _y, w) => checkpoint((t: Tensor) => matmul(t, w).tanh(), x),
  add_: (_s, x, y) => void noGrad(() => x.detach().add_(y)),
  tanh_: (_s, x) => void noGrad(() => x.detach().tanh_()),
  copy_: (_s, x, y) => void noGrad(() => x.detach().copy_(y)),
  row_: (_s, x, y) => void noGrad(() => x.detach().select(0, 1).copy_(y.detach().select(0, 0))),
  update: (_s, _x, y, w) => void noGrad(() => w.sub_(y.detach().mul(0.01))),
  step: (s) => {
    noGrad(() => {
      for (const w of s.weights)
        if (w.grad !== null) {
          w.sub_(w.grad.mul(0.05));
          w.dropGrad();
        }
    });
  },
  backward: (s, x) => learnt(s, x, 'plain'),
  retained: (s, x) => learnt(s, x, 'retain'),
  double: (s, x) => learnt(s, x, 'double'),
  realize: (_s, x) => void x.realize(),
  read: (s, x) => void s.seen.push([...x.detach().data()]),
  dispose: (s, _x, _y, _w, { a }) => {
    const k = a % s.pool.length;
    s.pool[k]?.dispose();
    s.pool[k] = null;
  },
  dispose2: (s, _x, _y, _w, { b }) => {
    const k = b % s.pool.length;
    s.pool[k]?.dispose();
    s.pool[k] = null;
  },
};

const values = (k: number, length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i * 7.3 + k * 2.1));

/** Runs a program. `failures`: at which steps memory runs out, and after how many buffers; such a step is tried again. */
function run(on: Device, steps: readonly Step[], learns: boolean, failures: readonly number[] = []): (number[] | string)[] {
  const guard = guardOf(on);
  const before = guard.live.size;
  guard.calls = steps.length;
  const made = (k: number, shape = [SIZE, SIZE]): Tensor =>
    scope(() =>
      tensor(
        values(
          k,
          shape.reduce((n, s) => n * s, 1),
        ),
        { device: on },
      )
        .reshape(shape)
        .clone()
        .realize(),
    );
  const read = (t: Tensor): number[] => scope(() => [...t.detach().data()]);
  const state: State = {
    on,
    weights: [made(1), made(2), made(3), made(4, [SIZE])].map((t) => t.requiresGrad_(learns)),
    pool: [made(5), made(6)],
    seen: [],
  };
  steps.forEach((step, at) => {
    const alive = state.pool.filter((t) => t !== null);
    const [x, y] = [alive[step.a % alive.length], alive[step.b % alive.length]];
    if (x === undefined || y === undefined) return;
    const w = state.weights[(step.a + step.b) % 3]!;
    const act = (): void => {
      const out = scope(() => ACTS[step.op]!(state, x, y, w, step));
      if (out !== undefined) state.pool.push(out);
    };
    if (failures[at] !== undefined) guard.untilFailure = failures[at];
    try {
      act();
    } catch (error) {
      if (!isTesseraError(error)) throw error;
      if (error.code === 'ERR_OUT_OF_MEMORY') act();
      else state.seen.push(error.code);
    } finally {
      guard.untilFailure = Infinity;
    }
  });
  for (const t of state.pool) if (t !== null) state.seen.push(read(t));
  for (const w of state.weights) state.seen.push(read(w), w.grad === null ? 'none' : read(w.grad));
  for (const t of state.pool) t?.dispose();
  for (const w of state.weights) {
    w.grad?.dispose();
    w.dispose();
  }
  // What a graph saved, and what an error interrupted, is left to the collector.
  if (!learns && failures.length === 0) state.seen.push(`${guard.live.size - before} buffers left`);
  return state.seen;
}

const devices = () => [device(true, false), device(false, false), device(false, true), device(true, true)] as const;
const DEVICES = devices();
/** For programs without gradients, which leave nothing behind. */
const FORGETFUL = devices();
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 100);
const stepOf = (names: readonly string[]): fc.Arbitrary<Step> => fc.record({ op: fc.constantFrom(...names), a: fc.nat(60), b: fc.nat(60) });

describe('what waits for the program after it', () => {
  it('is what an eager device gives, whatever is disposed of, updated and differentiated meanwhile', () => {
    fc.assert(
      fc.property(fc.array(stepOf(Object.keys(ACTS)), { minLength: 3, maxLength: 30 }), fc.boolean(), (steps, learns) => {
        const [first, ...others] = (learns ? DEVICES : FORGETFUL).map((on) => run(on, steps, learns));
        for (const other of others) expect(other).toEqual(first);
      }),
      { numRuns: RUNS },
    );
    expect(guardOf(DEVICES[2]).fused).toBeGreaterThan(0);
  });

  it('is computed at the next try where memory ran out', () => {
    const names = Object.keys(ACTS).filter((name) => !['backward', 'retained', 'double', 'step'].includes(name));
    fc.assert(
      fc.property(
        fc.array(stepOf(names), { minLength: 3, maxLength: 20 }),
        fc.array(fc.nat(4), { minLength: 20, maxLength: 20 }),
        fc.boolean(),
        (steps, failures, learns) => {
          const wanted = run(DEVICES[0], steps, learns).filter((x) => typeof x !== 'string' || !x.endsWith('left'));
          expect(run(DEVICES[2], steps, learns, failures)).toEqual(wanted);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('is within the collector’s reach once it was computed, with what it was computed from', async () => {
    const on = device(false, true);
    const dropped: WeakRef<object>[] = [];
    (() => {
      const x = tensor(values(1, 9), { device: on }).reshape(3, 3).clone().realize();
      const product = matmul(x, x);
      const fused = matmul(x, x).relu();
      for (const t of [product, fused]) {
        void t.data();
        dropped.push(new WeakRef(t.value.memory!));
      }
      dropped.push(new WeakRef(x.value.memory!));
    })();
    // The scratch of launches keeps what was launched last.
    void tensor([1, 2], { device: on }).mul(2).data();
    await collect();
    expect(dropped.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined]);
  });

  it('leaves nothing behind where its predecessor found no memory', () => {
    for (const eager of [false, true]) {
      const on = device(eager, true);
      const x = tensor(values(1, 9), { device: on }).reshape(3, 3).clone().realize();
      const { memory } = x.value;
      const products = eager ? [] : Array.from({ length: 8 }, () => matmul(x, x));
      guardOf(on).untilFailure = 0;
      expect(() => matmul(x, x)).toThrow('none left');
      expect(memory!.pending).toBe(2 * products.length);
      const wanted = [...matmul(x, x).data()];
      for (const t of products) expect([...t.data()]).toEqual(wanted);
      expect(memory!.pending).toBe(0);
    }
  });
});

/** Runs the engine's collector until it has seen what the last macrotask dropped. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
}
