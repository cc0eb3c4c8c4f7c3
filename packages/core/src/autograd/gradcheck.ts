/** @file Gradients against finite differences. PyTorch: torch.autograd.gradcheck and gradgradcheck. */
import { AutogradError } from '../errors.js';
import { fromHost, zeros } from '../ops/creation.js';
import { Generator } from '../random/generator.js';
import { isFloat } from '../tensor/dtype.js';
import { numelOf } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { grad } from './backward.js';
import { enableGrad, noGrad } from './mode.js';
import { checkOptions, type OptionNames } from '../options.js';

const GRADCHECK_OPTIONS: OptionNames<GradcheckOptions> = { eps: true, atol: true, rtol: true, raiseException: true, nondetTol: true };

/** What is checked: any function of tensors (and other arguments) to a tensor or several. */
export type CheckedFunction = (...inputs: never[]) => unknown;

export interface GradcheckOptions {
  /** How far an element is moved to each side. Default 1e-6, for float64. */
  readonly eps?: number;
  readonly atol?: number;
  readonly rtol?: number;
  /** false: answer false in place of throwing. Default true. */
  readonly raiseException?: boolean;
  /** How far two backward passes may differ. Default 0. */
  readonly nondetTol?: number;
}

/** The tensors among a function's results that a gradient can come from. */
function outputsOf(result: unknown): Tensor[] {
  const list = Array.isArray(result) ? (result as unknown[]) : [result];
  return list.filter((t): t is Tensor => isTensor(t) && isFloat(t.dtype));
}

/** Rows of numbers, [input element][output element]. */
type Jacobian = number[][];

/** The element at a row-major index, as a view of the same memory, for any strides. */
function element(x: Tensor, index: number): Tensor {
  const place: number[] = [];
  for (let d = x.ndim - 1, rest = index; d >= 0; d--) {
    place.unshift(rest % x.shape[d]!);
    rest = Math.floor(rest / x.shape[d]!);
  }
  return place.reduce((view, i) => view.select(0, i), x.detach());
}

/** dy/dx by (f(x + ε) − f(x − ε)) / 2ε, for all outputs at once: [output][input element][output element]. Elements are moved in place. */
function numericalJacobians(fn: () => Tensor[], x: Tensor, eps: number): Jacobian[] {
  const values = x.detach().data();
  const jacobians: Jacobian[] = [];
  noGrad(() => {
    for (let i = 0; i < values.length; i++) {
      const at = element(x, i);
      const original = values[i]!;
      const moved = (to: number): ArrayLike<number>[] => {
        at.fill_(to);
        return fn().map((y) => y.detach().data());
      };
      const above = moved(original + eps);
      const below = moved(original - eps);
      at.fill_(original);
      above.forEach((y, o) => (jacobians[o] ??= []).push(Array.from(y, (up, j) => (up - below[o]![j]!) / (2 * eps))));
    }
  });
  return jacobians;
}

/** The same by the backward pass, an output element at a time; null where the output does not depend on any input. */
function analyticalJacobian(y: Tensor, inputs: readonly Tensor[]): Jacobian[] | null {
  if (!y.requiresGrad) return null;
  const count = y.numel();
  const jacobians = inputs.map((x) => Array.from({ length: x.numel() }, () => new Array<number>(count).fill(0)));
  for (let j = 0; j < count; j++) {
    const one = new Float64Array(count);
    one[j] = 1;
    const grads = grad(y, inputs, { gradOutputs: fromHost(one, y.shape, y.dtype, y.device), retainGraph: true, allowUnused: true });
    grads.forEach((g, k) => {
      if (g === null) return;
      if (g.dtype !== inputs[k]!.dtype)
        throw new AutogradError(
          'ERR_GRADCHECK',
          `gradcheck: the gradient of input ${k} is ${g.dtype}, but the input is ${inputs[k]!.dtype}`,
        );
      g.data().forEach((v, i) => (jacobians[k]![i]![j] = v));
    });
  }
  return jacobians;
}

const text = (j: Jacobian): string => `[${j.map((row) => `[${row.map((v) => v.toPrecision(6)).join(', ')}]`).join(',\n ')}]`;

function differs(a: Jacobian, b: Jacobian, atol: number, rtol: number): boolean {
  return a.some((row, i) =>
    row.some((x, j) => {
      const y = b[i]![j]!;
      return !(Math.abs(x - y) <= atol + rtol * Math.abs(y) || x === y || (x !== x && y !== y));
    }),
  );
}

/**
 * Are the gradients of `fn` by all inputs that require them what finite differences say? Inputs should be float64 and contain no element
 * twice; elements are moved in place, so that `fn` may close over them. Reads values.
 *
 * @throws AutogradError `ERR_GRADCHECK` with both Jacobians (rows: input elements), unless `raiseException` is false.
 * @example gradcheck((x, y) => x.mul(y).sin(), [x, y])
 */
