/**
 * @file How pointwise ops are declared: a formula for the forward, and gradients in differentiable ops. From one declaration follow promotion,
 * broadcasting, recording, the reduction of gradients to the inputs' shapes, and the in-place form.
 *
 * Declarations are marked as pure calls, so that a bundle holds those that it uses: Rollup would go by the mark on `unary`, esbuild by that on the call.
 */
import { kindOf } from '../options.js';
import type { GradNode, Rule } from '../autograd/node.js';
import { asFloat32, FLOAT32_POINTWISE } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { gradState } from '../autograd/mode.js';
import { DTypeError, ValueError } from '../errors.js';
import { toDevice } from '../plugin/runtime.js';
import { categoryAbove, type DType, DTYPE_INFO, floatDType, promoteTypes } from '../tensor/dtype.js';
import { broadcastShapes } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { castValue, narrow, scalarValue, type Value } from '../tensor/value.js';
import { type Expression, e } from './expression.js';
import { filled } from './fill.js';
import { assign, forInPlace } from './in-place.js';
import { OPS } from './registry.js';
import { attach, wrap } from './result.js';
import { reduceGradient } from './sum-to.js';

/** What takes the place of a tensor beside another one. */
export type Operand = Tensor | number | boolean;

/** A tensor function of one tensor. */
export type UnaryOp<O extends readonly unknown[] = readonly []> = (x: Tensor, ...options: O) => Tensor;
export type BinaryOp<O extends readonly unknown[] = readonly []> = (a: Tensor, b: Operand, ...options: O) => Tensor;
/** One whose first operand may be a number too, as in `div(1, x)`. */
export type NumberOp<O extends readonly unknown[] = readonly []> = (a: Operand, b: Operand, ...options: O) => Tensor;
/** One whose second operand may be no number. */
export type TensorOp<O extends readonly unknown[] = readonly []> = (a: Tensor, b: Tensor, ...options: O) => Tensor;

/** The dtype of a result: that of the inputs, a float, bool, or a fixed one. */
export type ResultRule = 'same' | 'float' | DType;

export interface UnarySpec<O extends readonly unknown[]> {
  /** 'same' (the default for formulas that keep integers), 'float' (integers become float32), or a dtype. */
  readonly result?: ResultRule;
  readonly forward: (e: Expression, x: Value, ...options: O) => Value;
  /** dL/dx. `x` and `out` are there if `saves` says so. Leave out when nothing flows. */
  readonly backward?: (grad: Tensor, x: Tensor, out: Tensor, ...options: O) => Tensor;
  readonly saves?: 'x' | 'out' | 'both' | 'none';
  /** Checks of the input, before anything is made. */
  readonly check?: (x: Tensor, ...options: O) => void;
}

