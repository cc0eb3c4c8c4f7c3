/**
 * @file Ops as methods: `exp(x)` is also `x.exp()`. Each function exported by the modules listed here takes a tensor first and becomes a method
 * of that name, with its type; a new op needs no entry of its own.
 */
import { refuseNames, refusePythonNames } from '../renamed.js';
import { backward } from '../autograd/backward.js';
import { provideEngineOps } from '../autograd/engine-ops.js';
import { formatTensor } from '../tensor/print.js';
import { texts } from '../tensor/text.js';
import { provideViewGradient } from '../tensor/view-autograd.js';
import { asStridedGradient } from './view.js';
import { Tensor } from '../tensor/tensor.js';
import { filled } from './fill.js';
import * as activations from './activations.js';
import * as arithmetic from './arithmetic.js';
import * as binaryMath from './binary-math.js';
import * as bitwise from './bitwise.js';
import * as blending from './blending.js';
import * as closeness from './closeness.js';
import * as comparisons from './comparisons.js';
import * as floatClasses from './float-classes.js';
import * as specialMath from './special-math.js';
import * as trigonometry from './trigonometry.js';
import * as conversions from './conversions.js';
import * as diagonals from './diagonals.js';
import * as dims from './dims.js';
import * as floatParts from './float-parts.js';
import * as rearranging from './rearrange.js';
import * as scattering from './scattering.js';
import * as viewScatters from './view-scatters.js';
import * as casting from './cast.js';
import * as copying from './copy.js';
import * as extremes from './extremes.js';
import * as gathers from './gather.js';
import * as indexing from './indexing.js';
import * as joining from './joining.js';
import * as linalg from './linalg.js';
import * as logic from './logic.js';
import * as matmuls from './matmul.js';
import * as newLike from './new-like.js';
import * as norms from './norms.js';
import * as uniques from './unique.js';
import * as counting from './counting.js';
import * as orderStatistics from './order-statistics.js';
import type { OverloadedMethods } from './overloads.js';
import './iterate.js';
import type { Iteration } from './iterate.js';
import './transposes.js';
import type { Transposes } from './transposes.js';
import * as products from './products.js';
import * as randomOps from './random-ops.js';
import * as sampling from './sampling.js';
import * as reductions from './reduce.js';
import { wrap } from './result.js';
import * as scans from './scans.js';
import * as selecting from './selecting.js';
import * as softmaxes from './nn/softmax.js';
import * as sorting from './sorting.js';
import * as statistics from './statistics.js';
import * as unaryMath from './unary-math.js';
import * as views from './view.js';

/** Functions of those modules that are no methods. */
const INTERNAL = [
  'computeValue',
  'reduceTo',
  'reducedShape',
  'restoreDims',
  'refuseEmpty',
  'allIfEmpty',
  'embed',
  'broadcastGradient',
  'asStridedGradient',
  'indexTensor',
  'launchGather',
  'launchScatter',
  'cutTo',
  'checkIndexShape',
  'atLeast1',
] as const;

/**
 * The methods that a module's functions become: their types without the first parameter. Names are filtered by name, not by type: a type that
 * has to look into the functions to tell its keys cannot be a base of Tensor, which those functions mention.
 */
type Methods<M> = {
  [K in Exclude<keyof M, (typeof INTERNAL)[number] | keyof OverloadedMethods>]: M[K] extends (...args: infer A) => infer R
    ? (...args: Rest<A>) => R
    : never;
};

/** Parameters without the first; over unions of them too, such as those of `reshape(2, 3)` and `reshape([2, 3])`. */
type Rest<A> = A extends readonly [unknown, ...infer B] ? B : never;

type ArithmeticMethods = Methods<typeof arithmetic>;
type UnaryMathMethods = Methods<typeof unaryMath>;
type ActivationsMethods = Methods<typeof activations>;
type BinaryMathMethods = Methods<typeof binaryMath>;
type LogicMethods = Methods<typeof logic>;
type SelectingMethods = Methods<typeof selecting>;
type IndexingMethods = Methods<typeof indexing>;
type JoiningMethods = Methods<typeof joining>;
type CastingMethods = Methods<typeof casting>;
type CopyingMethods = Methods<typeof copying>;
type GathersMethods = Methods<typeof gathers>;
type ProductsMethods = Methods<typeof products>;
type MatmulsMethods = Methods<typeof matmuls>;
type LinalgMethods = Methods<typeof linalg>;
type NewLikeMethods = Methods<typeof newLike>;
type OrderStatisticsMethods = Methods<typeof orderStatistics>;
type CountingMethods = Methods<typeof counting>;
type UniquesMethods = Methods<typeof uniques>;
type NormsMethods = Methods<typeof norms>;
type ReductionsMethods = Methods<typeof reductions>;
type StatisticsMethods = Methods<typeof statistics>;
type ExtremesMethods = Methods<typeof extremes>;
type ScansMethods = Methods<typeof scans>;
type SoftmaxesMethods = Methods<typeof softmaxes>;
type SortingMethods = Methods<typeof sorting>;
type RandomOpsMethods = Methods<typeof randomOps>;
type SamplingMethods = Methods<typeof sampling>;
type ViewsMethods = Methods<typeof views>;
type ConversionsMethods = Methods<typeof conversions>;
type DiagonalsMethods = Methods<typeof diagonals>;
type DimsMethods = Methods<typeof dims>;
type FloatPartsMethods = Methods<typeof floatParts>;
type RearrangingMethods = Methods<typeof rearranging>;
type ScatteringMethods = Methods<typeof scattering>;
type ViewScattersMethods = Methods<typeof viewScatters>;
type BitwiseMethods = Methods<typeof bitwise>;
type BlendingMethods = Methods<typeof blending>;
type ClosenessMethods = Methods<typeof closeness>;
type ComparisonsMethods = Methods<typeof comparisons>;
type FloatClassesMethods = Methods<typeof floatClasses>;
type SpecialMathMethods = Methods<typeof specialMath>;
type TrigonometryMethods = Methods<typeof trigonometry>;

