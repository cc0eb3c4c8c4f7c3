/**
 * @file Core's ops on the accelerated kernels against the same ops on the seven alone: values, gradients, gradients of gradients, and that the
 * kernels are in fact reached.
 */
import {
  batchNorm,
  CONTRACT_VERSION,
  crossEntropyOfClasses,
  type DType,
  grad,
  gradcheck,
  gradgradcheck,
  groupNorm,
  instanceNorm,
  KERNEL_DTYPES,
  layerNorm,
  type NllLossOptions,
  rmsNorm,
  runtimes,
  scaledDotProductAttention,
  type Tensor,
  tensor,
} from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { CpuBackend, cpuPlugin } from '../src/index.js';
import { randoms, sizeOf } from './views.js';

/** The CPU backend with the seven required kernels only. */
class BareBackend extends CpuBackend {
  override readonly id = 'bare';
  override readonly kernels = Object.fromEntries(
    Object.entries(new CpuBackend().kernels).filter(([name]) => name in KERNEL_DTYPES),
  ) as unknown as CpuBackend['kernels'];
}

beforeAll(async () => {
  runtimes.current.use(cpuPlugin).use({
    name: 'bare',
    version: '0',
    contract: CONTRACT_VERSION,
    register({ container, core }) {
      const create = (): BareBackend => new BareBackend();
      container.register(core.BACKEND, {
        useValue: { id: 'bare', priority: -1, isAvailable: () => ({ available: true }), create, createSync: create },
      });
    },
  });
  await runtimes.current.init({ device: 'cpu' });
  await runtimes.current.start('bare');
});

/** What `fn` launches on the CPU device. */
function launchesOf(fn: () => void): string[] {
  const device = runtimes.current.device('cpu');
  const seen: string[] = [];
  device.onLaunch = ({ kernel }) => seen.push(kernel);
  try {
    fn();
  } finally {
    device.onLaunch = null;
  }
  return seen;
}

type Build = (device: string, dtype: DType) => { inputs: Tensor[]; out: (inputs: readonly Tensor[]) => Tensor };

const leaf = (shape: readonly number[], seed: number, device: string, dtype: DType): Tensor =>
  tensor(Float64Array.from(randoms(seed, sizeOf(shape), -1.5, 2)), { dtype, device })
    .reshape(shape)
    .clone()
    .requiresGrad_();

/** Inputs of these shapes, all with gradients. */
const of =
  (shapes: readonly (readonly number[])[], fn: (...inputs: Tensor[]) => Tensor): Build =>
  (device, dtype) => ({ inputs: shapes.map((s, i) => leaf(s, i + 1, device, dtype)), out: (inputs) => fn(...inputs) });

const classes = (device: string, values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'int32', device }).reshape(shape);
const loss = (shape: readonly number[], targets: readonly number[], options: NllLossOptions = {}): Build =>
  of([shape], (x) => crossEntropyOfClasses(x, classes(x.device.id, targets, [shape[0]!, ...shape.slice(2)]), options));
const boolMask = (x: Tensor, rows: readonly (readonly number[])[]): Tensor => tensor(rows, { dtype: 'bool', device: x.device });

