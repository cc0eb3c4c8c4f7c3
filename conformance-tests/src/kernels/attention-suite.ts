/** @file The accelerated attention and its gradients against sums on the host. */
import type { Suite } from '../suite.js';
import { accelerated, type AcceleratedTest } from './accelerated.js';
import type { Bench } from './bench.js';
import { checkArray } from './check-array.js';
import { type HostArray, hostArray, randomArray, repeatedAlong } from './host.js';
import { broadcast, CONTIGUOUS, type Layout, OFFSET, TRANSPOSED } from './layouts.js';

/** Batch, queries, keys, and the widths of a key and a value. */
type Sizes = readonly [batch: number, queries: number, keys: number, width: number, values: number];
const SIZES: readonly Sizes[] = [
  [1, 1, 1, 1, 1],
  [2, 5, 7, 4, 3],
  [3, 7, 5, 3, 4],
  [2, 1, 129, 8, 8],
  [1, 31, 32, 33, 5],
  [1, 33, 65, 16, 17],
  [2, 64, 63, 8, 9],
  [1, 129, 1, 5, 7],
];
type MaskKind = 'none' | 'float' | 'bool' | 'shared' | 'blind';

interface Problem {
  readonly sizes: Sizes;
  readonly query: HostArray;
  readonly key: HostArray;
  readonly value: HostArray;
  readonly mask: HostArray | null;
  readonly maskLayout: Layout;
  readonly causal: boolean;
  readonly scale: number;
  readonly layout: Layout;
}

interface Solution {
  /** The share of each key in each query's result. */
  readonly shares: number[];
  readonly out: HostArray;
  readonly logsumexp: HostArray;
}

function problem(sizes: Sizes, kind: MaskKind, causal: boolean, layout: Layout = CONTIGUOUS, scale = 0.37): Problem {
  const [batch, queries, keys, width, values] = sizes;
  const shape = [batch, queries, keys];
  const masks: Readonly<Record<MaskKind, () => HostArray | null>> = {
    none: () => null,
    float: () => randomArray('float32', shape, 104),
    bool: () => hostArray('bool', shape, ([b, i, j]) => Number(j === 0 || (b + i + 2 * j) % 3 !== 0)),
    // One mask for the whole batch.
    shared: () => repeatedAlong(randomArray('float32', shape, 105), 0),
    // The second query sees nothing.
    blind: () => hostArray('float32', shape, ([, i, j]) => (i === 1 || j === keys - 1 ? -Infinity : j % 2)),
  };
  return {
    sizes,
    query: randomArray('float32', [batch, queries, width], 101),
    key: randomArray('float32', [batch, keys, width], 102),
    value: randomArray('float32', [batch, keys, values], 103),
    mask: masks[kind](),
    maskLayout: kind === 'shared' ? broadcast(0) : kind === 'bool' ? CONTIGUOUS : layout,
    causal,
    scale,
    layout,
  };
}

function solve({ sizes: [batch, queries, keys, width, values], query, key, value, mask, causal, scale }: Problem): Solution {
  const shares: number[] = [];
  const logsumexp: number[] = [];
  const out: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < queries; i++) {
      const scores = Array.from({ length: keys }, (_, j) => {
        if (causal && j > i) return -Infinity;
        let score = 0;
        for (let e = 0; e < width; e++) score += query.data[(b * queries + i) * width + e] * key.data[(b * keys + j) * width + e];
        const m = mask?.data[(b * queries + i) * keys + j];
        if (m === undefined) return score * scale;
        return mask!.dtype === 'bool' ? (m !== 0 ? score * scale : -Infinity) : score * scale + m;
      });
      const most = Math.max(...scores);
      const sum = scores.reduce((total, score) => total + Math.exp(score - most), 0);
      const row = scores.map((score) => Math.exp(score - most) / sum);
      shares.push(...row);
      logsumexp.push(most + Math.log(sum));
      for (let v = 0; v < values; v++)
        out.push(row.reduce((total, share, j) => total + share * value.data[(b * keys + j) * values + v], 0));
    }
  }
  return {
    shares,
    out: { dtype: 'float32', shape: [batch, queries, values], data: out },
    logsumexp: { dtype: 'float32', shape: [batch, queries], data: logsumexp },
  };
}