export function gradcheck(fn: CheckedFunction, inputs: unknown, options: GradcheckOptions = {}): boolean {
  checkOptions('gradcheck', options, GRADCHECK_OPTIONS);
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3, raiseException = true, nondetTol = 0 } = options;
  try {
    check(fn, Array.isArray(inputs) ? (inputs as unknown[]) : [inputs], eps, atol, rtol, nondetTol);
    return true;
  } catch (error) {
    if (raiseException || !(error instanceof AutogradError && error.code === 'ERR_GRADCHECK')) throw error;
    return false;
  }
}

function fail(why: string): never {
  throw new AutogradError('ERR_GRADCHECK', `gradcheck: ${why}`);
}

function check(fn: CheckedFunction, args: readonly unknown[], eps: number, atol: number, rtol: number, nondetTol: number): void {
  const inputs = args.filter((x): x is Tensor => isTensor(x) && x.requiresGrad);
  if (inputs.length === 0)
    fail('gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True.');
  inputs.forEach((x, i) => {
    if (x.dtype !== 'float64' && eps < 1e-4)
      fail(
        `input ${i} requires gradient and is ${x.dtype}, not float64: differences over eps=${eps} tell nothing; give float64, or a larger eps, atol and rtol`,
      );
  });
  const call = (): Tensor[] => outputsOf(fn(...(args as never[])));
  const outputs = call();
  if (!outputs.some((y) => y.requiresGrad)) {
    // A function without gradients is right where it is constant.
    inputs.forEach((x, k) =>
      numericalJacobians(call, x, eps).forEach((n, o) => {
        if (n.some((row) => row.some((v) => Math.abs(v) > atol)))
          fail(`Numerical gradient for function expected to be zero: output ${o} has no gradient, but changes with input ${k}`);
      }),
    );
    return;
  }
  const analytical = outputs.map((y) => analyticalJacobian(y, inputs));
  const repeated = call().map((y) => analyticalJacobian(y, inputs));
  inputs.forEach((x, k) => {
    const numerical = numericalJacobians(call, x, eps);
    outputs.forEach((_y, o) => {
      const n = numerical[o] ?? [];
      const a = analytical[o]?.[k] ?? n.map((row) => row.map(() => 0));
      if (x.numel() > 0 && differs(a, n, atol, rtol))
        fail(`Jacobian mismatch for output ${o} with respect to input ${k},\nnumerical:\n${text(n)}\nanalytical:\n${text(a)}\n`);
      const second = repeated[o]?.[k];
      if (second !== undefined && differs(a, second, nondetTol, 0))
        fail(
          `Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different values, although analytical gradient matches numerical gradient. The tolerance for nondeterminism was ${nondetTol}. (output ${o}, input ${k})`,
        );
    });
  });
}

/**
 * Are second derivatives right: {@link gradcheck} of the gradients of `fn`, by its inputs and by the gradients of its outputs, which are
 * drawn at random unless they are given.
 *
 * @throws AutogradError `ERR_GRADCHECK`
 */
export function gradgradcheck(
  fn: CheckedFunction,
  inputs: unknown,
  gradOutputs?: Tensor | readonly Tensor[] | null,
  options: GradcheckOptions = {},
): boolean {
  checkOptions('gradgradcheck', options, GRADCHECK_OPTIONS);
  const args = Array.isArray(inputs) ? (inputs as unknown[]) : [inputs];
  const outputs = (result: unknown): Tensor[] => outputsOf(result).filter((y) => y.requiresGrad);
  const generator = new Generator(0);
  const given =
    gradOutputs === undefined || gradOutputs === null
      ? outputs(fn(...(args as never[]))).map((y) =>
          fromHost(generator.normal(new Float64Array(numelOf(y.shape))), y.shape, y.dtype, y.device).requiresGrad_(),
        )
      : Array.isArray(gradOutputs)
        ? (gradOutputs as readonly Tensor[])
        : [gradOutputs as Tensor];
  const count = args.length;
  const gradients = (...all: unknown[]): Tensor[] => {
    const xs = all.slice(0, count);
    const wanted = xs.filter((x): x is Tensor => isTensor(x) && x.requiresGrad);
    const ys = outputs(fn(...(xs as never[])));
    // Zeros for inputs without gradients keep the outputs in step with each other.
    return grad(ys, wanted, { gradOutputs: all.slice(count) as Tensor[], createGraph: true, allowUnused: true }).map(
      (g, i) => g ?? zeros(wanted[i]!.shape, { dtype: wanted[i]!.dtype, device: wanted[i]!.device }),
    );
  };
  // Within differences nothing is recorded, but the gradients themselves need a graph.
  return gradcheck((...all: unknown[]) => enableGrad(() => gradients(...all)), [...args, ...given], options);
}
