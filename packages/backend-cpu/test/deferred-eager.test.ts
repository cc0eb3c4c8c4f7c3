/**
 * @file Random programs of pointwise ops, reductions, views and in-place writes, with their gradients: deferred and eager execution, compiled and
 * interpreted kernels give the same bits, or the same error.
 */
import {
  CONTRACT_VERSION,
  conv1d,
  contiguousStrides,
  type Device,
  grad,
  isTesseraError,
  linear,
  matmul,
  Runtime,
  scope,
  tensor,
  type Tensor,
  where,
} from '@tessera/core';
import * as core from '@tessera/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CpuBackend, type CpuBackendOptions } from '../src/index.js';

/** Takes the pointwise program after a product along, as two launches: where core may hand it one, this shows what becomes of everything else. */
class CpuBackendWithEpilogues extends CpuBackend {
  /** Every third is declined, and what was promised computed alone. */
  calls = 0;

  constructor(options: CpuBackendOptions) {
    super(options);
    const { kernels } = this;
    type Kernels = typeof kernels;
    type CpuView = Parameters<Kernels['matmul']>[0];
    type Pointwise = Parameters<Kernels['pointwise']>;
    /** The program, with `product` where it reads null, in the row-major order of its outputs. */
    const after = (
      product: CpuView,
      program: Pointwise[0],
      scalars: Pointwise[1],
      inputs: readonly (CpuView | null)[],
      outputs: Pointwise[3],
    ): void => {
      const { shape } = outputs[0]!;
      const read = { ...product, shape, strides: contiguousStrides(shape) };
      kernels.pointwise(
        program,
        scalars,
        inputs.map((x) => x ?? read),
        outputs,
      );
      this.free(product.buffer);
    };
    const made = (shape: readonly number[]): CpuView => {
      const length = shape.reduce((n, size) => n * size, 1);
      return { buffer: this.allocate('float32', length), dtype: 'float32', shape, strides: contiguousStrides(shape), offset: 0 };
    };
    const transposed = ({ shape, strides, ...view }: CpuView): CpuView => ({
      ...view,
      shape: [shape[2]!, shape[1]!],
      strides: [strides[2]!, strides[1]!],
    });
    const matmulPointwise: Kernels['matmulPointwise'] = (a, b, bias, ...epilogue) => {
      if (this.calls++ % 3 === 2) return false;
      const [batch, rows, columns] = [a.shape[0]!, a.shape[1]!, b.shape[2]!];
      const out = made([batch, rows, columns]);
      if (bias === null) kernels.matmul(a, b, out);
      else {
        expect(batch).toBe(1);
        const left = { ...a, shape: a.shape.slice(1), strides: a.strides.slice(1) };
        kernels.linear!(left, transposed(b), bias, { ...out, shape: [rows, columns], strides: [columns, 1] });
      }
      after(out, ...epilogue);
      return true;
    };
    const convolutionPointwise: Kernels['convolutionPointwise'] = (input, weight, bias, window, groups, ...epilogue) => {
      if (this.calls++ % 3 === 2) return false;
      const [n, o] = [input.shape[0]!, weight.shape[0]!];
      const [, , , outputs] = epilogue;
      const total = outputs[0]!.shape.reduce((count, size) => count * size, 1);
      const out = made([n, o, total / (n * o)]);
      if (!kernels.convolution!(input, weight, bias, out, window, groups)) throw new Error('declined');
      after(out, ...epilogue);
      return true;
    };
    Object.assign(kernels, { matmulPointwise, convolutionPointwise });
  }
}

function device(eager: boolean, options: CpuBackendOptions, Backend: typeof CpuBackend = CpuBackend): Device {
  const runtime = new Runtime(core).use({
    name: 'cpu-under-test',
    version: '0',
    contract: CONTRACT_VERSION,
    register({ container, core: { BACKEND } }) {
      const create = (): CpuBackend => new Backend(options);
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
  'deferred, with epilogues': device(false, {}, CpuBackendWithEpilogues),
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
  matmul: (x, y) => matmul(x, y.transpose(0, -1)),
  linear: (x, y, z) => (z.ndim === 1 && z.shape[0] === y.shape[0] ? linear(x, y, z) : linear(x, y)),
  square_product: (x) => matmul(x.transpose(0, -1), x),
  conv1d: (x, y) =>
    conv1d(
      x.ndim === 3 ? x : x.reshape(1, 1, -1),
      y
        .reshape(1, 1, -1)
        .narrow(2, 0, 1)
        .expand([2, x.ndim === 3 ? x.shape[1]! : 1, 1]),
    ),
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

it('a random program of products, what follows them, and writes to what they read gives the same bits in each way', () => {
  const names = [
    'matmul',
    'linear',
    'square_product',
    'conv1d',
    'linear',
    'square_product',
    'matmul',
    'mean',
    'relu',
    'add',
    'tanh',
    'mul',
    'sum',
    'transpose',
    'reshape',
    'add_',
    'tanh_',
    'copy_',
    'clone',
    'detach',
  ];
  fc.assert(
    fc.property(fc.array(step, { minLength: 4, maxLength: 30 }), (steps) => {
      const program = steps.map((s) => ({ ...s, op: names[(s.a * 31 + s.b * 7 + s.c) % names.length]! }));
      const [first, ...others] = Object.values(DEVICES).map((on) => run(on, program));
      for (const other of others) expect(other).toEqual(first);
    }),
    { numRuns: Number(process.env['FUZZ_RUNS'] ?? 200) },
  );
  // The products were taken along, which is what was to be tried.
  expect((DEVICES['deferred, with epilogues'].backend as CpuBackendWithEpilogues).calls).toBeGreaterThan(20);
});
