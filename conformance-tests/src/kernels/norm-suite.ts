/** @file The accelerated layer, root-mean-square and batch norms and their gradients against sums on the host. */
import type { Suite } from '../suite.js';
import { accelerated, type AcceleratedTest } from './accelerated.js';
import { type Allowance, checkArray } from './check-array.js';
import { type HostArray, hostArray, randomArray, withInfinity, withNaN } from './host.js';
import { CONTIGUOUS, type Layout, OFFSET, TRANSPOSED } from './layouts.js';

const EPS = 1e-5;
const LAYOUTS = [CONTIGUOUS, OFFSET, TRANSPOSED];
/** Results are of the order of 1. Gradients sum over rows. */
const near: Allowance = (expected) => 2e-5 * Math.max(1, Math.abs(expected));
const nearSum =
  (terms: number): Allowance =>
  (expected) =>
    2e-5 * Math.max(Math.sqrt(terms), Math.abs(expected));

/**
 * What both kinds of norm have in common: groups of elements with one mean and variance each, and factors. `group` and `factor` say to which of
 * them a place belongs.
 */
interface Norm {
  readonly x: HostArray;
  readonly groups: number;
  readonly factors: number;
  readonly group: (place: number) => number;
  readonly factor: (place: number) => number;
  /** The mean is not subtracted. */
  readonly rms: boolean;
}

interface Statistics {
  readonly mean: HostArray;
  readonly variance: HostArray;
  readonly rstd: HostArray;
}

const f64 = (data: readonly number[], shape: readonly number[] = [data.length]): HostArray => ({ dtype: 'float64', shape, data });
const f32 = ({ data, shape }: HostArray): HostArray => hostArray('float32', shape, (_, place) => data[place]);

/** A sum for each of `count` bins. */
function sums(count: number, { x }: Norm, bin: (place: number) => number, term: (place: number) => number): number[] {
  const totals = new Array<number>(count).fill(0);
  for (let place = 0; place < x.data.length; place++) totals[bin(place)] += term(place);
  return totals;
}

function statistics(norm: Norm): Statistics {
  const { x, groups, group, rms } = norm;
  const count = x.data.length / groups;
  const mean = rms ? new Array<number>(groups).fill(0) : sums(groups, norm, group, (place) => x.data[place]).map((sum) => sum / count);
  const variance = sums(groups, norm, group, (place) => (x.data[place] - mean[group(place)]) ** 2).map((sum) => sum / count);
  return { mean: f64(mean), variance: f64(variance), rstd: f64(variance.map((v) => 1 / Math.sqrt(v + EPS))) };
}

const normed = ({ x, group }: Norm, { mean, rstd }: Statistics): number[] =>
  x.data.map((v, place) => (v - mean.data[group(place)]) * rstd.data[group(place)]);

function forward(norm: Norm, s: Statistics, weight: HostArray | null, bias: HostArray | null): HostArray {
  const { x, factor } = norm;
  return f64(
    normed(norm, s).map((y, place) => y * (weight?.data[factor(place)] ?? 1) + (bias?.data[factor(place)] ?? 0)),
    x.shape,
  );
}

/** rstd · (g − mean(g) − y · mean(g · y)) of each group, g = gradOut · weight; of the root-mean-square norm without mean(g). */
function gradients(
  norm: Norm,
  s: Statistics,
  gradOut: HostArray,
  weight: HostArray | null,
): { input: HostArray; weight: HostArray; bias: HostArray } {
  const { x, groups, factors, group, factor, rms } = norm;
  const y = normed(norm, s);
  const g = gradOut.data.map((v, place) => v * (weight?.data[factor(place)] ?? 1));
  const count = x.data.length / groups;
  const meanG = sums(groups, norm, group, (place) => g[place]).map((sum) => (rms ? 0 : sum / count));
  const meanGY = sums(groups, norm, group, (place) => g[place] * y[place]).map((sum) => sum / count);
  return {
    input: f64(
      g.map((v, place) => s.rstd.data[group(place)] * (v - meanG[group(place)] - y[place] * meanGY[group(place)])),
      x.shape,
    ),
    weight: f64(sums(factors, norm, factor, (place) => gradOut.data[place] * y[place])),
    bias: f64(sums(factors, norm, factor, (place) => gradOut.data[place])),
  };
}

function rowsOf(x: HostArray, rms: boolean): Norm {
  const [rows, columns] = x.shape;
  return { x, groups: rows, factors: columns, group: (place) => Math.floor(place / columns), factor: (place) => place % columns, rms };
}

