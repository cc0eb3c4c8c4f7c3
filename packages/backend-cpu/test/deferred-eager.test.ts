/**
 * @file Random programs of pointwise ops, reductions, views and in-place writes, with their gradients: deferred and eager execution, compiled and
 * interpreted kernels give the same bits, or the same error.
 */
import { CONTRACT_VERSION, type Device, grad, isTesseraError, Runtime, scope, tensor, type Tensor, where } from '@tessera/core';
import * as core from '@tessera/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CpuBackend, type CpuBackendOptions } from '../src/index.js';

function device(eager: boolean, options: CpuBackendOptions): Device {
  const runtime = new Runtime(core).use({
    name: 'cpu-under-test',
    version: '0',
    contract: CONTRACT_VERSION,
    register({ container, core: { BACKEND } }) {
      const create = (): CpuBackend => new CpuBackend(options);
      container.register(BACKEND, {
        useValue: { id: 'cpu', priority: 0, isAvailable: () => ({ available: true }), create, createSync: create },
      });
    },
  });
  const made = runtime.device('cpu');
  made.eager = eager;
  return made;
}
const DEVICES = {
  'deferred, compiled': device(false, {}),
  'eager, compiled': device(true, {}),
  'deferred, interpreted': device(false, { codegen: false }),
};

/** One step: an op and numbers that choose its operands among the tensors so far, and its dims. */
interface Step {
  readonly op: string;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const dimOf = (x: Tensor, n: number): number => n % Math.max(1, x.ndim);
type Op = (x: Tensor, y: Tensor, z: Tensor, n: number, m: number) => Tensor;
const OPS: Readonly<Record<string, Op>> = {
  neg: (x) => x.neg(),
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
  exp: (x) => x.clamp(-20, 3).exp(),
  square: (x) => x.square(),
  relu: (x) => x.relu(),
  sqrt: (x) => x.abs().sqrt(),
  sin: (x) => x.sin(),
  add: (x, y) => x.add(y),
  sub: (x, y) => x.sub(y, { alpha: 0.5 }),
  mul: (x, y) => x.mul(y),
  div: (x, y) => x.div(y.abs().add(0.5)),
  maximum: (x, y) => x.maximum(y),
  where: (x, y, z) => where(z.gt(0), x, y),
  lerp: (x, y) => x.lerp(y, 0.3),
  half: (x) => x.to('float16').mul(1.5).to('float32'),
  whole: (x) => x.clamp(-1000, 1000).to('int32').to('float32'),
  sum: (x, _y, _z, n) => x.sum(dimOf(x, n), { keepdim: n % 2 === 0 }),
  mean: (x, _y, _z, n) => (n % 3 === 0 ? x.mean() : x.mean(dimOf(x, n))),
  amax: (x, _y, _z, n) => x.amax(dimOf(x, n), { keepdim: true }),
  var: (x, _y, _z, n) => x.var(dimOf(x, n), { correction: 0 }),
  prod: (x, _y, _z, n) => x.prod(dimOf(x, n)),
  softmax: (x, _y, _z, n) => x.softmax(dimOf(x, n)),
  cumsum: (x, _y, _z, n) => x.cumsum(dimOf(x, n)),
  transpose: (x) => x.transpose(0, -1),
  narrow: (x, _y, _z, n) => x.narrow(dimOf(x, n), n % x.shape[dimOf(x, n)]!, 1),
  expand: (x) => x.expand([2, ...x.shape]),
  reshape: (x) => x.reshape(-1),
  select: (x, _y, _z, n) => x.select(dimOf(x, n), 0),
  detach: (x) => x.detach(),
  clone: (x) => x.clone(),
  contiguous: (x) => x.contiguous(),
  // Writes: what they answer is what they wrote to.
  add_: (x, y) => x.add_(y),
  mul_: (x, y) => x.mul_(y),
  tanh_: (x) => x.tanh_(),
  fill_: (x, _y, _z, n) => x.fill_(n % 5),
  zero_: (x) => x.zero_(),
  copy_: (x, y) => x.copy_(y),
  maskedFill_: (x, y) => x.maskedFill_(y.gt(0), 0.25),
  'narrow.add_': (x, y, _z, n) => x.narrow(dimOf(x, n), 0, 1).add_(y),
  'select.copy_': (x, y, _z, n) => x.select(dimOf(x, n), -1).copy_(y),
  'transpose.mul_': (x, y) => x.transpose(0, -1).mul_(y),
  'detach.mul_': (x) => x.detach().mul_(2),
  realize: (x) => x.realize(),
};

const LEAVES: readonly { readonly shape: readonly number[]; readonly learns: boolean }[] = [
  { shape: [3, 4], learns: true },
  { shape: [4], learns: true },
  { shape: [3, 1], learns: false },
  { shape: [2, 3, 4], learns: false },
];

/** A tensor's numbers, or the code of an error. */
type Seen = readonly number[] | string;

function codeOf(error: unknown): string {
  if (isTesseraError(error)) return error.code;
  throw error;
}

/** Runs a program; answers all tensors that it made, and the gradients of what can still be differentiated. */
function run(on: Device, steps: readonly Step[]): Seen[] {
  return scope(() => {
    const leaves = LEAVES.map(({ shape, learns }, k) => {
      const numel = shape.reduce((n, s) => n * s, 1);
      const values = Float32Array.from({ length: numel }, (_, i) => Math.sin(i * 7.3 + k * 2.1) * 2);
      const x = tensor(values, { device: on }).reshape(shape).clone();
      return learns ? x.requiresGrad_() : x;
    });
    const pool = [...leaves];
    const seen: Seen[] = [];
    for (const { op, a, b, c } of steps) {
      const [x, y, z] = [pool[a % pool.length]!, pool[b % pool.length]!, pool[c % pool.length]!];
      try {
        const out = OPS[op]!(x, y, z, a + b, c);
        if (out.numel() <= 2000) pool.push(out);
      } catch (error) {
        seen.push(codeOf(error));
      }
    }
    const results = pool.filter((t) => t.requiresGrad && t.gradFn !== null);
    try {
      if (results.length > 0) {
        const loss = results.map((t) => t.mul(0.37).sum()).reduce((p, q) => p.add(q));
        const wanted = leaves.filter((leaf) => leaf.requiresGrad);
        for (const g of grad(loss, wanted, { allowUnused: true })) seen.push(g === null ? 'none' : [...g.data()]);
      }
    } catch (error) {
      seen.push(codeOf(error));
    }
    for (const t of pool) seen.push([...t.detach().data()]);
    return seen;
  });
}

const step: fc.Arbitrary<Step> = fc.record({ op: fc.constantFrom(...Object.keys(OPS)), a: fc.nat(60), b: fc.nat(60), c: fc.nat(60) });

it('a random program gives the same bits in each way', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 24 }), (steps) => {
      const [first, ...others] = Object.values(DEVICES).map((on) => run(on, steps));
      for (const other of others) expect(other).toEqual(first);
    }),
    { numRuns: 250 },
  );
});

it('a random program of writes and views gives the same bits in each way', () => {
  const writes = Object.keys(OPS).filter(
    (name) => name.includes('_') || ['transpose', 'narrow', 'select', 'reshape', 'mul', 'add'].includes(name),
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 4, maxLength: 30 }), (steps) => {
      const program = steps.map((s) => ({ ...s, op: writes[(s.a * 31 + s.b * 7 + s.c) % writes.length]! }));
      const [first, ...others] = Object.values(DEVICES).map((on) => run(on, program));
      for (const other of others) expect(other).toEqual(first);
    }),
    { numRuns: 200 },
  );
});