/** What is run, and the kernels that its forward and its backward must reach. */
const CASES: readonly (readonly [name: string, build: Build, kernel: string])[] = [
  ['layerNorm', of([[3, 4, 5], [5], [5]], (x, w, b) => layerNorm(x, 5, w, b)), 'layerNorm'],
  [
    'layerNorm over two dims',
    of(
      [
        [3, 4, 5],
        [4, 5],
        [4, 5],
      ],
      (x, w, b) => layerNorm(x, [4, 5], w, b),
    ),
    'layerNorm',
  ],
  ['layerNorm without weight', of([[7, 11]], (x) => layerNorm(x, 11)), 'layerNorm'],
  ['layerNorm of a transposed view', of([[5, 7], [5]], (x, w) => layerNorm(x.t(), 5, w)), 'layerNorm'],
  ['rmsNorm', of([[3, 5], [5]], (x, w) => rmsNorm(x, 5, w, { eps: 0.1 })), 'layerNorm'],
  ['groupNorm', of([[2, 6, 3], [6], [6]], (x, w, b) => groupNorm(x, 3, w, b)), 'layerNorm'],
  ['instanceNorm', of([[2, 3, 2, 3], [3], [3]], (x, w, b) => instanceNorm(x, null, null, w, b)), 'layerNorm'],
  ['batchNorm', of([[4, 3, 2, 3], [3], [3]], (x, w, b) => batchNorm(x, null, null, w, b, { training: true })), 'batchNorm'],
  ['batchNorm of rows', of([[5, 3]], (x) => batchNorm(x, null, null, null, null, { training: true })), 'batchNorm'],
  [
    'attention',
    of(
      [
        [2, 3, 4, 5],
        [2, 3, 7, 5],
        [2, 3, 7, 3],
      ],
      (q, k, v) => scaledDotProductAttention(q, k, v),
    ),
    'attention',
  ],
  [
    'causal attention',
    of(
      [
        [3, 5, 2],
        [3, 4, 2],
        [3, 4, 2],
      ],
      (q, k, v) => scaledDotProductAttention(q, k, v, { isCausal: true }),
    ),
    'attention',
  ],
  [
    'attention of heads that lie side by side, with grouped keys',
    of(
      [
        [2, 4, 4, 3],
        [2, 5, 2, 3],
        [2, 5, 2, 3],
      ],
      (q, k, v) => scaledDotProductAttention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), { enableGqa: true, scale: -0.7 }),
    ),
    'attention',
  ],
  [
    'attention with a padding mask',
    of(
      [
        [2, 3, 4, 2],
        [2, 3, 3, 2],
        [2, 1, 3, 2],
      ],
      (q, k, v) =>
        scaledDotProductAttention(q, k, v, {
          attnMask: boolMask(q, [
            [1, 0, 1],
            [1, 1, 0],
          ]).reshape(2, 1, 1, 3),
        }),
    ),
    'attention',
  ],
  [
    'attention with rows that may see nothing',
    of(
      [
        [2, 3],
        [4, 3],
        [4, 3],
      ],
      (q, k, v) =>
        scaledDotProductAttention(q, k, v, {
          attnMask: boolMask(q, [
            [0, 0, 0, 0],
            [1, 0, 1, 1],
          ]),
        }),
    ),
    'attention',
  ],
  [
    'attention with a float mask, some of it −∞',
    of(
      [
        [2, 3],
        [3, 3],
        [3, 3],
      ],
      (q, k, v) =>
        scaledDotProductAttention(q, k, v, {
          attnMask: tensor(
            [
              [-Infinity, -Infinity, -Infinity],
              [0.5, -Infinity, -1],
            ],
            { dtype: q.dtype, device: q.device },
          ),
        }),
    ),
    'attention',
  ],
  ['crossEntropy', loss([5, 7], [0, 6, -100, 3, 3]), 'crossEntropy'],
  ['crossEntropy, summed', loss([3, 2], [1, 0, 1], { reduction: 'sum' }), 'crossEntropy'],
  ['crossEntropy, unreduced, another ignored class', loss([3, 4], [1, 2, 0], { reduction: 'none', ignoreIndex: 2 }), 'crossEntropy'],
  [
    'crossEntropy of positions in the last dim of what was rows',
    of([[2, 3, 4]], (x) => crossEntropyOfClasses(x.transpose(1, 2), classes(x.device.id, [0, 3, 1, -100, 2, 2], [2, 3]))),
    'crossEntropy',
  ],
];

/** The result, its gradients, and the gradients of a number made of these. */
function everything(build: Build, device: string, dtype: DType): number[][] {
  const { inputs, out } = build(device, dtype);
  const y = out(inputs);
  const weights = leaf(y.shape, 99, device, dtype).detach();
  const first = grad(y, inputs, { gradOutputs: weights });
  const second = grad(out(inputs), inputs, { gradOutputs: weights, createGraph: true });
  const number = second.map((g) => g!.square().sum()).reduce((a, b) => a.add(b));
  const third = grad(number, inputs, { allowUnused: true, materializeGrads: true });
  return [y, ...first, ...second, ...third].map((t) => Array.from(t!.detach().data()));
}

