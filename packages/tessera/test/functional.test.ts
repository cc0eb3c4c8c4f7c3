/**
 * @file The functional entry: every function of it does without methods. This file must import nothing else of core: a Tensor with methods
 * would hide that one is missing.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { createCpuBackend } from '@tessera/backend-cpu';
import * as f from '../src/functional.js';

const { arange, cpuPlugin, init, ones, rand, reshape, tensor } = f;
type Tensor = f.Tensor;

const SEVEN = ['pointwise', 'reduce', 'scan', 'matmul', 'gather', 'scatter', 'sort'] as const;
/** The CPU backend's seven required kernels alone: what is accelerated elsewhere runs as its decomposition. */
const sevenKernels: f.Plugin = {
  name: 'seven',
  version: '1.0.0',
  contract: f.CONTRACT_VERSION,
  register({ container, core }) {
    const create = (): object => {
      const backend = createCpuBackend();
      return Object.create(backend, {
        id: { value: 'seven' },
        kernels: { value: Object.fromEntries(SEVEN.map((name) => [name, backend.kernels[name]])) },
        ...Object.fromEntries(
          (['allocate', 'free', 'write', 'read', 'readSync', 'synchronize', 'memory', 'dispose'] as const).map((name) => [
            name,
            { value: (backend[name] as (...args: unknown[]) => unknown).bind(backend) },
          ]),
        ),
      }) as object;
    };
    container.register(core.BACKEND, { useValue: { id: 'seven', priority: 1, isAvailable: () => ({ available: true }), create } });
  },
};

beforeAll(async () => {
  await init({ plugins: [cpuPlugin, sevenKernels], device: 'seven' });
  await init({ device: 'cpu' });
});

const x = (): Tensor => tensor([-1.5, 0.25, 2]);
const m = (): Tensor => reshape(arange(6, { dtype: 'float32' }), 2, 3);
const image = (): Tensor => rand(1, 2, 5, 5);
const b = (): Tensor => tensor([true, false, true]);

/** A call of each function. A name that is missing here fails below. */
const CALLS: Readonly<Record<string, () => unknown>> = {
  arange: () => arange(3),
  eye: () => f.eye(2),
  empty: () => f.empty(2),
  full: () => f.full([2], 3),
  fullLike: () => f.fullLike(x(), 2),
  ones: () => ones(2),
  onesLike: () => f.onesLike(x()),
  rand: () => rand(2),
  randint: () => f.randint(3, [2]),
  randn: () => f.randn(2),
  randperm: () => f.randperm(3),
  tensor: () => x(),
  zeros: () => f.zeros(2),
  zerosLike: () => f.zerosLike(x()),
  add: () => f.add(x(), x(), { alpha: 2 }),
  div: () => f.div(x(), 2, { roundingMode: 'floor' }),
  mul: () => f.mul(x(), x()),
  neg: () => f.neg(x()),
  remainder: () => f.remainder(x(), 2),
  sub: () => f.sub(x(), 1),
  abs: () => f.abs(x()),
  ceil: () => f.ceil(x()),
  exp: () => f.exp(x()),
  floor: () => f.floor(x()),
  log: () => f.log(x()),
  reciprocal: () => f.reciprocal(x()),
  round: () => f.round(x()),
  rsqrt: () => f.rsqrt(x()),
  sigmoid: () => f.sigmoid(x()),
  sign: () => f.sign(x()),
  sqrt: () => f.sqrt(x()),
  tanh: () => f.tanh(x()),
  pow: () => f.pow(x(), 3),
  square: () => f.square(x()),
  maximum: () => f.maximum(x(), ones(3)),
  minimum: () => f.minimum(x(), ones(3)),
  cos: () => f.cos(x()),
  sin: () => f.sin(x()),
  eq: () => f.eq(x(), 2),
  ge: () => f.ge(x(), 2),
  gt: () => f.gt(x(), 2),
  le: () => f.le(x(), 2),
  lt: () => f.lt(x(), 2),
  ne: () => f.ne(x(), 2),
  relu: () => f.relu(x()),
  elu: () => f.elu(x()),
  gelu: () => f.gelu(x()),
  hardsigmoid: () => f.hardsigmoid(x()),
  hardswish: () => f.hardswish(x()),
  leakyRelu: () => f.leakyRelu(x()),
  silu: () => f.silu(x()),
  softplus: () => f.softplus(x()),
  logicalAnd: () => f.logicalAnd(b(), b()),
  logicalNot: () => f.logicalNot(b()),
  logicalOr: () => f.logicalOr(b(), b()),
  where: () => f.where(b(), x(), 0),
  clamp: () => f.clamp(x(), 0, 1),
  mean: () => f.mean(m(), 1),
  prod: () => f.prod(m()),
  sum: () => f.sum(m(), 0, { keepdim: true }),
  amax: () => f.amax(m(), 1),
  amin: () => f.amin(m(), 1),
  argmax: () => f.argmax(m(), 1),
  argmin: () => f.argmin(m(), 1),
  matmul: () => f.matmul(m(), f.transpose(m(), 0, 1)),
  cat: () => f.cat([x(), x()]),
  stack: () => f.stack([x(), x()], 1),
  gather: () => f.gather(m(), 1, tensor([[0], [1]], { dtype: 'int32' })),
  indexSelect: () => f.indexSelect(m(), 1, tensor([0, 2], { dtype: 'int32' })),
  cast: () => f.cast(x(), 'int32'),
  to: () => f.to(x(), 'float64'),
  expand: () => f.expand(x(), 2, 3),
  flatten: () => f.flatten(image(), 1),
  narrow: () => f.narrow(x(), 0, 1, 2),
  permute: () => f.permute(m(), [1, 0]),
  reshape: () => reshape(m(), 3, 2),
  select: () => f.select(m(), 0, 1),
  slice: () => f.slice(m(), 1, 0, 3, 2),
  squeeze: () => f.squeeze(ones(1, 3), 0),
  transpose: () => f.transpose(m(), 0, 1),
  unflatten: () => f.unflatten(m(), 1, [3, 1]),
  unsqueeze: () => f.unsqueeze(x(), 0),
  view: () => f.view(m(), -1),
  linear: () => f.linear(m(), ones(4, 3), ones(4)),
  conv1d: () => f.conv1d(rand(1, 2, 5), rand(3, 2, 3)),
  conv2d: () => f.conv2d(image(), rand(3, 2, 3, 3), rand(3), { padding: 1 }),
  conv3d: () => f.conv3d(rand(1, 1, 3, 3, 3), rand(1, 1, 2, 2, 2)),
  maxPool1d: () => f.maxPool1d(rand(1, 2, 4), 2),
  maxPool2d: () => f.maxPool2d(image(), 2),
  maxPool3d: () => f.maxPool3d(rand(1, 1, 4, 4, 4), 2),
  avgPool1d: () => f.avgPool1d(rand(1, 2, 4), 2),
  avgPool2d: () => f.avgPool2d(image(), 2),
  avgPool3d: () => f.avgPool3d(rand(1, 1, 4, 4, 4), 2),
  embedding: () => f.embedding(tensor([0, 1], { dtype: 'int32' }), m()),
  batchNorm: () => f.batchNorm(image(), f.zeros(2), ones(2), ones(2), f.zeros(2)),
  groupNorm: () => f.groupNorm(image(), 2),
  layerNorm: () => f.layerNorm(m(), [3], ones(3), ones(3)),
  rmsNorm: () => f.rmsNorm(m(), [3]),
  logSoftmax: () => f.logSoftmax(m(), 1),
  softmax: () => f.softmax(m(), 1),
  scaledDotProductAttention: () => f.scaledDotProductAttention(rand(1, 2, 3, 4), rand(1, 2, 3, 4), rand(1, 2, 3, 4), { isCausal: true }),
};
const NOT_OPS = [
  'init',
  'isTensor',
  'isTesseraError',
  'scope',
  'manualSeed',
  'promoteTypes',
  'canCast',
  'categoryAbove',
  'floatDType',
  'dtypeOfArray',
];