const gradName = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}Backward0`;

function resultOf(rule: ResultRule, promoted: DType): DType {
  return rule === 'same' ? promoted : rule === 'float' ? floatDType(promoted) : rule;
}

/** What {@link inPlace} has to know of a declared op: its name, and itself without autocasting. */
interface Declared {
  readonly name: string;
  readonly unary?: UnaryOp<readonly unknown[]>;
  readonly binary?: NumberOp<readonly unknown[]>;
}
const declared = new WeakMap<object, Declared>();

/**
 * The in-place form of a declared op: `x.add_(y)` for `x.add(y)`. Made here and not where the op is declared, so that a bundle without it has nothing of
 * in-place writing.
 * @example export const exp_: UnaryOp = inPlace(exp);
 */
/* @__NO_SIDE_EFFECTS__ */
export function inPlace<F extends (...args: never) => Tensor>(op: F): F {
  const { name, unary: one, binary: two } = declared.get(op)!;
  const written = `${name}_`;
  const form =
    one === undefined
      ? (a: Tensor, b: Operand, ...options: unknown[]): Tensor => assign(a, two!(forInPlace(a, written, b), b, ...options), written)
      : (x: Tensor, ...options: unknown[]): Tensor => assign(x, one(forInPlace(x, written), ...options), written);
  return form as unknown as F;
}

/** Declares an op of one tensor. Its in-place form is had by {@link inPlace}. */
/* @__NO_SIDE_EFFECTS__ */
export function unary<O extends readonly unknown[] = readonly []>(name: string, spec: UnarySpec<O>): UnaryOp<O> {
  const { forward, backward, check } = spec;
  const rule = spec.result ?? 'same';
  const saves = spec.saves ?? 'x';
  const node = gradName(name);
  OPS.set(name, { name, inputs: 1, differentiable: backward !== undefined });
  const gradRule: Rule = (grad, n) => {
    const x = saves === 'x' || saves === 'both' ? n.saved(0) : (undefined as unknown as Tensor);
    const out = saves === 'out' ? n.saved(0) : saves === 'both' ? n.saved(1) : (undefined as unknown as Tensor);
    return [backward!(grad, x, out, ...(n.context as O))];
  };
  const op = (x: Tensor, ...options: O): Tensor => {
    if (typeof x !== 'object' || x === null || x.dtype === undefined) notTensor(name, 'input', x);
    if (check !== undefined) check(x, ...options);
    const dtype = resultOf(rule, x.dtype);
    const input = rule === 'float' ? castValue(x.value, dtype) : x.value;
    const out = wrap(narrow(forward(e, input, ...options), dtype));
    if (gradState.enabled && backward !== undefined && x.requiresGrad) {
      const n = attach(out, node, [x], gradRule);
      n.context = options;
      if (saves === 'x') n.save(x);
      else if (saves === 'out') n.save(out);
      else if (saves === 'both') n.save(x, out);
    }
    return out;
  };
  const outer = FLOAT32_POINTWISE.has(name)
    ? (x: Tensor, ...options: O): Tensor => (autocasting.on ? asFloat32(op, x, ...options) : op(x, ...options))
    : op;
  declared.set(outer, { name, unary: op as UnaryOp<readonly unknown[]> });
  return outer;
}

export interface BinarySpec<O extends readonly unknown[]> {
  readonly result?: ResultRule;
  readonly forward: (e: Expression, a: Value, b: Value, ...options: O) => Value;
  /** dL/da and dL/db; an operand that was a number comes as one. */
  readonly backward?: readonly [
    ((grad: Tensor, a: Operand, b: Operand, out: Tensor, ...options: O) => Tensor) | null,
    ((grad: Tensor, a: Operand, b: Operand, out: Tensor, ...options: O) => Tensor) | null,
  ];
  /** What each of the two gradients reads: letters of a, b, o (the output). Default: nothing. */
  readonly saves?: readonly [string, string];
  readonly check?: (a: Tensor, b: Operand, dtype: DType, ...options: O) => void;
  /** The second operand must be a tensor too, as PyTorch has it for some ops. Default false. */
  readonly tensors?: boolean;
  /** The first operand may be a number too, as PyTorch has it for others: beside a tensor, or even beside another number. Default: it may not. */
  readonly numbers?: 'beside-tensor' | 'any';
}

/** The dtype in which two operands meet: 0-d tensors and numbers only raise the category. PyTorch: torch.result_type. */
export function resultType(a: Operand, b: Operand): DType {
  if (typeof a !== 'object') return typeof b !== 'object' ? promoteTypes(numberDType(a), numberDType(b)) : besideNumber(b, a);
  if (typeof b !== 'object') return besideNumber(a, b);
  const x = a.dtype;
  const y = b.dtype;
  if (x === y) return x;
  const rankA = a.shape.length;
  const rankB = b.shape.length;
  if (rankA > 0 && rankB === 0) return categoryAbove(y, x) ? y : x;
  if (rankB > 0 && rankA === 0) return categoryAbove(x, y) ? x : y;
  return promoteTypes(x, y);
}

const numberDType = (x: number | boolean): DType => (typeof x === 'boolean' ? 'bool' : Number.isInteger(x) ? 'int32' : 'float32');

function besideNumber(t: Tensor, x: number | boolean): DType {
  const { dtype } = t;
  const { category } = DTYPE_INFO[dtype];
  if (category === 'float' || typeof x === 'boolean') return dtype;
  if (!Number.isInteger(x)) return 'float32';
  return category === 'bool' ? 'int32' : dtype;
}

/** The 0-d tensor that a number in the first place stands for: beside a tensor it raises no more than the category. */
export function asFirst(name: string, a: number | boolean, b: Operand): Tensor {
  if (typeof a !== 'number' && typeof a !== 'boolean') notTensor(name, 'input', a);
  return typeof b === 'object' ? filled([], a, besideNumber(b, a), b.device) : filled([], a, numberDType(a), toDevice(undefined));
}

/** An operand as a value of `dtype`. */
export function operandValue(x: Operand, dtype: DType, like: Tensor): Value {
  if (typeof x === 'object') return x.dtype === dtype ? x.value : castValue(x.value, dtype);
  return castValue(
    scalarValue(
      x,
      typeof x === 'boolean' ? 'bool' : DTYPE_INFO[dtype].compute === 'bool' ? 'float32' : DTYPE_INFO[dtype].compute,
      like.device,
    ),
    DTYPE_INFO[dtype].compute,
  );
}

/** What a binary op's rule needs beside saved tensors. */
class BinaryContext {
  constructor(
    readonly a: Tensor['shape'] | number | boolean,
    readonly b: Tensor['shape'] | number | boolean,
    readonly aDType: DType,
    readonly bDType: DType,
    /** Which of a, b, out were saved: 1, 2, 4. */
    readonly saved: number,
    readonly options: readonly unknown[],
  ) {}
}

const maskOf = (letters: string): number =>
  (letters.includes('a') ? 1 : 0) | (letters.includes('b') ? 2 : 0) | (letters.includes('o') ? 4 : 0);

/** Declares an op of two operands that broadcast. Its in-place form is had by {@link inPlace}. */
export function binary<O extends readonly unknown[] = readonly []>(
  name: string,
  spec: BinarySpec<O> & { readonly numbers: 'beside-tensor' | 'any' },
): NumberOp<O>;
export function binary<O extends readonly unknown[] = readonly []>(name: string, spec: BinarySpec<O>): BinaryOp<O>;
/* @__NO_SIDE_EFFECTS__ */
export function binary<O extends readonly unknown[] = readonly []>(name: string, spec: BinarySpec<O>): NumberOp<O> {
  const { forward, backward, check } = spec;
  const rule = spec.result ?? 'same';
  const tensors = spec.tensors ?? false;
  const numbers = spec.numbers ?? 'none';
  const node = gradName(name);
  const maskA = maskOf(spec.saves?.[0] ?? '');
  const maskB = maskOf(spec.saves?.[1] ?? '');
  OPS.set(name, { name, inputs: 2, differentiable: backward !== undefined });
  const gradRule: Rule = (grad, n) => {
    const c = n.context as BinaryContext;
    let at = 0;
    const missing = undefined as unknown as Tensor;
    const a = c.saved & 1 ? n.saved(at++) : typeof c.a === 'object' ? missing : c.a;
    const b = c.saved & 2 ? n.saved(at++) : typeof c.b === 'object' ? missing : c.b;
    const out = c.saved & 4 ? n.saved(at++) : missing;
    const options = c.options as O;
    const [da, db] = backward!;
    return [
      n.needs(0) && da !== null ? reduceGradient(da(grad, a, b, out, ...options), c.a as Tensor['shape'], c.aDType) : null,
      n.needs(1) && db !== null ? reduceGradient(db(grad, a, b, out, ...options), c.b as Tensor['shape'], c.bDType) : null,
    ];
  };
  const op = (a: Operand, b: Operand, ...options: O): Tensor => {
    if (typeof a !== 'object') {
      if (numbers === 'none' || (numbers === 'beside-tensor' && !isTensor(b))) notTensor(name, 'input', a);
      return op(asFirst(name, a, b), b, ...options);
    }
    const bt = typeof b === 'object' ? b : null;
    if (bt !== null && bt.dtype === undefined) notTensor(name, 'other', b);
    if (bt === null && (tensors || (typeof b !== 'number' && typeof b !== 'boolean'))) notTensor(name, 'other', b);
    if (bt !== null && a.shape !== bt.shape) broadcastShapes(a.shape, bt.shape, name);
    const promoted = resultType(a, b);
    if (check !== undefined) check(a, b, promoted, ...options);
    const dtype = resultOf(rule, promoted);
    const compute = rule === 'same' || rule === 'float' ? dtype : promoted;
    const av = a.dtype === compute ? a.value : castValue(a.value, compute);
    const out = wrap(narrow(forward(e, av, operandValue(b, compute, a), ...options), dtype));
    if (gradState.enabled && backward !== undefined && (a.requiresGrad || (bt !== null && bt.requiresGrad))) record(out, a, bt, b, options);
    return out;
  };
  const record = (out: Tensor, a: Tensor, bt: Tensor | null, b: Operand, options: readonly unknown[]): void => {
    const n: GradNode = attach(out, node, [a, bt], gradRule);
    let mask = (n.needs(0) ? maskA : 0) | (n.needs(1) ? maskB : 0);
    if (bt === null) mask &= ~2;
    n.context = new BinaryContext(
      a.shape,
      bt === null ? (b as number) : bt.shape,
      a.dtype,
      bt === null ? a.dtype : bt.dtype,
      mask,
      options,
    );
    if (mask === 1) n.save(a);
    else if (mask === 2) n.save(bt!);
    else if (mask === 3) n.save(a, bt!);
    else if (mask !== 0) n.save(...[mask & 1 ? a : null, mask & 2 ? bt : null, out].filter((t): t is Tensor => t !== null));
  };
  const outer = FLOAT32_POINTWISE.has(name)
    ? (a: Operand, b: Operand, ...options: O): Tensor => (autocasting.on ? asFloat32(op, a, b, ...options) : op(a, b, ...options))
    : op;
  declared.set(outer, { name, binary: op as NumberOp<readonly unknown[]> });
  return outer;
}

/** For callers without types. */
export function notTensor(name: string, argument: string, x: unknown): never {
  throw new ValueError(
    'ERR_ARGUMENT',
    `${name}: argument '${argument}' must be Tensor, not ${typeof x === 'object' && x !== null ? kindOf(x) : x === null ? 'null' : typeof x}`,
    {
      op: name,
    },
  );
}

/** For ops that integers and bools have no meaning in. */
export function requireFloat(name: string, x: Tensor): void {
  if (DTYPE_INFO[x.dtype].category !== 'float')
    throw new DTypeError('ERR_DTYPE', `${name}: takes floating point tensors, not ${x.dtype}`, { op: name, dtypes: [x.dtype] });
}
