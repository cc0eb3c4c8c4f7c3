/** @file The WebAssembly backend in parts: what each of them brings, and what is said where one is missing. */
import { describe, expect, it } from 'vitest';
import * as f from '../src/functional.js';
import {
  attention,
  convolutions,
  elementaryFunctions,
  indexing,
  pooling,
  products,
  reductions,
  rows,
  specialFunctions,
  threads,
  transposes,
  type WasmPart,
  wasmPluginOf,
  winograd,
} from '../src/wasm.js';

const { arange, init, rand, reshape, tensor, Runtime, runtimes, wasmPlugin } = f;
type Tensor = f.Tensor;

/** Runs `op` on a backend made of `given`. */
async function run(given: readonly WasmPart[] | 'all', op: () => Tensor): Promise<unknown> {
  const was = runtimes.current;
  runtimes.current = new Runtime();
  try {
    await init({ plugins: [given === 'all' ? wasmPlugin : wasmPluginOf(given)], device: 'wasm' });
    f.manualSeed(0);
    return await op().toArrayAsync();
  } finally {
    await runtimes.current.dispose();
    runtimes.current = was;
  }
}

const x = (): Tensor => tensor([-1.5, 0.25, 2]);
const m = (): Tensor => reshape(arange(6, { dtype: 'float32' }), 2, 3);
const image = (): Tensor => rand(2, 8, 12, 12);

const flat = (values: unknown): number[] => (values as number[]).flat(4);

it('without any part there are memory and pointwise programs', async () => {
  expect(await run([], () => f.add(x(), 1))).toEqual([-0.5, 1.25, 3]);
  expect(await run([], () => f.where(f.gt(x(), 0), f.sqrt(x()), f.relu(f.mul(x(), x()))))).toEqual([
    2.25,
    0.5,
    expect.closeTo(Math.SQRT2, 6),
  ]);
  expect(await run([], () => f.cast(f.remainder(tensor([7, -7], { dtype: 'int32' }), 4), 'float16'))).toEqual([3, 1]);
});

describe.each([
  { part: reductions, op: () => f.sum(m(), 1), expected: [3, 12] },
  { part: products, op: () => f.matmul(m(), f.unsqueeze(x(), 1)), expected: [[4.25], [6.5]] },
  { part: indexing, op: () => f.indexSelect(x(), 0, tensor([2, 0], { dtype: 'int32' })), expected: [2, -1.5] },
  { part: elementaryFunctions, op: () => f.exp(f.sub(x(), x())), expected: [1, 1, 1] },
  { part: elementaryFunctions, op: () => f.gelu(f.sub(x(), x())), expected: [0, 0, 0] },
  { part: specialFunctions, op: () => f.gelu(f.to(f.sub(x(), x()), 'float64')), expected: [0, 0, 0] },
])('$part.name', ({ part, op, expected }) => {
  it('is what its ops need', async () => expect(await run([part], op)).toEqual(expected));

  it('missing, it is named', async () => {
    await expect(run([], op)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_PART_LEFT_OUT', message: expect.stringContaining(`'${part.name}'`) }),
    );
  });
});

describe('parts that only make things faster', () => {
  const needed = [convolutions, elementaryFunctions, indexing, products, reductions];

  const conv = (): Tensor => f.conv2d(image(), rand(8, 8, 3, 3), rand(8), { padding: 1 });
  const qkv = (): Tensor => rand(1, 2, 9, 4);

  it.each([
    { part: convolutions, op: conv },
    { part: winograd, op: conv },
    { part: pooling, op: () => f.maxPool2d(image(), 2) },
    { part: rows, op: () => f.softmax(rand(5, 17), 1) },
    { part: attention, op: () => f.scaledDotProductAttention(qkv(), qkv(), qkv()) },
    { part: transposes, op: () => f.add(f.transpose(rand(90, 70), 0, 1), rand(70, 90)) },
    { part: threads, op: () => f.matmul(rand(300, 300), rand(300, 300)) },
  ])('$part.name', async ({ part, op }) => {
    const without = needed.filter((given) => given !== part);
    const reference = flat(await run('all', op));
    for (const given of [without, [...needed, part]])
      expect(flat(await run(given, op)).every((value, i) => Math.abs(value - reference[i]!) <= 1e-4 * Math.max(1, Math.abs(value)))).toBe(
        true,
      );
  });
});
