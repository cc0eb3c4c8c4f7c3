/** @file Whole derivatives of functions. PyTorch: torch.autograd.functional. */
import { AutogradError, ShapeError } from '../errors.js';
import { stack } from '../ops/cat.js';
import { zerosLike } from '../ops/creation.js';
import { filled } from '../ops/fill.js';
import { sameShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { grad } from './backward.js';
import { enableGrad } from './mode.js';
import { checkOptions, type OptionNames } from '../options.js';

const DERIVATIVE_OPTIONS: OptionNames<DerivativeOptions> = { createGraph: true, strict: true };

/** One tensor or several, as a function takes or gives them; results have the same form. */
type Tensors = Tensor | readonly Tensor[];
type Func = (...inputs: Tensor[]) => Tensors;

/**
 * Rows of Jacobians are computed one by one: PyTorch's `vectorize`, which asks for one batched backward, would give the same numbers, and is no
 * option here.
 */
export interface DerivativeOptions {
  /** The results are parts of the graph, so that they can be differentiated again. Default false. */
  readonly createGraph?: boolean;
  /** Outputs that do not depend on an input are an error in place of zeros. Default false. */
  readonly strict?: boolean;
}

const listOf = (x: Tensors): readonly Tensor[] => (isTensor(x) ? [x] : x);
/** One result for one tensor, a list for a list. */
const likeForm = <T>(list: T[], form: Tensors): T | T[] => (isTensor(form) ? list[0]! : list);

/** Inputs that are recorded: the graph's own with `createGraph`, else leaves. */
function prepared(inputs: Tensors, createGraph: boolean): Tensor[] {
  return listOf(inputs).map((x) =>
    createGraph ? (x.requiresGrad ? x.view(x.shape) : x.detach().requiresGrad_()) : x.detach().requiresGrad_(),
  );
}

function gradients(
  name: string,
  ys: readonly Tensor[],
  xs: readonly Tensor[],
  vs: readonly Tensor[],
  options: DerivativeOptions,
  keepGraph: boolean,
): Tensor[] {
  const used = ys.map((y, i) => [y, vs[i]!] as const).filter(([y]) => y.requiresGrad);
  if (used.length < ys.length && options.strict === true)
    throw new AutogradError(
      'ERR_GRAD_UNUSED',
      `${name}: Output ${ys.findIndex((y) => !y.requiresGrad)} of the user-provided function is independent of the input. This is not allowed in strict mode.`,
    );
  const found =
    used.length === 0
      ? xs.map(() => null)
      : grad(
          used.map(([y]) => y),
          xs,
          {
            gradOutputs: used.map(([, v]) => v),
            createGraph: options.createGraph === true || keepGraph,
            retainGraph: true,
            allowUnused: true,
          },
        );
  return found.map((g, i) => {
    if (g === null && options.strict === true)
      throw new AutogradError(
        'ERR_GRAD_UNUSED',
        `${name}: The output of the user-provided function is independent of input ${i}. This is not allowed in strict mode.`,
      );
    return g ?? zerosLike(xs[i]!);
  });
}

function direction(name: string, v: Tensors | null | undefined, like: readonly Tensor[], what: string): readonly Tensor[] {
  if (v === null || v === undefined) {
    if (like.length === 1 && like[0]!.numel() === 1) return [filled(like[0]!.shape, 1, like[0]!.dtype, like[0]!.device)];
    throw new AutogradError(
      'ERR_GRAD_NOT_SCALAR',
      `${name}: The vector v can only be None if the ${what} of the user-provided function contains a single Tensor with a single element.`,
    );
  }
  const list = listOf(v);
  if (list.length !== like.length || list.some((t, i) => !sameShape(t.shape, like[i]!.shape)))
    throw new ShapeError('ERR_GRAD_SHAPE', `${name}: v has invalid size: it must have the shapes of the ${what}`, {
      shapes: list.map((t) => t.shape),
    });
  return list;
}

/** `[f(x), vᵀ J]`: one backward pass. PyTorch: torch.autograd.functional.vjp. */
export function vjp(
  func: Func,
  inputs: Tensors,
  v?: Tensors | null,
  options: DerivativeOptions = {},
): [outputs: Tensors, product: Tensor | Tensor[]] {
  checkOptions('vjp', options, DERIVATIVE_OPTIONS);
  return enableGrad(() => {
    const xs = prepared(inputs, options.createGraph ?? false);
    const result = func(...xs);
    const ys = listOf(result);
    const product = gradients('vjp', ys, xs, direction('vjp', v, ys, 'output'), options, false);
    return [released(result, options), likeForm(product, inputs)];
  });
}

/** `[f(x), J v]`: the backward of a backward. PyTorch: torch.autograd.functional.jvp. */
export function jvp(
  func: Func,
  inputs: Tensors,
  v?: Tensors | null,
  options: DerivativeOptions = {},
): [outputs: Tensors, product: Tensor | Tensor[]] {
  checkOptions('jvp', options, DERIVATIVE_OPTIONS);
  return enableGrad(() => {
    const xs = prepared(inputs, options.createGraph ?? false);
    const vs = direction('jvp', v, xs, 'input');
    const result = func(...xs);
    const ys = listOf(result);
    // g(u) = uᵀ J is linear in u; its own vᵀ-product is J v.
    const us = ys.map((y) => zerosLike(y).requiresGrad_());
    const back = gradients('jvp', ys, xs, us, { strict: options.strict ?? false }, true);
    const product = gradients('jvp', back, us, vs, { createGraph: options.createGraph ?? false }, false);
    return [released(result, options), likeForm(product, result)];
  });
}

const released = (result: Tensors, options: DerivativeOptions): Tensors =>
  options.createGraph === true ? result : isTensor(result) ? result.detach() : result.map((y) => y.detach());

/**
 * dy/dx of shape (…y, …x); lists where the function takes or gives several. PyTorch: torch.autograd.functional.jacobian.
 * @example jacobian((x) => x.exp(), x) // the diagonal matrix of eˣ
 */
export function jacobian(func: Func, inputs: Tensors, options: DerivativeOptions = {}): Tensor | Tensor[] | Tensor[][] {
  checkOptions('jacobian', options, DERIVATIVE_OPTIONS);
  return enableGrad(() => {
    const xs = prepared(inputs, options.createGraph ?? false);
    const result = func(...xs);
    const perOutput = listOf(result).map((y) => {
      const rows: Tensor[][] = [];
      const flat = y.reshape([-1]);
      for (let i = 0; i < y.numel(); i++) {
        const one = filled([], 1, y.dtype, y.device);
        rows.push(gradients('jacobian', [flat.select(0, i)], xs, [one], options, false));
      }
      return xs.map((x, k) =>
        rows.length === 0
          ? filled([...y.shape, ...x.shape], 0, y.dtype, y.device)
          : stack(
              rows.map((row) => row[k]!),
              0,
            ).reshape([...y.shape, ...x.shape]),
      );
    });
    const inner = perOutput.map((row) => likeForm(row, inputs));
    return likeForm(inner as Tensor[], result);
  });
}

/** The slope of a function with one element, as part of a graph. */
function slopeOf(name: string, func: Func, xs: readonly Tensor[], options: DerivativeOptions): [y: Tensor, slope: Tensor[]] {
  const y = func(...xs);
  if (!isTensor(y) || y.numel() !== 1)
    throw new AutogradError(
      'ERR_GRAD_NOT_SCALAR',
      `${name}: The Tensor returned by the function given to ${name} should contain a single element${isTensor(y) ? `, not shape [${y.shape.join(', ')}]` : ''}`,
      { shapes: listOf(y).map((t) => t.shape) },
    );
  return [y, gradients(name, [y], xs, [filled(y.shape, 1, y.dtype, y.device)], { strict: options.strict ?? false }, true)];
}

/**
 * d²y/dx_i dx_j of a function with one element, of shape (…x_i, …x_j); a list of lists for several inputs. PyTorch:
 * torch.autograd.functional.hessian.
 */
export function hessian(
  func: (...inputs: Tensor[]) => Tensor,
  inputs: Tensors,
  options: DerivativeOptions = {},
): Tensor | Tensor[] | Tensor[][] {
  checkOptions('hessian', options, DERIVATIVE_OPTIONS);
  const slope = (...xs: Tensor[]): Tensors => {
    const [, found] = slopeOf('hessian', func, xs, options);
    return isTensor(inputs) ? found[0]! : found;
  };
  return jacobian(slope, inputs, options);
}

/** `[f(x), vᵀ H]` for a function with one element: a backward through a backward. PyTorch: torch.autograd.functional.vhp. */
export function vhp(
  func: (...inputs: Tensor[]) => Tensor,
  inputs: Tensors,
  v?: Tensors | null,
  options: DerivativeOptions = {},
): [output: Tensor, product: Tensor | Tensor[]] {
  checkOptions('vhp', options, DERIVATIVE_OPTIONS);
  return enableGrad(() => {
    const xs = prepared(inputs, options.createGraph ?? false);
    const vs = direction('vhp', v, xs, 'input');
    const [y, slope] = slopeOf('vhp', func, xs, options);
    const product = gradients('vhp', slope, xs, vs, options, false);
    return [released(y, options) as Tensor, likeForm(product, inputs)];
  });
}

/**
 * `[f(x), H v]` for a function with one element. Where second derivatives are continuous H is symmetric and {@link vhp} gives the same for less.
 * PyTorch: torch.autograd.functional.hvp.
 * @example const [, hv] = autograd.functional.hvp((x) => x.pow(3).sum(), x, v) // 6 x v
 */
export function hvp(
  func: (...inputs: Tensor[]) => Tensor,
  inputs: Tensors,
  v?: Tensors | null,
  options: DerivativeOptions = {},
): [output: Tensor, product: Tensor | Tensor[]] {
  checkOptions('hvp', options, DERIVATIVE_OPTIONS);
  return enableGrad(() => {
    const xs = prepared(inputs, options.createGraph ?? false);
    const vs = direction('hvp', v, xs, 'input');
    const [y, slope] = slopeOf('hvp', func, xs, options);
    // g(u) = uᵀ H is linear in u; its own vᵀ-product is H v.
    const us = slope.map((s) => zerosLike(s).requiresGrad_());
    const back = gradients('hvp', slope, xs, us, { strict: options.strict ?? false }, true);
    const product = gradients('hvp', back, us, vs, { createGraph: options.createGraph ?? false }, false);
    return [released(y, options) as Tensor, likeForm(product, inputs)];
  });
}