declare module '../tensor/tensor.js' {
  interface Tensor
    extends
      OverloadedMethods,
      Iteration,
      Transposes,
      ArithmeticMethods,
      UnaryMathMethods,
      ActivationsMethods,
      ConversionsMethods,
      DiagonalsMethods,
      DimsMethods,
      FloatPartsMethods,
      RearrangingMethods,
      ScatteringMethods,
      ViewScattersMethods,
      BitwiseMethods,
      BlendingMethods,
      ClosenessMethods,
      ComparisonsMethods,
      FloatClassesMethods,
      SpecialMathMethods,
      TrigonometryMethods,
      BinaryMathMethods,
      LogicMethods,
      SelectingMethods,
      IndexingMethods,
      JoiningMethods,
      CastingMethods,
      CopyingMethods,
      GathersMethods,
      ProductsMethods,
      MatmulsMethods,
      LinalgMethods,
      NewLikeMethods,
      NormsMethods,
      UniquesMethods,
      CountingMethods,
      OrderStatisticsMethods,
      ReductionsMethods,
      StatisticsMethods,
      ExtremesMethods,
      ScansMethods,
      SoftmaxesMethods,
      SortingMethods,
      RandomOpsMethods,
      SamplingMethods,
      ViewsMethods {}
}

type AnyOp = (first: Tensor, ...rest: unknown[]) => unknown;

/** A method that hands its arguments on; by the number of parameters, since rest arrays cost on the hottest calls. */
function method(op: AnyOp): (this: Tensor, ...args: unknown[]) => unknown {
  switch (op.length) {
    case 1:
      return function (this: Tensor, a?: unknown, ...rest: unknown[]) {
        return a === undefined && rest.length === 0 ? op(this) : op(this, a, ...rest);
      };
    case 2:
      return function (this: Tensor, a: unknown, ...rest: unknown[]) {
        return rest.length === 0 ? op(this, a) : op(this, a, ...rest);
      };
    default:
      return function (this: Tensor, ...args: unknown[]) {
        return op(this, ...args);
      };
  }
}

/** Puts the functions of a module on Tensor, but those named in `except`. For ops of other packages too. */
export function attachMethods(module: Readonly<Record<string, unknown>>, except: readonly string[] = []): void {
  for (const [name, op] of Object.entries(module)) {
    if (typeof op !== 'function' || except.includes(name) || Object.hasOwn(Tensor.prototype, name)) continue;
    Object.defineProperty(Tensor.prototype, name, { value: method(op as AnyOp), writable: true, configurable: true, enumerable: false });
  }
}

const FAMILIES: readonly Readonly<Record<string, unknown>>[] = [
  arithmetic,
  unaryMath,
  activations,
  conversions,
  diagonals,
  dims,
  floatParts,
  rearranging,
  scattering,
  viewScatters,
  bitwise,
  blending,
  closeness,
  comparisons,
  floatClasses,
  specialMath,
  trigonometry,
  binaryMath,
  logic,
  selecting,
  indexing,
  joining,
  casting,
  copying,
  gathers,
  products,
  matmuls,
  linalg,
  newLike,
  norms,
  uniques,
  counting,
  orderStatistics,
  reductions,
  statistics,
  extremes,
  scans,
  softmaxes,
  sorting,
  randomOps,
  sampling,
  views,
];
for (const module of FAMILIES) attachMethods(module, INTERNAL);
provideEngineOps({
  add: (a, b) => arithmetic.add(a, b),
  addInPlace: (a, b) => arithmetic.add_(a, b),
  ownCopy: (t) => wrap(t.value),
  full: (t, value) => filled(t.shape, value, t.dtype, t.device),
  backward,
});
provideViewGradient(asStridedGradient);
texts.format = (t) => formatTensor(t);
refusePythonNames(Tensor.prototype, 'tensor');
refuseNames(Tensor.prototype, 'tensor', {
  cuda: "to('webgpu')",
  cpu: "to('cpu')",
  numpy: 'data()',
  tolist: 'toArray()',
  toFixed: 'item().toFixed(…)',
});