function gradients(p: Problem, { shares, out }: Solution, gradOut: HostArray): { query: HostArray; key: HostArray; value: HostArray } {
  const [batch, queries, keys, width, values] = p.sizes;
  const zeros = ({ shape, data }: HostArray): HostArray & { data: number[] } => ({ dtype: 'float32', shape, data: data.map(() => 0) });
  const [query, key, value] = [zeros(p.query), zeros(p.key), zeros(p.value)];
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < queries; i++) {
      const row = b * queries + i;
      let dot = 0;
      for (let v = 0; v < values; v++) dot += gradOut.data[row * values + v] * out.data[row * values + v];
      for (let j = 0; j < keys; j++) {
        const share = shares[row * keys + j];
        const column = b * keys + j;
        let gradShare = 0;
        for (let v = 0; v < values; v++) {
          gradShare += gradOut.data[row * values + v] * p.value.data[column * values + v];
          value.data[column * values + v] += share * gradOut.data[row * values + v];
        }
        const gradScore = share * (gradShare - dot) * p.scale;
        for (let e = 0; e < width; e++) {
          query.data[row * width + e] += gradScore * p.key.data[column * width + e];
          key.data[column * width + e] += gradScore * p.query.data[row * width + e];
        }
      }
    }
  }
  return { query, key, value };
}

const ALLOWED = (expected: number): number => 2e-5 * Math.max(1, Math.abs(expected));

function* problems(): Generator<readonly [string, Problem]> {
  for (const sizes of SIZES)
    for (const causal of [false, true]) yield [`${sizes.join('x')}${causal ? '-causal' : ''}`, problem(sizes, 'none', causal)];
  for (const kind of ['float', 'bool', 'shared'] as const)
    for (const causal of [false, true]) yield [`mask-${kind}${causal ? '-causal' : ''}`, problem([2, 9, 11, 4, 5], kind, causal)];
  for (const layout of [OFFSET, TRANSPOSED]) yield [`layout/${layout.name}`, problem([2, 9, 11, 4, 5], 'float', false, layout)];
  yield ['large-scores', problem([1, 5, 9, 8, 4], 'none', false, CONTIGUOUS, 100)];
}

const inputs = (bench: Bench, { query, key, value, mask, maskLayout, layout }: Problem) =>
  [bench.input(query, layout), bench.input(key, layout), bench.input(value, layout), mask && bench.input(mask, maskLayout)] as const;

function* attentionTests(): Generator<readonly [string, AcceleratedTest<'attention'>]> {
  for (const [name, p] of [...problems(), ['mask-blind', problem([2, 5, 7, 4, 3], 'blind', false)] as const]) {
    yield [
      name,
      async (bench, kernel) => {
        const solution = solve(p);
        const out = bench.output('float32', solution.out.shape, p.layout);
        const logsumexp = bench.output('float32', solution.logsumexp.shape);
        if (!kernel(...inputs(bench, p), p.causal, p.scale, out, logsumexp)) return false;
        // Scores of some hundreds: a rounding of theirs is one of the shares.
        const allowed = p.scale > 1 ? (): number => 2e-3 : ALLOWED;
        checkArray('out', await bench.result(out), solution.out, allowed);
        // Of a query that sees nothing the backward makes NaN in any case.
        const seen = (x: number, place: number): number =>
          solution.out.data[place * p.sizes[4]] === solution.out.data[place * p.sizes[4]] ? x : 0;
        const got = await bench.result(logsumexp);
        const host = (array: HostArray): HostArray => ({ ...array, data: array.data.map(seen) });
        checkArray('logsumexp', host(got), host(solution.logsumexp), (expected) => 1e-5 * Math.max(1, Math.abs(expected)));
        return true;
      },
    ];
  }
}

function* attentionGradTests(): Generator<readonly [string, AcceleratedTest<'attentionGrad'>]> {
  for (const [name, p] of problems()) {
    if (name === 'large-scores') continue;
    yield [
      name,
      async (bench, kernel) => {
        const solution = solve(p);
        const gradOut = randomArray('float32', solution.out.shape, 106);
        const round = ({ shape, data }: HostArray): HostArray => hostArray('float32', shape, (_, place) => data[place]);
        const outputs = [p.query, p.key, p.value].map(({ shape }) => bench.output('float32', shape, p.layout));
        const done = kernel(
          bench.input(gradOut, p.layout),
          ...inputs(bench, p),
          p.causal,
          p.scale,
          bench.input(round(solution.out), p.layout),
          bench.input(round(solution.logsumexp)),
          outputs[0],
          outputs[1],
          outputs[2],
        );
        if (!done) return false;
        const expected = gradients(p, solution, gradOut);
        for (const [i, part] of (['query', 'key', 'value'] as const).entries())
          checkArray(`gradient of the ${part}`, await bench.result(outputs[i]), expected[part], (v) => 5e-5 * Math.max(1, Math.abs(v)));
        return true;
      },
    ];
  }
}

export const attentionSuites = (): Suite[] => [accelerated('attention', attentionTests), accelerated('attentionGrad', attentionGradTests)];