describe('every function does without methods', () => {
  it('none is left out here', () => {
    const ops = Object.entries(f)
      .filter(([name, value]) => typeof value === 'function' && /^[a-z]/.test(name) && !NOT_OPS.includes(name))
      .map(([name]) => name)
      .filter((name) => !['isFloat', 'isDType', 'requireDType', 'formatShape'].includes(name));
    expect(Object.keys(CALLS).toSorted()).toEqual(ops.toSorted());
  });

  it('tensors have none', () => expect('add' in x()).toBe(false));

  it.each(Object.keys(CALLS))('%s', async (name) => {
    await init({ device: 'seven' });
    (CALLS[name]!() as Tensor).realize();
    await init({ device: 'cpu' });
    const out = CALLS[name]!() as Tensor;
    expect(out.data().length).toBe(out.numel());
  });
});

it('computes what the methods compute', () => {
  expect(f.softmax(f.matmul(m(), f.transpose(m(), 0, 1)), 1).toArray()).toEqual([
    [expect.closeTo(1.2339e-4, 7) as number, expect.closeTo(0.99987, 4) as number],
    [expect.closeTo(0, 7) as number, expect.closeTo(1, 7) as number],
  ]);
});

it('plainCpuPlugin computes what cpuPlugin computes', async () => {
  const was = f.runtimes.current;
  f.runtimes.current = new f.Runtime();
  try {
    await init({ plugins: [f.plainCpuPlugin], device: 'cpu' });
    expect(f.softmax(f.tensor([1, 1]), 0).toArray()).toEqual([0.5, 0.5]);
    expect(f.runtimes.current.defaultDevice.kernels.softmax).toBeUndefined();
  } finally {
    f.runtimes.current = was;
  }
});

it('who wants a gradient is told what to import', () => {
  const w = tensor([1, 2], { requiresGrad: true });
  expect(() => f.sum(f.mul(w, w)).backward()).toThrow(expect.objectContaining({ code: 'ERR_NO_METHODS' }));
});
