/** @file Tensors of evenly spaced numbers and of index pairs; single numbers; random ones like another tensor. */
import { ShapeError, ValueError } from '../errors.js';
import { toDevice } from '../plugin/runtime.js';
import { type DType, isFloat } from '../tensor/dtype.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { castValue } from '../tensor/value.js';
import { empty, fromHost, full, rand, randint, randn, type RandomOptions, type TensorOptions } from './creation.js';
import { wrap } from './result.js';
import { checkOptions, type OptionNames } from '../options.js';

const TENSOR_OPTIONS: OptionNames<TensorOptions> = { dtype: true, device: true, requiresGrad: true };
const LOGSPACE_OPTIONS: OptionNames<LogspaceOptions> = { base: true, dtype: true, device: true, requiresGrad: true };
const TRIANGLE_OPTIONS: OptionNames<TriangleOptions> = { offset: true, dtype: true, device: true };
const RANDOM_OPTIONS: OptionNames<RandomOptions> = { generator: true, dtype: true, device: true, requiresGrad: true };

const finish = (t: Tensor, options: TensorOptions): Tensor => (options.requiresGrad === true ? t.requiresGrad_() : t);

/** A bound as a number: a 0-d tensor is read. */
function numberOf(op: string, x: number | Tensor): number {
  if (!isTensor(x)) return x;
  if (x.ndim !== 0)
    throw new ShapeError('ERR_RANK', `${op}: only supports 0-dimensional start and end tensors, but got one with ${x.ndim} dimension(s).`, {
      op,
      shapes: [x.shape],
    });
  return x.item();
}

function checkSteps(op: string, steps: number): void {
  if (!(Number.isInteger(steps) && steps >= 0))
    throw new ValueError('ERR_STEPS', `${op}: number of steps must be non-negative, but is ${steps}`, { op });
}

/** What steps are computed in before they are rounded to `dtype`. */
const rounding = (dtype: DType): ((x: number) => number) => (dtype === 'float64' || !isFloat(dtype) ? (x) => x : Math.fround);

/** Numbers from `start` to `end`, from both ends to the middle, as PyTorch computes them. */
function spaced(start: number, end: number, steps: number, dtype: DType): Float64Array {
  const round = rounding(dtype);
  const out = new Float64Array(steps);
  // Bounds are of the result's dtype: those of integers lose their fractions.
  const bound = isFloat(dtype) ? round : Math.trunc;
  const a = bound(start);
  const b = bound(end);
  const step = steps > 1 ? round((b - a) / (steps - 1)) : 0;
  for (let i = 0; i < steps; i++) out[i] = i < steps / 2 ? round(a + step * i) : round(b - step * (steps - 1 - i));
  if (steps === 1) out[0] = a;
  return out;
}

/**
 * `steps` numbers from `start` to `end`, both included. PyTorch: torch.linspace.
 * @example linspace(0, 1, 5) // tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
 */
export function linspace(start: number | Tensor, end: number | Tensor, steps: number, options: TensorOptions = {}): Tensor {
  checkOptions('linspace', options, TENSOR_OPTIONS);
  checkSteps('linspace', steps);
  const dtype = options.dtype ?? 'float32';
  return finish(
    fromHost(spaced(numberOf('linspace', start), numberOf('linspace', end), steps, dtype), [steps], dtype, toDevice(options.device)),
    options,
  );
}

export interface LogspaceOptions extends TensorOptions {
  /** Default 10. */
  readonly base?: number;
}
/** base^x for `steps` numbers x from `start` to `end`. PyTorch: torch.logspace. */
export function logspace(start: number | Tensor, end: number | Tensor, steps: number, options: LogspaceOptions = {}): Tensor {
  checkOptions('logspace', options, LOGSPACE_OPTIONS);
  checkSteps('logspace', steps);
  const dtype = options.dtype ?? 'float32';
  const base = options.base ?? 10;
  const exponents = spaced(numberOf('logspace', start), numberOf('logspace', end), steps, isFloat(dtype) ? 'float64' : dtype);
  return finish(
    fromHost(
      exponents.map((x) => base ** x),
      [steps],
      dtype,
      toDevice(options.device),
    ),
    options,
  );
}

