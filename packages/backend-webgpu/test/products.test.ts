/** @file Which kernel a matrix product gets, and that those for GPUs are right on drivers that would not choose them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runConformance } from '../../../conformance-tests/src/index.js';
import { F, init, type Plugin, randn, runtimes, type Tensor, tensor } from '../../tessera/src/index.js';
import { createWebGpuBackend, type WebGpuBackend, webgpuPlugin } from '../src/index.js';
import { noAdapter } from './support/device.js';

/** The backend with a GPU's kernels, and the sources that it compiles, by label. */
function gpuKernels(sources: Map<string, string>): Plugin {
  const dumpWgsl = (label: string, code: string): void => void sources.set(label, `${sources.get(label) ?? ''}${code}`);
  return {
    ...webgpuPlugin,
    register({ container, core }) {
      container.register(core.BACKEND, {
        useValue: {
          id: 'webgpu',
          version: '0.1.0',
          priority: 1,
          isAvailable: () => Promise.resolve({ available: true }),
          create: () => createWebGpuBackend({ softwareKernels: false, dumpWgsl }),
        },
      });
    },
  };
}

describe.skipIf(noAdapter)("a GPU's products", () => {
  // The whole suite with these kernels is a step of .ci/run.
  it.each([
    ['tiles by vectors', 'matmul/float32/1x128x256x96', 'matmul', 'array<vec4f>'],
    ['tiles by elements, K in parts', 'matmul/long', 'matmul, parts', 'store('],
    ['dot products of packed halves', 'matmul/float16/1x1x256x40-transposed', 'matmul, dot products', 'dot(a_four'],
  ])('conform: %s', async (_, only, label, text) => {
    const sources = new Map<string, string>();
    const card = await runConformance({ plugin: gpuKernels(sources), device: 'webgpu', levels: ['kernels'], only });
    expect(card.rows.flatMap(({ failures }) => failures.map(({ id, message }) => `${id}: ${message}`))).toEqual([]);
    expect(card.passed).toBe(1);
    expect(sources.get(label)).toContain(text);
  });
});

describe.skipIf(noAdapter)('products of halves', () => {
  let gpu: WebGpuBackend;
  beforeAll(async () => {
    gpu = (await init({ device: 'webgpu' })).backend as WebGpuBackend;
  });
  afterAll(() => runtimes.current.dispose());

  /** What is launched while `fn` runs. */
  const launchesOf = (fn: () => void): string[] => {
    const labels: string[] = [];
    gpu.onLaunch = (label) => void labels.push(label);
    fn();
    gpu.onLaunch = null;
    return labels;
  };
  const random = (...shape: number[]): Tensor => randn(shape).to('float16').realize();

  it('read them as they are: no wide copies of the operands', () => {
    const [x, w] = [random(8, 16), random(16, 12)];
    const labels = launchesOf(() => void x.matmul(w).realize());
    expect(labels).toHaveLength(2);
    expect(labels[0]).toMatch(/^matmul/);
  });

  it('give what the widened operands give, rounded once, and so do the gradients', () => {
    const [x, w, b] = [random(6, 20), random(12, 20), random(12)];
    const run = (wide: boolean): Tensor[] => {
      const leaves = [x, w, b].map((t) => (wide ? t.to('float32') : t).detach().clone().requiresGrad_());
      const out = F.linear(leaves[0], leaves[1], leaves[2]);
      out.square().sum().backward();
      return [out.detach(), ...leaves.map((t) => t.grad!)];
    };
    const [halves, wide] = [run(false), run(true)];
    for (const [i, half] of halves.entries()) {
      expect(half.dtype).toBe('float16');
      const scale = wide[i].abs().amax().item();
      expect(half.to('float32').sub(wide[i]).abs().amax().item()).toBeLessThan(scale * 4e-3);
    }
  });

  it('keep an infinity and a NaN in their rows', () => {
    const x = tensor(
      [
        [1, 2, 3, 4],
        [Infinity, 0, 0, 1],
        [NaN, 0, 0, 0],
      ],
      { dtype: 'float16' },
    );
    const w = tensor([[1], [1], [1], [1]], { dtype: 'float16' });
    expect(x.matmul(w).toArray()).toEqual([[10], [Infinity], [NaN]]);
  });
});
