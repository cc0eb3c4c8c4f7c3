/**
 * @file What autocast does to the arguments of an op. An op that has a policy begins with one line, such as
 * `if (autocasting.on) return asHalf(matmul, a, b);`: its tensors are converted and it is called again with autocast off, so that what it is made
 * of computes as it was written. The lists are PyTorch's (torch/csrc, autocast_mode.h, those of CUDA).
 */
import { gradState } from '../autograd/mode.js';
import { keep } from '../memory/scope.js';
import { cast } from '../ops/cast.js';
import { type DType, promoteTypes } from '../tensor/dtype.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { autocasting, isCastable } from './state.js';

/** Elementwise ops that halves would overflow or blur: declared by `unary` and `binary`, which read this list. */
export const FLOAT32_POINTWISE: ReadonlySet<string> = new Set([
  'acos',
  'asin',
  'cosh',
  'erfinv',
  'exp',
  'expm1',
  'log',
  'log10',
  'log1p',
  'log2',
  'pow',
  'reciprocal',
  'rsqrt',
  'sinh',
  'softplus',
  'tan',
]);

/** A weight that was lowered, and what it was then. */
interface Lowered {
  readonly tensor: Tensor;
  readonly version: number;
  readonly dtype: DType;
  readonly recorded: boolean;
}
const weights = new Map<Tensor, Lowered>();

/** Forgets the lowered weights. Their memory goes unless a graph saved them. PyTorch: torch.clear_autocast_cache. */
export function clearAutocastCache(): void {
  for (const { tensor } of weights.values()) tensor.dispose();
  weights.clear();
}

/** Leaves that learn are lowered once while autocast is on: a layer that is called often, or a tied weight, is converted once. */
function lowerWeight(t: Tensor, dtype: DType): Tensor {
  const found = weights.get(t);
  const recorded = gradState.enabled;
  if (found !== undefined) {
    if (found.version === t.version && found.dtype === dtype && found.recorded === recorded && !found.tensor.isDisposed)
      return found.tensor;
    found.tensor.dispose();
  }
  const tensor = keep(cast(t, dtype));
  weights.set(t, { tensor, version: t.version, dtype, recorded });
  return tensor;
}

function lower(t: Tensor): Tensor {
  const { dtype } = autocasting;
  if (t.dtype === dtype || !isCastable(t.dtype)) return t;
  return autocasting.cache && t.dtype === 'float32' && t.requiresGrad && t.viewOf === null && t.isLeaf
    ? lowerWeight(t, dtype)
    : cast(t, dtype);
}

const widen = (t: Tensor): Tensor => (isCastable(t.dtype) ? cast(t, 'float32') : t);

/** The argument with all tensors in it converted: itself, in arrays, and in plain objects of options. */
function converted(x: unknown, convert: (t: Tensor) => Tensor): unknown {
  if (typeof x !== 'object' || x === null) return x;
  if (isTensor(x)) return convert(x);
  if (Array.isArray(x)) return x.map((y) => converted(y, convert));
  if (Object.getPrototypeOf(x) !== Object.prototype) return x;
  return Object.fromEntries(Object.entries(x).map(([key, y]) => [key, isTensor(y) ? convert(y) : y]));
}

function calledWith<A extends readonly unknown[], R>(fn: (...args: A) => R, args: A, convert: (t: Tensor) => Tensor): R {
  const given = args.map((x) => converted(x, convert)) as unknown as A;
  autocasting.on = false;
  try {
    return fn(...given);
  } finally {
    autocasting.on = true;
  }
}

/** Calls `fn` with its tensors in autocast's half dtype: products, convolutions, attention. */
export const asHalf = <A extends readonly unknown[], R>(fn: (...args: A) => R, ...args: A): R => calledWith(fn, args, lower);

/** Calls `fn` with its tensors in float32: softmax, norms, losses, sums, exponentials. */
export const asFloat32 = <A extends readonly unknown[], R>(fn: (...args: A) => R, ...args: A): R => calledWith(fn, args, widen);

/** Calls `fn` with its tensors in the widest dtype among them: ops that take one dtype only, and gain nothing from either. */
export function asWidest<A extends readonly unknown[], R>(fn: (...args: A) => R, ...args: A): R {
  let widest: DType = autocasting.dtype;
  const see = (t: Tensor): Tensor => {
    if (isCastable(t.dtype)) widest = promoteTypes(widest, t.dtype);
    return t;
  };
  for (const x of args) converted(x, see);
  return calledWith(fn, args, (t) => (isCastable(t.dtype) ? cast(t, widest) : t));
}
