/** @file Functions from functions: their gradients, products with their Jacobians, Jacobians, Hessians. PyTorch: torch.func. */
import { enableGrad } from '../autograd/mode.js';
import { AutogradError, ShapeError, ValueError } from '../errors.js';
import { stack } from '../ops/cat.js';
import { zerosLike } from '../ops/creation.js';
import { filled } from '../ops/fill.js';
import { isFloat } from '../tensor/dtype.js';
import { sameShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { pullBack, recorded, Tape } from './tape.js';
import { filledTree, leavesLike, leavesOf, type Tree } from './tree.js';
import { checkOptions, type OptionNames } from '../options.js';

const HESSIAN_OPTIONS: OptionNames<{ readonly argnums?: number | readonly number[] }> = { argnums: true };
const TRANSFORM_OPTIONS: OptionNames<TransformOptions> = { argnums: true, hasAux: true };
const AUX_OPTIONS: OptionNames<{ readonly hasAux?: boolean }> = { hasAux: true };

export interface TransformOptions {
  /** Which arguments are differentiated by: one, whose derivative comes as it is, or several, whose come in an array. Default 0. */
  readonly argnums?: number | readonly number[];
  /** The function answers `[output, aux]`; `aux` is handed on beside the result. Default false. */
  readonly hasAux?: boolean;
}

/** What transforms take. */
export type Fn = (...args: never[]) => Tree;
/** The form of the chosen arguments: the first one's where none is named. */
export type Gradient<F extends Fn, O extends TransformOptions> = O['argnums'] extends readonly number[]
  ? Tree[]
  : O['argnums'] extends number
    ? Parameters<F>[O['argnums']]
    : Parameters<F>[0];
/** With `hasAux`, what the function gave beside its output. */
type WithAux<F extends Fn, O extends TransformOptions, R> = O['hasAux'] extends true
  ? [R, ReturnType<F> extends readonly [unknown, infer A] ? A : Tree]
  : R;
type Output<F extends Fn, O extends TransformOptions> = O['hasAux'] extends true
  ? ReturnType<F> extends readonly [infer Y, unknown]
    ? Y
    : Tree
  : ReturnType<F>;
/** A tensor for one output and one argument, else a tree of trees. */
type Jacobian<F extends Fn, O extends TransformOptions> =
  Output<F, O> extends Tensor ? (Gradient<F, O> extends Tensor ? Tensor : Tree) : Tree;

/** The chosen arguments, and all of them with those recorded. */
function choose(name: string, args: readonly Tree[], argnums: number | readonly number[]): { all: Tree[]; chosen: Tree } {
  const wanted = typeof argnums === 'number' ? [argnums] : argnums;
  const all = [...args];
  const places = wanted.map((n) => {
    const i = n < 0 ? n + args.length : n;
    if (!(Number.isInteger(i) && i >= 0 && i < args.length))
      throw new ValueError('ERR_ARGNUMS', `${name}: Got argnum=${n}, but only ${args.length} positional inputs`, { op: name });
    all[i] = recorded(args[i]);
    if (leavesOf(all[i]).some((x) => !isFloat(x.dtype)))
      throw new AutogradError('ERR_REQUIRES_GRAD_DTYPE', `${name}: only Tensors of floating point dtype can be differentiated by`, {
        op: name,
      });
    return i;
  });
  return { all, chosen: typeof argnums === 'number' ? all[places[0]!] : places.map((i) => all[i]) };
}

/** The output, and what the function gave beside it. */
function parts(name: string, result: Tree, hasAux: boolean): { output: Tree; aux: Tree } {
  if (!hasAux) return { output: result, aux: undefined };
  if (!Array.isArray(result) || result.length !== 2)
    throw new ValueError('ERR_AUX', `${name}: with hasAux the function must return [output, aux]`, { op: name });
  return { output: result[0] as Tree, aux: result[1] as Tree };
}

/** A run with some arguments recorded. */
function tapeOf(name: string, fn: Fn, args: readonly Tree[], options: TransformOptions) {
  const { argnums = 0, hasAux = false } = checkOptions(name, options, TRANSFORM_OPTIONS);
  const { all, chosen } = enableGrad(() => choose(name, args, argnums));
  const tape = new Tape(
    () => fn(...(all as never[])),
    leavesOf(chosen),
    (result) => parts(name, result, hasAux).output,
  );
  const { output, aux } = parts(name, tape.output, hasAux);
  return { tape, chosen, output, aux };
}

function gradients(name: string, fn: Fn, args: readonly Tree[], options: TransformOptions): { gradient: Tree; value: Tree; aux: Tree } {
  const { tape, chosen, output, aux } = tapeOf(name, fn, args, options);
  if (!isTensor(output) || output.numel() !== 1)
    throw new AutogradError(
      'ERR_GRAD_NOT_SCALAR',
      `${name}: Expected the function given to ${name} to return a scalar tensor, got ${isTensor(output) ? `a tensor with ${output.ndim} dims` : typeof output}. Maybe you wanted to use vjp or jacrev?`,
      { op: name },
    );
  const found = tape.pull([filled(output.shape, 1, output.dtype, output.device)]);
  return { gradient: filledTree(chosen, found), value: tape.result(output), aux: tape.result(aux) };
}

/**
 * The function that gives the gradient of `fn`, which answers a tensor with one element; with `hasAux`, `[gradient, aux]`. Arguments may be trees
 * (Maps of parameters, arrays, plain objects); the gradient has the form of its argument. Transforms nest: `grad(grad(f))` is f''.
 * PyTorch: torch.func.grad.
 *
 * @example func.grad((x) => x.sin().sum())(x) // cos x
 * @example
 * const loss = (params, x, y) => F.mseLoss(func.functionalCall(model, params, [x]), y);
 * const grads = func.grad(loss)(new Map(model.namedParameters()), x, y);
 * @throws AutogradError `ERR_GRAD_NOT_SCALAR`; ValueError `ERR_ARGNUMS`, `ERR_AUX`.
 */
export function grad<F extends Fn, const O extends TransformOptions = {}>(
  fn: F,
  options?: O,
): (...args: Parameters<F>) => WithAux<F, O, Gradient<F, O>> {
  return (...args) => {
    const { gradient, aux } = gradients('grad', fn, args, options ?? {});
    return (options?.hasAux === true ? [gradient, aux] : gradient) as WithAux<F, O, Gradient<F, O>>;
  };
}

/** As {@link grad}, with the value: `[gradient, value]`, or `[gradient, [value, aux]]`. PyTorch: torch.func.grad_and_value. */
export function gradAndValue<F extends Fn, const O extends TransformOptions = {}>(
  fn: F,
  options?: O,
): (...args: Parameters<F>) => [gradient: Gradient<F, O>, value: WithAux<F, O, Tensor>] {
  return (...args) => {
    const { gradient, value, aux } = gradients('gradAndValue', fn, args, options ?? {});
    return [gradient as Gradient<F, O>, (options?.hasAux === true ? [value, aux] : value) as WithAux<F, O, Tensor>];
  };
}

/** Sends cotangents of an output's form back to the arguments; may be called several times. */
export type VjpFunction = (cotangents: Tree) => Tree[];

/**
 * `[f(…primals), pull]`, or `[f(…primals), pull, aux]`: `pull(v)` is vᵀJ, an array with the gradient of each primal. PyTorch: torch.func.vjp.
 * @example const [y, pull] = func.vjp((x) => x.sin(), [x]); const [dx] = pull(onesLike(y));
 */
export function vjp(
  fn: Fn,
  primals: readonly Tree[],
  options: { readonly hasAux?: boolean } = {},
): [output: Tree, pull: VjpFunction, aux: Tree] {
  const { hasAux = false } = checkOptions('vjp', options, AUX_OPTIONS);
  const { tape, chosen, output, aux } = tapeOf('vjp', fn, primals, { argnums: primals.map((_, i) => i), hasAux });
  const pull: VjpFunction = (cotangents) => filledTree(chosen, tape.pull(leavesLike(cotangents, output, 'vjp', 'the cotangent'))) as Tree[];
  return [tape.result(output), pull, tape.result(aux)];
}

/** J v from a tape, by the backward of a backward. */
function push(tape: Tape, tangents: readonly Tensor[]): Tensor[] {
  // g(u) = uᵀ J is linear in u; its own vᵀ-product is J v.
  return enableGrad(() => {
    const us = tape.outputs.map((y) => (y.requiresGrad ? zerosLike(y).detach().requiresGrad_() : zerosLike(y)));
    const back = tape.pull(us, true);
    return pullBack(back, us, tangents, tape.nested).map((t, i) => (tape.outputs[i]!.requiresGrad ? t : zerosLike(tape.outputs[i]!)));
  });
}

/**
 * `[f(…primals), J v]` for tangents v of the primals' forms; with `hasAux` a third entry. There is no forward mode here: it is the backward of a
 * backward, which costs about twice a {@link vjp}. PyTorch: torch.func.jvp.
 * @example const [y, dy] = func.jvp((x) => x.sin(), [x], [onesLike(x)]) // dy = cos x
 */
export function jvp(
  fn: Fn,
  primals: readonly Tree[],
  tangents: readonly Tree[],
  options: { readonly hasAux?: boolean } = {},
): [output: Tree, tangent: Tree, aux: Tree] {
  const { hasAux = false } = checkOptions('jvp', options, AUX_OPTIONS);
  const { tape, chosen, output, aux } = tapeOf('jvp', fn, primals, { argnums: primals.map((_, i) => i), hasAux });
  const given = leavesLike(tangents, chosen, 'jvp', 'the tangents');
  given.forEach((t, i) => {
    if (!sameShape(t.shape, tape.inputs[i]!.shape))
      throw new ShapeError('ERR_GRAD_SHAPE', 'jvp: tangents must have the shapes of the primals', {
        shapes: [t.shape, tape.inputs[i]!.shape],
      });
  });
  return [tape.result(output), filledTree(output, push(tape, given)), tape.result(aux)];
}

/** The `i`th of the tensors that have a 1 in one place. */
function basis(like: Tensor, i: number): Tensor {
  const v = filled([like.numel()], 0, like.dtype, like.device);
  v.narrow(0, i, 1).fill_(1);
  return v.reshape(like.shape);
}

/** Rows that were taken one by one, as (…shape, …rest). */
const stacked = (rows: readonly Tensor[], shape: readonly number[], rest: readonly number[], like: Tensor): Tensor =>
  rows.length === 0 ? filled([...shape, ...rest], 0, like.dtype, like.device) : stack(rows).reshape([...shape, ...rest]);

/**
 * The function that gives the Jacobian of `fn`: (…output, …argument) for one tensor of each, else trees of the output's form with trees of the
 * argument's in them. A backward for each element of the output, so for functions with fewer outputs than inputs. PyTorch: torch.func.jacrev.
 * @example func.jacrev((x) => x.sin())(x) // the diagonal matrix of cos x
 */
export function jacrev<F extends Fn, const O extends TransformOptions = {}>(
  fn: F,
  options?: O,
): (...args: Parameters<F>) => WithAux<F, O, Jacobian<F, O>> {
  return (...args) => {
    const { tape, chosen, output, aux } = tapeOf('jacrev', fn, args, options ?? {});
    const perOutput = tape.outputs.map((y, k) => {
      const rows: Tensor[][] = [];
      for (let i = 0; i < y.numel(); i++) rows.push(tape.pull(tape.outputs.map((_, j) => (j === k ? basis(y, i) : null))));
      return filledTree(
        chosen,
        tape.inputs.map((x, j) =>
          stacked(
            rows.map((row) => row[j]!),
            y.shape,
            x.shape,
            x,
          ),
        ),
      );
    });
    const jacobian = filledTree(output, perOutput);
    return (options?.hasAux === true ? [jacobian, tape.result(aux)] : jacobian) as WithAux<F, O, Jacobian<F, O>>;
  };
}

/** As {@link jacrev}, column by column: for functions with fewer inputs than outputs. PyTorch: torch.func.jacfwd. */
export function jacfwd<F extends Fn, const O extends TransformOptions = {}>(
  fn: F,
  options?: O,
): (...args: Parameters<F>) => WithAux<F, O, Jacobian<F, O>> {
  return (...args) => {
    const { tape, chosen, output, aux } = tapeOf('jacfwd', fn, args, options ?? {});
    // columns[input][element][output]
    const columns = tape.inputs.map((x, k) =>
      Array.from({ length: x.numel() }, (_, i) =>
        push(
          tape,
          tape.inputs.map((z, j) => (j === k ? basis(x, i) : zerosLike(z))),
        ),
      ),
    );
    const perOutput = tape.outputs.map((y, j) =>
      filledTree(
        chosen,
        tape.inputs.map((x, k) => {
          if (columns[k]!.length === 0) return filled([...y.shape, ...x.shape], 0, y.dtype, y.device);
          return stack(
            columns[k]!.map((column) => column[j]!),
            -1,
          ).reshape([...y.shape, ...x.shape]);
        }),
      ),
    );
    const jacobian = filledTree(output, perOutput);
    return (options?.hasAux === true ? [jacobian, tape.result(aux)] : jacobian) as WithAux<F, O, Jacobian<F, O>>;
  };
}

/**
 * The function that gives the Hessian of `fn`: (…output, …argument, …argument). PyTorch: torch.func.hessian, whose jacfwd(jacrev(f)) is
 * jacrev(jacrev(f)) here, for want of a forward mode.
 * @example func.hessian((x) => x.pow(3).sum())(x) // the diagonal matrix of 6 x
 */
export function hessian<F extends Fn>(
  fn: F,
  options: { readonly argnums?: number | readonly number[] } = {},
): (...args: Parameters<F>) => Jacobian<F, {}> {
  const { argnums = 0 } = checkOptions('hessian', options, HESSIAN_OPTIONS);
  return jacrev(jacrev(fn, { argnums }) as Fn, { argnums }) as (...args: Parameters<F>) => Jacobian<F, {}>;
}