describe.each(CASES)('%s', (_name, build, kernel) => {
  it.each([['float64', 1e-10] as const, ['float32', 5e-5] as const])('%s gives what the seven kernels give', (dtype, allowed) => {
    const [fast, plain] = [everything(build, 'cpu', dtype), everything(build, 'bare', dtype)];
    expect(fast.length).toBe(plain.length);
    plain.forEach((want, i) => {
      const scale = want.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
      want.forEach((v, j) => expect(Math.abs(fast[i]![j]! - v) / scale, `tensor ${i}, element ${j}`).toBeLessThan(allowed));
    });
  });

  it('reaches its kernels, and their gradients where no graph of gradients is wanted', () => {
    const { inputs, out } = build('cpu', 'float32');
    const y = out(inputs);
    expect(launchesOf(() => out(inputs).realize())).toContain(kernel);
    const gradOutputs = leaf(y.shape, 9, 'cpu', 'float32').detach();
    expect(launchesOf(() => grad(y, inputs, { gradOutputs, retainGraph: true }))).toContain(`${kernel}Grad`);
    expect(launchesOf(() => grad(y, inputs, { gradOutputs, createGraph: true }))).not.toContain(`${kernel}Grad`);
  });

  it('has the derivatives that finite differences give', () => {
    const { inputs, out } = build('cpu', 'float64');
    expect(gradcheck((...xs: Tensor[]) => out(xs), inputs)).toBe(true);
    expect(gradgradcheck((...xs: Tensor[]) => out(xs), inputs)).toBe(true);
  });
});

describe('what the kernels do not take is composed', () => {
  const halves = (shape: readonly number[]): Tensor => leaf(shape, 1, 'cpu', 'float32').detach().to('float16').requiresGrad_();

  it('halves are normed in float32', () => {
    const x = halves([3, 5]);
    const y = layerNorm(x, 5);
    expect(y.dtype).toBe('float16');
    expect(grad(y.square().sum(), [x])[0]!.dtype).toBe('float16');
    expect(crossEntropyOfClasses(x, classes('cpu', [0, 4, 2])).dtype).toBe('float16');
  });

  it('dropout, and masks that learn', () => {
    const [q, mask] = [leaf([3, 2], 1, 'cpu', 'float32'), leaf([3, 3], 2, 'cpu', 'float32')];
    expect(launchesOf(() => scaledDotProductAttention(q, q, q, { dropoutP: 0.5 }).realize())).not.toContain('attention');
    let out: Tensor | null = null;
    expect(launchesOf(() => (out = scaledDotProductAttention(q, q, q, { attnMask: mask }).realize()))).not.toContain('attention');
    expect(grad(out!.square().sum(), [mask])[0]!.abs().sum().item()).toBeGreaterThan(0);
  });

  it('weights of classes, and targets of wrong shapes are refused as ever', () => {
    const x = leaf([2, 3], 1, 'cpu', 'float32');
    const weight = tensor([1, 2, 3], { device: 'cpu' });
    expect(launchesOf(() => crossEntropyOfClasses(x, classes('cpu', [0, 2]), { weight }).realize())).not.toContain('crossEntropy');
    expect(() => crossEntropyOfClasses(x, classes('cpu', [0, 2, 1]))).toThrow(expect.objectContaining({ code: 'ERR_TARGET_SHAPE' }));
    expect(() => crossEntropyOfClasses(x, classes('cpu', [0, 3]))).toThrow(expect.objectContaining({ code: 'ERR_INDEX_RANGE' }));
  });
});

it('the running statistics move toward those of the batch', () => {
  const results = ['cpu', 'bare'].map((device) => {
    const [mean, variance] = [0, 1].map((v) => tensor([v, v, v], { device }));
    batchNorm(leaf([4, 3, 2], 1, device, 'float32'), mean!, variance!, null, null, { training: true, momentum: 0.3 });
    return [...mean!.data(), ...variance!.data()];
  });
  results[0]!.forEach((v, i) => expect(v).toBeCloseTo(results[1]![i]!, 5));
});
