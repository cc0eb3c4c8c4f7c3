/**
 * @file What each differentiable op is checked on, in float64. An op that is not listed takes one or two arguments of shape (2, 3) with numbers between
 * −1.7 and 1.7, as a method; listed are those that need other numbers, shapes or arguments.
 */
import * as core from '../../src/index.js';
import { type Tensor, tensor } from '../../src/index.js';
import { NN_CASES } from './derivative-cases-nn.js';
import { any, type DerivativeCase, ints, large, M, type Numbers, numbers, on, positive } from './derivative-inputs.js';

const method = (name: string): ((...inputs: Tensor[]) => unknown) => {
  const found = (x: Tensor): unknown => (x as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
  return (x, ...rest) => (found(x) as (...args: unknown[]) => unknown).call(x, ...rest);
};
const functions = { ...core.special, ...core } as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** Ops of one argument that are defined on, or smooth on, part of the numbers. */
const DOMAINS: Readonly<Record<string, Numbers>> = {
  ...Object.fromEntries(
    ['log', 'log2', 'log10', 'log1p', 'sqrt', 'rsqrt', 'lgamma', 'digamma', 'entr', 'erfcx', 'i0', 'i0e', 'i1', 'i1e'].map((n) => [
      n,
      'positive',
    ]),
  ),
  ...Object.fromEntries(['asin', 'acos', 'atanh', 'erfinv'].map((n) => [n, 'unit'])),
  ...Object.fromEntries(['logit', 'ndtri'].map((n) => [n, 'probability'])),
  acosh: 'large',
};
/** Ops of two arguments whose second, or both, must be positive. */
const BOTH_POSITIVE = ['div', 'divTrunc', 'divFloor', 'pow', 'xlogy', 'xlog1py', 'fmod', 'remainder', 'zeta'];

/** A matrix far from singular. */
const regular = (x: Tensor): Tensor => x.add(core.eye(x.shape.at(-1)!, { dtype: 'float64' }).mul(3));
const positiveDefinite = (x: Tensor): Tensor => x.matmul(x.mT).add(core.eye(x.shape.at(-1)!, { dtype: 'float64' }));

/** Several results (a list, or an object with some) as a list. */
const listed = (result: unknown): unknown => (core.isTensor(result) || Array.isArray(result) ? result : Object.values(result as object));

const CASES: Readonly<Record<string, DerivativeCase | readonly DerivativeCase[]>> = {
  ...NN_CASES,
  sum: [any([M], (x) => x!.sum()), any([M], (x) => x!.sum(1, { keepdim: true }))],
  mean: [any([M], (x) => x!.mean()), any([M], (x) => x!.mean(0))],
  prod: [any([M], (x) => x!.prod()), any([M], (x) => x!.prod(1)), any([M], (x) => x!.mul(tensor([1, 0, 1], { dtype: 'float64' })).prod(1))],
  var: [any([M], (x) => x!.var()), any([M], (x) => x!.var(1, { correction: 0 }))],
  std: [any([M], (x) => x!.std()), any([M], (x) => x!.std(0))],
  varMean: any([M], (x) => core.varMean(x!, 1)),
  stdMean: any([M], (x) => core.stdMean(x!, 1)),
  logsumexp: any([M], (x) => x!.logsumexp(1)),
  cov: any([M], (x) => x!.cov()),
  corrcoef: any([[2, 4]], (x) => x!.corrcoef()),
  amax: [any([M], (x) => x!.amax()), any([M], (x) => x!.amax(1))],
  amin: any([M], (x) => x!.amin(0)),
  max: [any([M], (x) => x!.max()), any([M], (x) => x!.max(1)[0])],
  min: [any([M], (x) => x!.min()), any([M], (x) => x!.min(1)[0])],
  aminmax: any([M], (x) => listed(core.aminmax(x!, { dim: 1 }))),
  gather: any([M], (x) =>
    x!.gather(
      1,
      ints([
        [0, 2],
        [1, 1],
      ]),
    ),
  ),
  scatterAdd: any([M, [2, 2]], (x, s) =>
    x!.scatterAdd(
      1,
      ints([
        [0, 2],
        [1, 1],
      ]),
      s!,
    ),
  ),
  scatter: [
    any([M, [2, 2]], (x, s) =>
      x!.scatter(
        1,
        ints([
          [0, 2],
          [2, 1],
        ]),
        s!,
      ),
    ),
    any([M], (x) =>
      x!.scatter(
        1,
        ints([
          [0, 2],
          [2, 1],
        ]),
        3,
      ),
    ),
  ],
  scatterReduce: (['sum', 'prod', 'mean', 'amax', 'amin'] as const).flatMap((kind) =>
    [true, false].map((includeSelf) =>
      any([M, [2, 3]], (x, s) =>
        x!.scatterReduce(
          1,
          ints([
            [0, 2, 0],
            [1, 1, 2],
          ]),
          s!,
          kind,
          { includeSelf },
        ),
      ),
    ),
  ),
  indexAdd: any([M, [2, 2]], (x, s) => x!.indexAdd(1, ints([2, 2]), s!, { alpha: 0.7 })),
  indexCopy: any([M, [2, 2]], (x, s) => x!.indexCopy(1, ints([2, 0]), s!)),
  indexFill: [any([M], (x) => x!.indexFill(1, ints([2, 0]), 3)), any([M, []], (x, v) => x!.indexFill(1, ints([2, 0]), v!))],
  indexSelect: any([M], (x) => x!.indexSelect(1, ints([2, 0, 2]))),
  indexPut: [
    any([M, [2]], (x, v) => x!.indexPut([ints([0, 1]), ints([2, 2])], v!)),
    any([M, [2]], (x, v) => x!.indexPut([ints([0, 0]), ints([2, 2])], v!, { accumulate: true })),
  ],
  selectScatter: any([M, [3]], (x, s) => x!.selectScatter(s!, 0, 1)),
  sliceScatter: any([M, [2, 2]], (x, s) => x!.sliceScatter(s!, 1, 0, 3, 2)),
  diagonalScatter: any([M, [2]], (x, s) => x!.diagonalScatter(s!)),
  asStridedScatter: any([M, [2, 2]], (x, s) => x!.asStridedScatter(s!, [2, 2], [3, 1], 1)),
  cat: any([M, [2, 1]], (a, b) => core.cat([a!, b!, a!], 1)),
  where: any([M, [3]], (a, b) =>
    core.where(
      tensor([
        [true, false, true],
        [false, true, true],
      ]),
      a!,
      b!,
    ),
  ),
  maskedFill: any([M, []], (x, v) => x!.maskedFill(tensor([true, false, true]), v!)),
  clamp: [any([M], (x) => x!.clamp(-0.5, 0.8)), any([M, [3], [3]], (x, low, high) => x!.clamp(low!, high!.add(2)))],
  lerp: [any([M, [3], M], (a, b, w) => a!.lerp(b!, w!)), any([M, [3]], (a, b) => a!.lerp(b!, 0.3))],
  addcmul: any([M, [3], [2, 1]], (x, a, b) => x!.addcmul(a!, b!, { value: 0.7 })),
  // The same numbers at each call: a step function of the rates.
  poisson: positive([M], (x) => core.poisson(x!, { generator: new core.Generator(3) })),
  addcdiv: positive([M, [3], [2, 1]], (x, a, b) => x!.addcdiv(a!, b!, { value: 0.7 })),
  reluBackward: any([M], (x) => core.relu(x!).square()),
  prelu: [any([M, [1]], (x, w) => core.prelu(x!, w!)), any([[2, 3, 2], [3]], (x, w) => core.prelu(x!, w!))],
  preluKernel: any([[3, 2], [2]], (x, w) => core.prelu(x!, w!)),
  divTrunc: positive([M, [3]], (a, b) => a!.mul(3).div(b!, { roundingMode: 'trunc' })),
  divFloor: positive([M, [3]], (a, b) => a!.mul(3).div(b!, { roundingMode: 'floor' })),
  atan2: positive([M, [3]], (a, b) => a!.atan2(b!)),
  zeta: { fn: (_s, q) => core.special.zeta(2.5, q!), inputs: () => [numbers([1], 1, 'large'), numbers(M, 2, 'large')] },
  polygamma: positive([M], (x) => x!.polygamma(1)),
  geluTanh: any([M], (x) => core.gelu(x!, { approximate: 'tanh' })),
  threshold: any([M], (x) => core.threshold(x!, 0.2, 5)),
  hardtanh: any([M], (x) => core.hardtanh(x!, { minVal: -0.6, maxVal: 0.7 })),
  hardsigmoid: any([M], (x) => core.hardsigmoid(x!.mul(4))),
  hardswish: any([M], (x) => core.hardswish(x!.mul(4))),
  relu6: any([M], (x) => core.relu6(x!.mul(5))),
  flip: any([M], (x) => x!.flip(0, 1)),
  frexp: any([M], (x) => core.frexp(x!)[0]),
  diagEmbed: any([M], (x) => x!.diagEmbed(1)),
  tril: any([[3, 3]], (x) => x!.tril(-1)),
  triu: any([[3, 3]], (x) => x!.triu()),
  matmul: [
    any([M, [3, 2]], (a, b) => a!.matmul(b!)),
    any(
      [
        [2, 1, 2, 3],
        [2, 3, 2],
      ],
      (a, b) => a!.matmul(b!),
    ),
    any([[3], M], (a, b) => a!.matmul(b!.t())),
  ],
  mm: any([M, [3, 2]], (a, b) => a!.mm(b!)),
  bmm: any(
    [
      [2, 2, 3],
      [2, 3, 2],
    ],
    (a, b) => a!.bmm(b!),
  ),
  mv: any([M, [3]], (a, b) => a!.mv(b!)),
  dot: any([[3], [3]], (a, b) => a!.dot(b!)),
  vdot: any([[3], [3]], (a, b) => a!.vdot(b!)),
  outer: any([[2], [3]], (a, b) => a!.outer(b!)),
  inner: any([M, [2, 3]], (a, b) => a!.inner(b!)),
  addmm: any([[2], [2, 3], [3, 2]], (x, a, b) => x!.addmm(a!, b!, { beta: 0.5, alpha: 2 })),
  addmv: any([[2], M, [3]], (x, a, b) => x!.addmv(a!, b!)),
  addr: any([M, [2], [3]], (x, a, b) => x!.addr(a!, b!)),
  addbmm: any(
    [
      [2, 2],
      [2, 2, 3],
      [2, 3, 2],
    ],
    (x, a, b) => x!.addbmm(a!, b!),
  ),
  baddbmm: any(
    [
      [2, 2, 2],
      [2, 2, 3],
      [2, 3, 2],
    ],
    (x, a, b) => x!.baddbmm(a!, b!),
  ),
  tensordot: any(
    [
      [2, 3, 2],
      [3, 2],
    ],
    (a, b) =>
      core.tensordot(a!, b!, [
        [1, 2],
        [0, 1],
      ]),
  ),
  einsum: any([M, [3, 2]], (a, b) => core.einsum('ij,jk->k', a!, b!)),
  cross: any(
    [
      [2, 3],
      [2, 3],
    ],
    (a, b) => a!.cross(b!, 1),
  ),
  'linalg.cross': any(
    [
      [2, 3],
      [2, 3],
    ],
    (a, b) => core.linalg.cross(a!, b!),
  ),
  'linalg.inv': any([[2, 2]], (x) => core.linalg.inv(regular(x!))),
  'linalg.solve': any(
    [
      [2, 2],
      [2, 2],
    ],
    (a, b) => core.linalg.solve(regular(a!), b!),
  ),
  'linalg.det': any([[3, 3]], (x) => core.linalg.det(regular(x!))),
  'linalg.cholesky': any([[3, 3]], (x) => core.linalg.cholesky(positiveDefinite(x!))),
  'linalg.svdvals': any([[2, 3]], (x) => core.linalg.svdvals(x!)),
  'linalg.matrixNorm': (['fro', 'nuc', 1, -2] as const).map((ord) => any([M], (x) => core.linalg.matrixNorm(x!, ord))),
  'linalg.vectorNorm': [1, 2, 3.5, Infinity, -Infinity].map((p) => any([M], (x) => core.linalg.vectorNorm(x!, p, 1))),
  'linalg.norm': any([M], (x) => core.linalg.norm(x!)),
  'linalg.matrixPower': [3, -1].map((n) => any([[2, 2]], (x) => core.linalg.matrixPower(regular(x!), n))),
  'linalg.multiDot': any([M, [3, 2], [2, 2]], (...list) => core.linalg.multiDot(list)),
  norm: [any([M], (x) => x!.norm()), any([M], (x) => x!.norm(3, 1))],
  dist: any([M, [3]], (a, b) => a!.dist(b!, 3)),
  renorm: any([M], (x) => x!.renorm(2, 0, 1)),
  cdist: [1, 2, 3].map((p) => any([M, [2, 3]], (a, b) => core.cdist(a!, b!, { p }))),
  sort: any([M], (x) => x!.sort(1)[0]),
  topk: any([M], (x) => x!.topk(2, 1)[0]),
  kthvalue: any([M], (x) => x!.kthvalue(2, 1)[0]),
  median: [any([M], (x) => x!.median()), any([M], (x) => x!.median(1)[0])],
  nanmedian: any([M], (x) => x!.nanmedian()),
  mode: any([M], (x) => x!.mode(1)[0]),
  quantile: [any([M], (x) => x!.quantile(0.4, 1)), any([M], (x) => x!.quantile(tensor([0.1, 0.6], { dtype: 'float64' })))],
  nanquantile: any([M], (x) => x!.nanquantile(0.4, 1)),
  cumsum: any([M], (x) => x!.cumsum(1)),
  cumprod: [any([M], (x) => x!.cumprod(1)), any([[3]], (x) => x!.mul(tensor([1, 0, 2], { dtype: 'float64' })).cumprod(0))],
  logcumsumexp: any([M], (x) => x!.logcumsumexp(1)),
  cummax: any([M], (x) => x!.cummax(1)[0]),
  cummin: any([M], (x) => x!.cummin(1)[0]),
  softmax: [any([M], (x) => x!.softmax(1)), any([M], (x) => x!.softmax(0))],
  logSoftmax: [any([M], (x) => x!.logSoftmax(1)), any([M], (x) => x!.logSoftmax(0))],
  trapezoid: any([M, [3]], (y, x) => core.trapezoid(y!, x!)),
  cumulativeTrapezoid: any([M, [3]], (y, x) => core.cumulativeTrapezoid(y!, x!)),
  gradient: any([[2, 4]], (x) => core.gradient(x!, { dim: 1, edgeOrder: 2 })),
  nanToNum: any([M], (x) => x!.nanToNum()),
  hypot: large([M, [3]], (a, b) => a!.hypot(b!)),
};

/** Views and rearrangements: they are no entries of the registry. */
export const VIEWS: Readonly<Record<string, DerivativeCase>> = {
  transpose: any([M], (x) => x!.transpose(0, 1)),
  permute: any([[2, 1, 3]], (x) => x!.permute(2, 0, 1)),
  expand: any([[2, 1]], (x) => x!.expand(2, 2, 3)),
  narrow: any([M], (x) => x!.narrow(1, 1, 2)),
  select: any([M], (x) => x!.select(1, -1)),
  slice: any([M], (x) => x!.slice(1, 0, 3, 2)),
  diagonal: any([[3, 3]], (x) => x!.diagonal(1)),
  unfold: any([[5]], (x) => x!.unfold(0, 3, 1)),
  asStrided: any([[6]], (x) => x!.asStrided([2, 2], [1, 2], 1)),
  'asStrided of an expanded view': any([[2, 1]], (x) => x!.expand(2, 3).asStrided([2, 2], [1, 0])),
  'unfold of an expanded view': any([[3]], (x) => x!.expand(2, 3).unfold(1, 2, 1)),
  reshape: any([M], (x) => x!.t().reshape(-1)),
  squeeze: any([[1, 2, 1]], (x) => x!.squeeze()),
  flatten: any([[2, 1, 2]], (x) => x!.flatten()),
  roll: any([M], (x) => x!.roll([1, -1], [0, 1])),
  repeat: any([M], (x) => x!.repeat(2, 1)),
  stack: any([M, M], (a, b) => core.stack([a!, b!], 1)),
  'index with tensors': any([M], (x) => x!.at(ints([1, 0, 1]), ints([2, 2, 0]))),
  maskedSelect: any([M], (x) =>
    x!.maskedSelect(
      tensor([
        [true, false, true],
        [false, true, true],
      ]),
    ),
  ),
  'a write into a view': any([M, [3]], (x, v) => {
    const y = x!.mul(2);
    y.select(0, 1).copy_(v!);
    return y.mul(y);
  }),
  'an addition in place to an expanded gradient': any([M, [3]], (x, v) => x!.mul(1).add_(v!).mul_(x!)),
};

/** The cases of a differentiable op; null where the table has none and no default fits. */
export function derivativeCases(name: string, inputs: number): readonly DerivativeCase[] | null {
  const given = CASES[name];
  if (given !== undefined) return 'fn' in given ? [given] : given;
  const fn = functions[name] ?? (name in core.Tensor.prototype ? method(name) : undefined);
  if (fn === undefined) return null;
  const call = (...args: Tensor[]): unknown => fn(...args);
  if (inputs === 1) return [on(DOMAINS[name] ?? 'any')([M], call)];
  if (inputs === 2)
    return [[M, [3]] as const, [[2, 1], [3]] as const].map((shapes) => on(BOTH_POSITIVE.includes(name) ? 'positive' : 'any')(shapes, call));
  return null;
}
