/**
 * @file Products by matrix units. No adapter of a test machine has WGSL's extension for them, so the kernels are checked as text by Dawn's compiler, on a
 * device that computes nothing, and as numbers with the extension's three functions in plain WGSL. `.ci/run` has the conformance suite do the latter.
 */
import { describe, expect, it } from 'vitest';
import { createConvolution } from '../src/accelerated/convolution.js';
import { createLinear } from '../src/accelerated/linear.js';
import { DirectQueue } from '../src/device/direct-queue.js';
import { Launcher } from '../src/device/launcher.js';
import type { AdapterFacts } from '../src/device/queue.js';
import { createWebGpuBackend } from '../src/index.js';
import { Context } from '../src/kernels/context.js';
import { candidates, tryMatrixUnits } from '../src/kernels/matrix-check.js';
import { createMatmul } from '../src/kernels/matmul.js';
import { BufferPool } from '../src/memory/buffer-pool.js';
import { type MatrixConfig, unitName } from '../src/wgsl/matrix-unit.js';
import type { GpuView } from '../src/wgsl/views.js';
import { openHere } from './support/dawn.js';
import { noAdapter } from './support/device.js';

const config = (types: 'f16 f16' | 'f16 f32' | 'f32 f32' | 'i8 i32', M: number, N: number, K: number): MatrixConfig => {
  const [componentType, resultComponentType] = types.split(' ');
  return { componentType, resultComponentType, M, N, K };
};

/** What Dawn is known to report of GPUs. */
const NVIDIA = [config('f16 f16', 16, 16, 16), config('f16 f32', 16, 16, 16), config('f16 f32', 16, 8, 16), config('i8 i32', 16, 16, 32)];
const APPLE = [config('f32 f32', 8, 8, 8), config('f16 f16', 8, 8, 8)];

/** Kernels on a device, whose adapter is said to be as `facts` says. */
function contextOf(device: GPUDevice, facts: AdapterFacts): { context: Context; labels: string[] } {
  const queue = new DirectQueue(device, facts);
  const launcher = new Launcher(queue, { softwareKernels: false });
  const labels: string[] = [];
  launcher.onLaunch = (label) => void labels.push(label);
  return {
    context: new Context(launcher, new BufferPool(queue, { maxBytes: Infinity, poolBytes: 2 ** 28, maxBufferBytes: 2 ** 28 })),
    labels,
  };
}

const nothing = (matrixConfigs: readonly MatrixConfig[]): Promise<{ context: Context; labels: string[] }> =>
  openHere(['backend=null', 'enable-dawn-features=allow_unsafe_apis'], { subgroupMatrices: true }).then(({ device, facts }) =>
    contextOf(device, { ...facts, matrixConfigs, subgroupSizes: [32, 32] }),
  );

function view({ pool }: Context, dtype: 'float16' | 'float32' | 'bfloat16', shape: readonly number[]): GpuView {
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((n, size) => n * size, 1));
  return { buffer: pool.allocate(dtype, shape[0] * strides[0]), dtype, shape, strides, offset: 0 };
}
const turned = ({ shape: [b, m, n], strides: [s, t, u], ...rest }: GpuView): GpuView => ({ ...rest, shape: [b, n, m], strides: [s, u, t] });

describe('units of an adapter', () => {
  it.each([
    ['those with sums in float32, the largest first', NVIDIA, [32, 32], ['f16 16x16x16', 'f16 16x8x16']],
    ['no float16 sums', APPLE, [32, 32], ['f32 8x8x8']],
    ['by subgroups of 32 where there are several sizes', APPLE, [16, 64], ['f32 8x8x8']],
    ['no sizes that a tile is no multiple of', [config('f16 f32', 12, 16, 16), config('f16 f32', 16, 16, 64)], [32, 32], []],
  ] as const)('%s', async (_, configs, sizes, expected) => {
    const { context } = await nothing(configs);
    const facts = { ...context.launcher.queue.facts, subgroupSizes: sizes };
    const found = candidates(facts);
    expect(found.map(unitName)).toEqual(expected);
    for (const unit of found) expect([unit.lanes, unit.pinned]).toEqual([32, sizes[0] !== sizes[1]]);
    expect(candidates({ ...facts, features: ['subgroups'] })).toEqual([]);
  });
});

