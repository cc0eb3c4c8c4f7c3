/** @file gather and scatter: dims, layouts, dtypes, repeated indices, and indices that are out of range. */
import { type DType, DTYPES, isTesseraError, KERNEL_DTYPES, SCATTER_REDUCE_DTYPES, type ScatterKind, type View } from '@tessera/core';
import { Mismatch } from '../check/result.js';
import type { Suite } from '../suite.js';
import type { Subject } from '../subject/subject.js';
import type { Bench } from './bench.js';
import { kernelSuite, type KernelTests } from './case.js';
import { checkArray } from './check-array.js';
import { eachIndex, type HostArray, hostArray, placeOf, randomArray } from './host.js';
import { broadcast, CONTIGUOUS, type Layout, LAYOUTS, OFFSET } from './layouts.js';

const KINDS: readonly ScatterKind[] = ['set', 'add', 'mul', 'max', 'min'];

/** Indices into a dim of `size`, of any shape; several name the same entry. */
const indicesInto = (size: number, shape: readonly number[]): HostArray =>
  hostArray('int32', shape, (_, place) => (place * 7 + (place % 3)) % size);
const replaced = (index: readonly number[], dim: number, by: number): number[] => index.map((i, d) => (d === dim ? by : i));

export const gatherSuite = (): Suite => kernelSuite('gather', gatherTests);

function* gatherTests(): KernelTests {
  for (const dim of [0, 1, 2])
    for (const layout of LAYOUTS) yield [`dim-${dim}/${layout.name}`, (bench) => gatherTest(bench, 'float32', dim, layout)];
  for (const dtype of DTYPES) yield [`${dtype}`, (bench) => gatherTest(bench, dtype, 1, OFFSET)];
  for (const size of [31, 33, 129, 257, 4099]) yield [`size-${size}`, (bench) => manyPlaces(bench, size)];
  for (const dim of [0, 1]) yield [`rows/dim-${dim}`, (bench) => rows(bench, dim)];
  for (const bad of [-1, 5, 2147483647, -2147483648]) yield [`out-of-range/${bad}`, (bench, subject) => refusesGather(bench, subject, bad)];
}

async function gatherTest(bench: Bench, dtype: DType, dim: number, layout: Layout): Promise<void> {
  bench.needs('gather', dtype, 'int32');
  const input = randomArray(dtype, [4, 5, 6], 41);
  const shape = replaced(input.shape, dim, 9);
  const indices = indicesInto(input.shape[dim], shape);
  const out = bench.output(dtype, shape, layout);
  bench.kernels.gather(bench.input(input, layout), bench.input(indices, layout), dim, out);
  const expected = hostArray(dtype, shape, (index, place) => input.data[placeOf(replaced(index, dim, indices.data[place]), input.shape)]);
  checkArray('gathered', await bench.result(out), expected);
}

/** As many places as fill no vector and no workgroup. */
async function manyPlaces(bench: Bench, size: number): Promise<void> {
  bench.needs('gather', 'float32', 'int32');
  const input = randomArray('float32', [97], 50);
  const indices = indicesInto(97, [size]);
  const out = bench.output('float32', [size], OFFSET);
  bench.kernels.gather(bench.input(input), bench.input(indices, OFFSET), 0, out);
  checkArray(
    'gathered',
    await bench.result(out),
    hostArray('float32', [size], (_, place) => input.data[indices.data[place]]),
  );
}

/** Whole rows or columns: the index has stride 0 in the other dim, as an embedding's has. */
async function rows(bench: Bench, dim: number): Promise<void> {
  bench.needs('gather', 'float32', 'int32');
  const input = randomArray('float32', [11, 7], 42);
  const shape = replaced(input.shape, dim, 13);
  const other = 1 - dim;
  const indices = hostArray('int32', shape, (index) => (index[dim] * 5) % input.shape[dim]);
  const out = bench.output('float32', shape);
  bench.kernels.gather(bench.input(input), bench.input(indices, broadcast(other)), dim, out);
  checkArray(
    'rows',
    await bench.result(out),
    hostArray('float32', shape, (index, place) => input.data[placeOf(replaced(index, dim, indices.data[place]), input.shape)]),
  );
}

export const scatterSuite = (): Suite => kernelSuite('scatter', scatterTests);

function* scatterTests(): KernelTests {
  for (const kind of KINDS) {
    for (const dim of [0, 1, 2]) yield [`${kind}/dim-${dim}`, (bench) => scatterTest(bench, kind, 'float32', dim, CONTIGUOUS)];
    for (const layout of LAYOUTS) yield [`${kind}/${layout.name}`, (bench) => scatterTest(bench, kind, 'float32', 1, layout)];
    for (const dtype of kind === 'set' ? KERNEL_DTYPES.scatter : SCATTER_REDUCE_DTYPES)
      yield [`${kind}/${dtype}`, (bench) => scatterTest(bench, kind, dtype, 0, OFFSET)];
    yield [`${kind}/many`, (bench) => manySources(bench, kind)];
    yield [`${kind}/same-target`, (bench) => sameTarget(bench, kind)];
    yield [`${kind}/repeatable`, (bench) => repeatable(bench, kind)];
    yield [`${kind}/nan`, (bench) => scatterNaN(bench, kind)];
  }
  for (const bad of [-1, 5, 2147483647, -2147483648])
    yield [`out-of-range/${bad}`, (bench, subject) => refusesScatter(bench, subject, bad)];
}