function channelsOf(x: HostArray): Norm {
  const [, channels, size] = x.shape;
  const channel = (place: number): number => Math.floor(place / size) % channels;
  return { x, groups: channels, factors: channels, group: channel, factor: channel, rms: false };
}

const MATRICES: readonly (readonly [number, number])[] = [
  [1, 1],
  [3, 7],
  [2, 31],
  [2, 33],
  [5, 64],
  [3, 127],
  [2, 129],
  [2, 1031],
  [257, 3],
  [65, 17],
];
const IMAGES: readonly (readonly [number, number, number])[] = [
  [1, 1, 2],
  [2, 3, 5],
  [5, 7, 1],
  [2, 33, 9],
  [3, 2, 1031],
  [33, 5, 31],
  [2, 65, 64],
];
/** Which of weight and bias there are. */
const AFFINE = [
  ['plain', false, false],
  ['weight', true, false],
  ['affine', true, true],
] as const;
/** Values whose mean is a thousand times their spread: the mean of the squares would lose all of it. */
const farFromZero = (shape: readonly number[]): HostArray => {
  const x = randomArray('float32', shape, 93);
  return hostArray('float32', shape, (_, place) => 1000 + x.data[place]);
};

interface NormCase {
  readonly norm: Norm;
  readonly weight: HostArray | null;
  readonly bias: HostArray | null;
  readonly layout: Layout;
  readonly allowed: Allowance;
}

function* cases(
  shapes: readonly (readonly number[])[],
  special: Iterable<readonly [string, HostArray]>,
  normOf: (x: HostArray) => Norm,
): Generator<readonly [string, NormCase]> {
  const make = (x: HostArray, weighted: boolean, biased: boolean, layout: Layout, allowed = near): NormCase => {
    const norm = normOf(x);
    return {
      norm,
      weight: weighted ? randomArray('float32', [norm.factors], 91) : null,
      bias: biased ? randomArray('float32', [norm.factors], 92) : null,
      layout,
      allowed,
    };
  };
  for (const shape of shapes)
    for (const [name, weighted, biased] of AFFINE)
      yield [`${shape.join('x')}/${name}`, make(randomArray('float32', shape, 90), weighted, biased, CONTIGUOUS)];
  for (const layout of LAYOUTS) yield [`layout/${layout.name}`, make(randomArray('float32', shapes[1], 94), true, true, layout)];
  for (const [name, x] of special) yield [name, make(x, true, true, CONTIGUOUS)];
  const far = farFromZero(shapes[3]);
  yield ['far-from-zero', make(far, false, false, CONTIGUOUS, () => 1e-3)];
}

const constant = (shape: readonly number[]): HostArray => hostArray('float32', shape, () => 3);
const layerCases = (rms: boolean): Generator<readonly [string, NormCase]> =>
  cases(
    MATRICES,
    [
      ['nan', withNaN()],
      ['infinity', withInfinity()],
      ['constant', constant([3, 33])],
    ],
    (x) => rowsOf(x, rms),
  );
const batchCases = (): Generator<readonly [string, NormCase]> =>
  cases(
    IMAGES,
    [
      ['nan', hostArray('float32', [2, 3, 4], ([n, c, s]) => (n === 1 && c === 1 && s === 2 ? NaN : n + c - s))],
      ['constant', constant([2, 3, 33])],
    ],
    channelsOf,
  );

type LayerTest = AcceleratedTest<'layerNorm'>;

function* layerNormTests(): Generator<readonly [string, LayerTest]> {
  for (const rms of [false, true]) {
    for (const [name, { norm, weight, bias, layout, allowed }] of layerCases(rms)) {
      yield [
        `${rms ? 'rms' : 'layer'}/${name}`,
        async (bench, kernel) => {
          const { x, groups } = norm;
          const s = statistics(norm);
          const out = bench.output('float32', x.shape, layout);
          const mean = rms ? null : bench.output('float32', [groups]);
          const rstd = bench.output('float32', [groups]);
          const factors = [weight && bench.input(weight), bias && bench.input(bias)] as const;
          if (!kernel(bench.input(x, layout), ...factors, out, mean, rstd, EPS)) return false;
          checkArray('out', await bench.result(out), forward(norm, s, weight, bias), allowed);
          if (mean) checkArray('mean', await bench.result(mean), s.mean, (expected) => 2e-6 * Math.max(1, Math.abs(expected)));
          checkArray('rstd', await bench.result(rstd), s.rstd, (expected) => 1e-4 * Math.abs(expected));
          return true;
        },
      ];
    }
  }
}