describe("the kernels' text", () => {
  it('compiles, whatever is multiplied', async () => {
    const { context, labels } = await nothing([...NVIDIA, ...APPLE, config('f16 f32', 8, 16, 16), config('f16 f32', 8, 8, 8)]);
    const units = candidates(context.launcher.queue.facts);
    expect(units).toHaveLength(5);
    const [matmul, linear] = [createMatmul(context), createLinear(context)];
    const { convolution, convolutionInputGrad, convolutionWeightGrad } = createConvolution(context);
    for (const unit of units) {
      for (const pinned of [false, true]) {
        context.launcher.matrixUnits = [{ ...unit, pinned }];
        for (const dtype of ['float16', 'float32', 'bfloat16'] as const) {
          if (unit.component === 'f16' && dtype !== 'float16') continue;
          // Vectors, elements, and the two the other way round; K in parts at the end.
          for (const inner of [64, 67, 2048]) {
            const [a, b, out] = [
              view(context, dtype, [2, 64, inner]),
              view(context, dtype, [2, inner, 72]),
              view(context, 'float32', [2, 64, 72]),
            ];
            matmul(a, b, out);
            if (inner < 100) matmul(turned(b), turned(a), turned(out));
          }
        }
        if (unit.component === 'f16') continue;
        const [x, w, bias] = [
          view(context, 'float32', [2, 40, 9, 9]),
          view(context, 'float32', [48, 40, 3, 3]),
          view(context, 'float32', [48]),
        ];
        const y = view(context, 'float32', [2, 48, 9, 9]);
        const window = { stride: [1, 1], padding: [1, 1], dilation: [1, 1] };
        linear(view(context, 'float32', [64, 36]), view(context, 'float32', [48, 36]), bias, view(context, 'float32', [64, 48]));
        convolution(x, w, bias, y, window, 1);
        convolutionInputGrad(y, w, x, window, 1);
        convolutionWeightGrad(x, y, w, window, 1);
      }
    }
    expect(labels.length).toBeGreaterThan(60);
    expect(labels.every((label) => /, (matrix units|parts)$/.test(label))).toBe(true);
    // Throws what the device has refused.
    await context.launcher.queue.read(1, 0, 16, false);
  });

  it("compiles in the extension's first form, of which Dawn warns", async () => {
    const { context } = await nothing(NVIDIA);
    context.launcher.matrixUnits = [{ ...candidates(context.launcher.queue.facts)[0], form: 'flags' }];
    createMatmul(context)(
      view(context, 'float16', [1, 64, 64]),
      view(context, 'float16', [1, 64, 64]),
      view(context, 'float32', [1, 64, 64]),
    );
    await expect(context.launcher.queue.read(1, 0, 16, false)).resolves.toHaveLength(16);
  });

  it('has nothing of the extension while the option is off', async () => {
    const { context, labels } = await nothing(NVIDIA);
    createMatmul(context)(
      view(context, 'float16', [1, 64, 64]),
      view(context, 'float16', [1, 64, 64]),
      view(context, 'float32', [1, 64, 64]),
    );
    expect(labels).toEqual(['matmul']);
  });
});

describe('the trial at the start', () => {
  it('refuses a unit that computes something else, and says what', async () => {
    const { context } = await nothing([NVIDIA[1], APPLE[0]]);
    expect(await tryMatrixUnits(context, false)).toEqual({
      used: [],
      refused: [
        expect.stringMatching(/^f16 16x16x16: a product came out wrong: \(0, 0\) is \S+ in place of 4193681$/),
        expect.stringMatching(/^f32 8x8x8: a product came out wrong/),
      ],
    });
    expect(context.launcher.matrixUnits).toEqual([]);
  });

  it.skipIf(noAdapter)('refuses one whose kernel the device does not take, after which the device works as before', async () => {
    const { device, facts } = await openHere();
    const { context } = contextOf(device, {
      ...facts,
      features: ['subgroups', 'subgroup_id', 'chromium-experimental-subgroup-matrix'],
      matrixConfigs: [APPLE[0]],
    });
    const { used, refused } = await tryMatrixUnits(context, false);
    expect([used, refused]).toEqual([
      [],
      [expect.stringMatching(/^f32 8x8x8: .*extension 'chromium_experimental_subgroup_matrix' is not allowed/)],
    ]);
    const { queue } = context.launcher;
    const { buffer } = view(context, 'float32', [1]);
    queue.write(buffer.id, 0, new Uint8Array(Float32Array.of(3).buffer));
    expect([...new Float32Array((await queue.read(buffer.id, 0, 4, false)).buffer)]).toEqual([3]);
    queue.destroyDevice();
  });

  it.skipIf(noAdapter)('says that an adapter has none', async () => {
    const gpu = await createWebGpuBackend({ subgroupMatrices: true });
    if (gpu.adapter.matrixConfigs.length === 0)
      expect(gpu.matrixUnits).toEqual({ used: [], refused: [expect.stringContaining('no matrix units')] });
    await gpu.dispose();
    const off = await createWebGpuBackend();
    expect([off.matrixUnits.used, off.adapter.matrixConfigs]).toEqual([[], []]);
    await off.dispose();
  });
});

describe.skipIf(noAdapter)('with the three functions in plain WGSL', () => {
  it('the trial passes, and products by matrices are what they are by tiles; slim ones and those of integers stay with others', async () => {
    const gpu = await createWebGpuBackend({ subgroupMatrices: 'emulated' });
    expect(gpu.matrixUnits).toEqual({ used: ['f32 16x8x4'], refused: [] });
    const labels: string[] = [];
    gpu.onLaunch = (label) => void labels.push(label);
    const filled = (dtype: 'float32' | 'int32', ...shape: [number, number]) => {
      const numbers = Array.from({ length: shape[0] * shape[1] }, (_, i) => ((i * 31) % 17) - 8);
      const values = dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers);
      const buffer = gpu.allocate(dtype, values.length);
      gpu.write(buffer, 0, new Uint8Array(values.buffer));
      return { values, shape, view: { buffer, dtype, shape: [1, ...shape], strides: [0, shape[1], 1], offset: 0 } as const };
    };
    const multiply = async (dtype: 'float32' | 'int32', m: number, k: number, n: number): Promise<void> => {
      const [a, b, out] = [filled(dtype, m, k), filled(dtype, k, n), filled(dtype, m, n)];
      gpu.kernels.matmul(a.view, b.view, out.view);
      const bytes = await gpu.read(out.view.buffer, 0, m * n);
      const found = dtype === 'int32' ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer);
      const right = Array.from({ length: m * n }, (_, e) => {
        let sum = 0;
        for (let i = 0; i < k; i++) sum += a.values[Math.floor(e / n) * k + i] * b.values[i * n + (e % n)];
        return sum;
      });
      expect([...found]).toEqual(right);
    };
    await multiply('float32', 33, 17, 129);
    await multiply('float32', 32, 17, 65);
    await multiply('int32', 33, 16, 33);
    expect(labels.map((label) => label.endsWith('matrix units'))).toEqual([true, false, false]);
    await gpu.dispose();
  });
});