async function scatterTest(bench: Bench, kind: ScatterKind, dtype: DType, dim: number, layout: Layout): Promise<void> {
  bench.needs('scatter', dtype, 'int32');
  const target = randomArray(dtype, [4, 5, 6], 43);
  const source = randomArray(dtype, replaced(target.shape, dim, 9), 44);
  await check(bench, kind, target, indicesInto(target.shape[dim], source.shape), source, dim, layout);
}

async function check(
  bench: Bench,
  kind: ScatterKind,
  target: HostArray,
  indices: HostArray,
  source: HostArray,
  dim: number,
  layout: Layout,
): Promise<HostArray> {
  const out = bench.input(target, layout);
  bench.kernels.scatter(kind, bench.input(indices, layout), bench.input(source, layout), dim, out);
  const got = await bench.result(out);
  const float = target.dtype === 'float32' || target.dtype === 'float64';
  checkArray(`scatter ${kind}`, got, scattered(kind, target, indices, source, dim), (expected) =>
    float && (kind === 'add' || kind === 'mul') ? 1e-5 * Math.max(1, Math.abs(expected)) : 0,
  );
  return got;
}

/** The last in row-major order wins in `set`. */
function scattered(kind: ScatterKind, target: HostArray, indices: HostArray, source: HostArray, dim: number): HostArray {
  const data = [...target.data];
  const integers = target.dtype === 'int32';
  eachIndex(source.shape, (index, place) => {
    const to = placeOf(replaced(index, dim, indices.data[place]), target.shape);
    const x = source.data[place];
    const old = data[to];
    if (kind === 'set') data[to] = x;
    else if (kind === 'add') data[to] = integers ? (old + x) | 0 : old + x;
    else if (kind === 'mul') data[to] = integers ? Math.imul(old, x) : old * x;
    else data[to] = kind === 'max' ? Math.max(old, x) : Math.min(old, x);
  });
  return { ...target, data };
}

/** Thousands of sources on few targets, in two dims: where atomics and blocks go wrong. */
async function manySources(bench: Bench, kind: ScatterKind): Promise<void> {
  bench.needs('scatter', 'float32', 'int32');
  const target = hostArray('float32', [7, 3], () => 1);
  const source = hostArray('float32', [1025, 3], (_, place) => 1 + ((place * 31) % 64 === 0 ? 1 / 64 : 0));
  await check(bench, kind, target, indicesInto(7, [1025, 3]), source, 0, CONTIGUOUS);
}

/** All sources meet in one element. */
async function sameTarget(bench: Bench, kind: ScatterKind): Promise<void> {
  bench.needs('scatter', 'float32', 'int32');
  const source = hostArray('float32', [257], (_, place) => 1 + (place % 5) / 64);
  await check(
    bench,
    kind,
    hostArray('float32', [3], () => 1),
    hostArray('int32', [257], () => 1),
    source,
    0,
    CONTIGUOUS,
  );
}

/** Twice the same bits, in whatever order sums are taken. */
async function repeatable(bench: Bench, kind: ScatterKind): Promise<void> {
  bench.needs('scatter', 'float32', 'int32');
  const target = randomArray('float32', [5], 45);
  const source = randomArray('float32', [1000], 46);
  const indices = indicesInto(5, [1000]);
  const run = async (): Promise<HostArray> => {
    const out = bench.input(target);
    bench.kernels.scatter(kind, bench.input(indices), bench.input(source), 0, out);
    return bench.result(out);
  };
  checkArray('the second time', await run(), await run());
}

async function scatterNaN(bench: Bench, kind: ScatterKind): Promise<void> {
  bench.needs('scatter', 'float32', 'int32');
  const source = hostArray('float32', [6], (_, place) => (place === 1 ? NaN : place === 4 ? Infinity : place));
  await check(
    bench,
    kind,
    hostArray('float32', [4], (_, place) => place),
    hostArray('int32', [6], (_, place) => place % 4),
    source,
    0,
    CONTIGUOUS,
  );
}

async function refusesGather(bench: Bench, subject: Subject, bad: number): Promise<void> {
  bench.needs('gather', 'float32', 'int32');
  const out = bench.output('float32', [4]);
  const views = [
    bench.input(randomArray('float32', [5], 47), OFFSET),
    bench.input({ dtype: 'int32', shape: [4], data: [0, bad, 2, 3] }),
  ] as const;
  await refuses(subject, out, () => bench.kernels.gather(views[0], views[1], 0, out));
}

async function refusesScatter(bench: Bench, subject: Subject, bad: number): Promise<void> {
  bench.needs('scatter', 'float32', 'int32');
  const out = bench.input(randomArray('float32', [5], 48), OFFSET);
  const views = [bench.input({ dtype: 'int32', shape: [4], data: [0, bad, 2, 3] }), bench.input(randomArray('float32', [4], 49))] as const;
  await refuses(subject, out, () => bench.kernels.scatter('add', views[0], views[1], 0, out));
  // Nothing outside the view may have been written.
  await bench.result(out);
}

/** ERR_INDEX_RANGE at the call, or at the next read, and at no later one; unless the call was declined. */
export async function refuses({ device: { backend } }: Subject, out: View, call: () => void, taken = (): boolean => true): Promise<void> {
  let thrown: unknown;
  try {
    call();
    await backend.read(out.buffer, 0, 1);
  } catch (error) {
    thrown = error;
  }
  if (thrown === undefined && !taken()) return;
  if (!isTesseraError(thrown) || thrown.code !== 'ERR_INDEX_RANGE') {
    throw new Mismatch('an index out of range was not refused', 'ERR_INDEX_RANGE', String(thrown));
  }
  await backend.read(out.buffer, 0, 1);
}