/** A 0-d tensor. PyTorch: torch.scalar_tensor. */
export const scalarTensor = (value: number | boolean, options: TensorOptions = {}): Tensor =>
  full([], value, { dtype: 'float32', ...checkOptions('scalarTensor', options, TENSOR_OPTIONS) });

export interface TriangleOptions {
  /** The diagonal that the triangle reaches to. Default 0. */
  readonly offset?: number;
  readonly dtype?: DType;
  readonly device?: TensorOptions['device'];
}
function triangle(
  op: string,
  rows: number,
  columns: number,
  options: TriangleOptions,
  inside: (row: number, column: number) => boolean,
): Tensor {
  for (const [name, n] of [
    ['row', rows],
    ['col', columns],
  ] as const) {
    if (!(Number.isInteger(n) && n >= 0)) throw new ValueError('ERR_SIZE', `${op}: ${name} must be non-negative, got ${n}`, { op });
  }
  const first: number[] = [];
  const second: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      if (!inside(r, c)) continue;
      first.push(r);
      second.push(c);
    }
  }
  return fromHost([...first, ...second], [2, first.length], options.dtype ?? 'int32', toDevice(options.device));
}
/** Rows and columns of the lower triangle of a matrix. PyTorch: torch.tril_indices. */
export function trilIndices(row: number, col: number, options: TriangleOptions = {}): Tensor {
  checkOptions('trilIndices', options, TRIANGLE_OPTIONS);
  const offset = options.offset ?? 0;
  return triangle('trilIndices', row, col, options, (r, c) => c - r <= offset);
}
/** Rows and columns of the upper triangle of a matrix. PyTorch: torch.triu_indices. */
export function triuIndices(row: number, col: number, options: TriangleOptions = {}): Tensor {
  checkOptions('triuIndices', options, TRIANGLE_OPTIONS);
  const offset = options.offset ?? 0;
  return triangle('triuIndices', row, col, options, (r, c) => c - r >= offset);
}

const like = (x: Tensor, options: RandomOptions): RandomOptions => ({ dtype: x.dtype, device: x.device, ...options });
/** PyTorch: torch.rand_like. */
export const randLike = (x: Tensor, options: RandomOptions = {}): Tensor => {
  checkOptions('randLike', options, RANDOM_OPTIONS);
  return rand([...x.shape], like(x, options));
};
/** PyTorch: torch.randn_like. */
export const randnLike = (x: Tensor, options: RandomOptions = {}): Tensor => {
  checkOptions('randnLike', options, RANDOM_OPTIONS);
  return randn([...x.shape], like(x, options));
};
/** PyTorch: torch.randint_like. @example randintLike(x, 10); randintLike(x, 5, 10) */
export function randintLike(x: Tensor, high: number, options?: RandomOptions): Tensor;
export function randintLike(x: Tensor, low: number, high: number, options?: RandomOptions): Tensor;
export function randintLike(x: Tensor, first: number, second?: number | RandomOptions, third?: RandomOptions): Tensor {
  checkOptions('randintLike', third, RANDOM_OPTIONS);
  const [low, high, options] = typeof second === 'number' ? [first, second, third ?? {}] : [0, first, second ?? {}];
  const { dtype = x.dtype, ...rest } = like(x, options);
  // Drawn as integers, then converted: a float tensor of whole numbers, as PyTorch's.
  const drawn = randint(low, high, x.shape, rest);
  return finish(wrap(castValue(drawn.value, dtype === 'bool' ? 'bool' : dtype)), options);
}

/** A tensor of any strides over memory of its own, zeros. PyTorch: torch.empty_strided. */
export function emptyStrided(size: readonly number[], stride: readonly number[], options: TensorOptions = {}): Tensor {
  checkOptions('emptyStrided', options, TENSOR_OPTIONS);
  const length = size.some((s) => s === 0) ? 0 : size.reduce((n, s, d) => n + (s - 1) * stride[d]!, 1);
  return finish(
    empty([length], { dtype: options.dtype ?? 'float32', ...(options.device === undefined ? {} : { device: options.device }) }).asStrided(
      size,
      stride,
      0,
    ),
    options,
  );
}
