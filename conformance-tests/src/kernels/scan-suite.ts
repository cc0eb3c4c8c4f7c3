/** @file scan: running sums, products, extremes and logsumexp, from either end. */
import type { DType, ScanKind } from '@tessera/core';
import type { Suite } from '../suite.js';
import type { Bench } from './bench.js';
import { kernelSuite, type KernelTests } from './case.js';
import { type Allowance, checkArray, EXACT } from './check-array.js';
import { type HostArray, hostArray, placeOf, randomArray, withInfinity, withNaN } from './host.js';
import { CONTIGUOUS, type Layout, LAYOUTS, STEPPED } from './layouts.js';

const SHAPE = [5, 7, 3];
/** Values whose running products neither vanish nor overflow. */
const gentle = (rows: number, columns: number): HostArray =>
  hostArray('float32', [rows, columns], (_, place) => (place % 2 === 0 ? 1.125 : 1 / 1.125) * ((place * 31) % 7 === 0 ? -1 : 1));
/** Below it, precision is lost, and devices may flush to zero. */
const SMALLEST_NORMAL = 2 ** -126;
const SCANS: readonly ScanKind[] = ['sum', 'prod', 'max', 'min', 'logsumexp'];

export const scanSuite = (): Suite => kernelSuite('scan', scanTests);

function* scanTests(): KernelTests {
  for (const kind of SCANS) {
    for (const axis of [0, 1, 2])
      for (const reverse of [false, true])
        yield [
          `${kind}/axis-${axis}${reverse ? '-reverse' : ''}`,
          (bench) => scanTest(bench, kind, reverse, randomArray('float32', SHAPE, 21), axis),
        ];
    for (const axis of [0, 2, 3])
      yield [`${kind}/four-dims-${axis}`, (bench) => scanTest(bench, kind, true, randomArray('float32', [3, 2, 5, 2], 25), axis, STEPPED)];
    for (const layout of LAYOUTS)
      yield [`${kind}/${layout.name}`, (bench) => scanTest(bench, kind, false, randomArray('float32', [4, 11], 22), 1, layout)];
    for (const dtype of ['float32', 'float64', 'int32'] as const)
      if (kind !== 'logsumexp' || dtype !== 'int32')
        yield [`${kind}/${dtype}`, (bench) => scanTest(bench, kind, false, randomArray(dtype, [3, 13], 23), 1)];
    yield [`${kind}/nan`, (bench) => scanTest(bench, kind, false, withNaN(), 1)];
    yield [`${kind}/infinity`, (bench) => scanTest(bench, kind, false, withInfinity(), 1)];
    for (const size of [31, 33, 64, 65, 127, 129, 257, 4099])
      yield [`${kind}/size-${size}`, (bench) => scanTest(bench, kind, size % 2 === 0, gentle(2, size), 1)];
    yield [`${kind}/column-1031`, (bench) => scanTest(bench, kind, true, gentle(1031, 3), 0)];
    yield [
      `${kind}/nan-far-on`,
      (bench) =>
        scanTest(
          bench,
          kind,
          false,
          hostArray('float32', [2, 700], ([i, j]) => (i === 1 && j === 555 ? NaN : 1 + (j % 3) / 512)),
          1,
        ),
    ];
    yield [`${kind}/prime`, (bench) => scanTest(bench, kind, false, randomArray('float32', [2, 1031], 24), 1)];
  }
}

async function scanTest(
  bench: Bench,
  kind: ScanKind,
  reverse: boolean,
  x: HostArray,
  axis: number,
  layout: Layout = CONTIGUOUS,
): Promise<void> {
  bench.needs('scan', x.dtype);
  const out = bench.output(x.dtype, x.shape, layout);
  bench.kernels.scan(kind, reverse, bench.input(x, layout), out, axis);
  const exact = scanned(kind, reverse, x, axis);
  const sizes = scanned('sum', reverse, { ...x, data: x.data.map((v) => (Math.abs(v) < Infinity ? Math.abs(v) : 0)) }, axis);
  // In float32 a running product rounds once a factor, by half a unit each time.
  const unit = x.dtype === 'float64' ? 1e-13 : Math.max(1e-5, kind === 'prod' ? x.shape[axis] * 2 ** -24 : 0);
  const allowed: Allowance =
    x.dtype === 'int32' || kind === 'max' || kind === 'min'
      ? EXACT
      : (expected, place) =>
          Math.max(SMALLEST_NORMAL, unit * (kind === 'sum' ? sizes.data[place] : Math.abs(expected) + (kind === 'prod' ? 0 : 0.1)));
  checkArray(kind, await bench.result(out), exact, allowed);
}

function scanned(kind: ScanKind, reverse: boolean, { dtype, shape, data }: HostArray, axis: number): HostArray {
  const out = new Array<number>(data.length);
  const n = shape[axis];
  hostArray('int32', shape, (index) => {
    if (index[axis] !== 0) return 0;
    let sum: number | undefined;
    for (let k = 0; k < n; k++) {
      const place = placeOf(
        index.map((i, d) => (d === axis ? (reverse ? n - 1 - k : k) : i)),
        shape,
      );
      const x = data[place];
      sum = sum === undefined ? x : step(kind, sum, x, dtype);
      out[place] = sum;
    }
    return 0;
  });
  return { dtype, shape, data: out };
}

function step(kind: ScanKind, a: number, b: number, dtype: DType): number {
  if (kind === 'sum') return dtype === 'int32' ? (a + b) | 0 : a + b;
  if (kind === 'prod') return dtype === 'int32' ? Math.imul(a, b) : a * b;
  if (kind === 'max') return Math.max(a, b);
  if (kind === 'min') return Math.min(a, b);
  const most = Math.max(a, b);
  return Math.abs(most) < Infinity ? most + Math.log(Math.exp(a - most) + Math.exp(b - most)) : most;
}