/** Gradients of the input, of the factors, or of all: those that are null are not wanted. */
const WANTED = [
  ['all', true, true],
  ['input', true, false],
  ['factors', false, true],
] as const;

function* layerGradTests(): Generator<readonly [string, AcceleratedTest<'layerNormGrad'>]> {
  for (const rms of [false, true]) {
    for (const [name, { norm, weight, layout }] of layerCases(rms)) {
      if (name === 'far-from-zero') continue;
      for (const [part, input, factors] of WANTED) {
        yield [
          `${rms ? 'rms' : 'layer'}/${name}/${part}`,
          async (bench, kernel) => {
            const { x } = norm;
            const s = statistics(norm);
            const gradOut = randomArray('float32', x.shape, 95);
            const gradInput = input ? bench.output('float32', x.shape, layout) : null;
            const [gradWeight, gradBias] = [0, 1].map(() => (factors ? bench.output('float32', [norm.factors]) : null));
            const given = [bench.input(gradOut, layout), bench.input(x, layout), weight && bench.input(weight)] as const;
            const used = [rms ? null : bench.input(f32(s.mean)), bench.input(f32(s.rstd))] as const;
            if (!kernel(...given, ...used, gradInput, gradWeight, gradBias)) return false;
            const expected = gradients(norm, s, gradOut, weight);
            const rstd = Math.max(1, ...s.rstd.data.filter((v) => v < Infinity));
            if (gradInput) checkArray('gradInput', await bench.result(gradInput), expected.input, (v, place) => near(v, place) * rstd);
            if (gradWeight) checkArray('gradWeight', await bench.result(gradWeight), expected.weight, nearSum(norm.groups));
            if (gradBias) checkArray('gradBias', await bench.result(gradBias), expected.bias, nearSum(norm.groups));
            return true;
          },
        ];
      }
    }
  }
}

function* batchNormTests(): Generator<readonly [string, AcceleratedTest<'batchNorm'>]> {
  for (const [name, { norm, weight, bias, layout, allowed }] of batchCases()) {
    yield [
      name,
      async (bench, kernel) => {
        const { x, groups } = norm;
        const s = statistics(norm);
        const out = bench.output('float32', x.shape, layout);
        const [mean, variance] = [bench.output('float32', [groups]), bench.output('float32', [groups])];
        const factors = [weight && bench.input(weight), bias && bench.input(bias)] as const;
        if (!kernel(bench.input(x, layout), ...factors, out, mean, variance, EPS)) return false;
        checkArray('out', await bench.result(out), forward(norm, s, weight, bias), allowed);
        checkArray('mean', await bench.result(mean), s.mean, (expected) => 2e-6 * Math.max(1, Math.abs(expected)));
        checkArray('variance', await bench.result(variance), s.variance, (expected) => 1e-4 * Math.abs(expected));
        return true;
      },
    ];
  }
}

function* batchGradTests(): Generator<readonly [string, AcceleratedTest<'batchNormGrad'>]> {
  for (const [name, { norm, weight, layout }] of batchCases()) {
    if (name === 'far-from-zero') continue;
    for (const [part, input, factors] of WANTED) {
      yield [
        `${name}/${part}`,
        async (bench, kernel) => {
          const { x, groups } = norm;
          const s = statistics(norm);
          const gradOut = randomArray('float32', x.shape, 96);
          const gradInput = input ? bench.output('float32', x.shape, layout) : null;
          const [gradWeight, gradBias] = [0, 1].map(() => (factors ? bench.output('float32', [groups]) : null));
          const given = [bench.input(gradOut, layout), bench.input(x, layout), weight && bench.input(weight)] as const;
          if (!kernel(...given, bench.input(f32(s.mean)), bench.input(f32(s.variance)), EPS, gradInput, gradWeight, gradBias)) return false;
          const expected = gradients(norm, s, gradOut, weight);
          const count = x.data.length / groups;
          const rstd = Math.max(1, ...s.rstd.data.filter((v) => v < Infinity));
          if (gradInput) checkArray('gradInput', await bench.result(gradInput), expected.input, (v, place) => near(v, place) * rstd);
          if (gradWeight) checkArray('gradWeight', await bench.result(gradWeight), expected.weight, nearSum(count));
          if (gradBias) checkArray('gradBias', await bench.result(gradBias), expected.bias, nearSum(count));
          return true;
        },
      ];
    }
  }
}

export const normSuites = (): Suite[] => [
  accelerated('layerNorm', layerNormTests),
  accelerated('layerNormGrad', layerGradTests),
  accelerated('batchNorm', batchNormTests),
  accelerated('batchNormGrad', batchGradTests),
];
