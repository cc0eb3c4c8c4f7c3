/** @file Making tensors. PyTorch: torch.tensor, zeros, ones, full, arange, eye, rand, randn, … */
import { ShapeError, ValueError } from '../errors.js';
import type { Generator } from '../random/generator.js';
import type { Device } from '../plugin/device.js';
import { type DeviceLike, toDevice } from '../plugin/runtime.js';
import { dtypeOfArray, DTYPE_INFO, type DType, isFloat, requireDType } from '../tensor/dtype.js';
import { encode, type NestedArray } from '../tensor/host.js';
import { numelOf, type Shape, toShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { defaultGenerator } from '../random/default-generator.js';
import { castValue, indexValue, inMemory, relabel } from '../tensor/value.js';
import { e } from './expression.js';
import { filled } from './fill.js';
import { wrap } from './result.js';
import { to } from './copy.js';
import { checkOptions, type OptionNames } from '../options.js';

const FROM_BYTES_OPTIONS: OptionNames<Omit<TensorOptions, 'dtype'>> = { device: true, requiresGrad: true };
const TENSOR_OPTIONS: OptionNames<TensorOptions> = { dtype: true, device: true, requiresGrad: true };
const RANDOM_OPTIONS: OptionNames<RandomOptions> = { generator: true, dtype: true, device: true, requiresGrad: true };

/** What all creation functions take. */
export interface TensorOptions {
  readonly dtype?: DType;
  readonly device?: DeviceLike;
  readonly requiresGrad?: boolean;
}

/** Sizes, `(2, 3)` or `([2, 3])`, and options at the end. */
export type SizesAndOptions<O = TensorOptions> = readonly (number | readonly number[] | O | undefined)[];

export function splitOptions<O extends object>(args: SizesAndOptions<O>, op: string, names: OptionNames<O>): [number[], O] {
  const last = args.at(-1);
  const options = typeof last === 'object' && last !== null && !Array.isArray(last) ? checkOptions(op, last as O, names) : undefined;
  const sizes = options !== undefined || last === undefined ? args.slice(0, -1) : args;
  return [toShape((args.length === 0 ? [] : sizes) as readonly number[], op), options ?? ({} as O)];
}

/** A tensor of its own with the same values, outside the graph. */
const copyOf = ({ value, shape, dtype }: Tensor): Tensor => wrap(relabel(value, shape, dtype));

const finish = (t: Tensor, options: TensorOptions): Tensor => (options.requiresGrad === true ? t.requiresGrad_() : t);

/** A tensor from host elements in row-major order. */
export function fromHost(values: ArrayLike<number>, shape: Shape, dtype: DType, device: Device): Tensor {
  requireDType(dtype, 'tensor');
  const numel = numelOf(shape);
  const memory = device.allocate(dtype, numel);
  if (numel > 0) device.backend.write(memory.buffer, 0, encode(values, dtype));
  return wrap(inMemory(memory, shape, numel, null, 0, true));
}

/**
 * A tensor from its bytes, row-major and little-endian: the inverse of `Tensor.bytes()`. PyTorch: torch.frombuffer, but copied.
 * @throws ValueError `ERR_BYTES` when there are not as many as shape and dtype take.
 */
export function fromBytes(bytes: Uint8Array, shape: Shape, dtype: DType, options: Omit<TensorOptions, 'dtype'> = {}): Tensor {
  checkOptions('fromBytes', options, FROM_BYTES_OPTIONS);
  const numel = numelOf(shape);
  const wanted = numel * DTYPE_INFO[dtype].size;
  if (bytes.length !== wanted)
    throw new ValueError('ERR_BYTES', `fromBytes: shape [${shape.join(', ')}] of ${dtype} takes ${wanted} bytes, not ${bytes.length}`, {
      op: 'fromBytes',
      shapes: [shape],
    });
  const device = toDevice(options.device);
  const memory = device.allocate(dtype, numel);
  if (numel > 0) device.backend.write(memory.buffer, 0, bytes);
  return finish(wrap(inMemory(memory, shape, numel, null, 0, true)), options);
}

/** Anything that `tensor()` reads: numbers, booleans, arrays of them, typed arrays, tensors. */
export type TensorData =
  | NestedArray
  | readonly NestedArray[]
  | readonly (readonly NestedArray[])[]
  | readonly TensorData[]
  | ArrayBufferView
  | Tensor;

/**
 * A tensor from numbers, nested arrays or a typed array. Numbers make float32 and booleans bool; typed arrays keep their type (BigInt64Array
 * becomes int32, range-checked). PyTorch: torch.tensor.
 *
 * @throws ShapeError `ERR_TENSOR_RAGGED` when arrays have different lengths; ValueError `ERR_TENSOR_DATA`.
 * @example tensor([[1, 2], [3, 4]], { dtype: 'int32' })
 */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  checkOptions('tensor', options, TENSOR_OPTIONS);
  const device = toDevice(options.device);
  if (isTensor(data))
    return finish(to(copyOf(data), { device, ...(options.dtype === undefined ? {} : { dtype: options.dtype }) }), options);
  if (ArrayBuffer.isView(data)) {
    const array = data as unknown as ArrayLike<number>;
    const values = data instanceof BigInt64Array || data instanceof BigUint64Array ? bigints(data) : array;
    return finish(
      fromHost(values, [array.length], options.dtype ?? (data instanceof BigUint64Array ? 'int32' : dtypeOfArray(data)), device),
      options,
    );
  }
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level) || ArrayBuffer.isView(level); level = (level as unknown[])[0])
    shape.push((level as unknown[]).length);
  const values = new Float64Array(numelOf(shape));
  let booleans = true;
  let at = 0;
  const fill = (level: unknown, d: number): void => {
    if (d < shape.length) {
      if (!(Array.isArray(level) || ArrayBuffer.isView(level)) || (level as unknown[]).length !== shape[d]) {
        throw new ShapeError(
          'ERR_TENSOR_RAGGED',
          `tensor: expected sequence of length ${shape[d]} at dim ${d} (got ${Array.isArray(level) ? `length ${level.length}` : typeof level})`,
          { op: 'tensor' },
        );
      }
      for (const item of level as unknown as unknown[]) fill(item, d + 1);
      return;
    }
    if (typeof level === 'boolean') values[at++] = Number(level);
    else if (typeof level === 'number') {
      booleans = false;
      values[at++] = level;
    } else if (typeof level === 'bigint') {
      booleans = false;
      values[at++] = checkInt32(level);
    } else
      throw new ValueError(
        'ERR_TENSOR_DATA',
        `tensor: elements must be numbers or booleans, not ${Array.isArray(level) ? 'an array of another depth' : level === null ? 'null' : isTensor(level) ? 'Tensors: stack([a, b])' : typeof level}`,
        { op: 'tensor' },
      );
  };
  fill(data, 0);
  return finish(fromHost(values, shape, options.dtype ?? (booleans && at > 0 ? 'bool' : 'float32'), device), options);
}

function checkInt32(x: bigint): number {
  if (x < -2147483648n || x > 2147483647n)
    throw new ValueError('ERR_INT64_RANGE', `tensor: ${x} does not fit in int32, in which 64-bit integers are kept here`, { op: 'tensor' });
  return Number(x);
}

const bigints = (data: BigInt64Array | BigUint64Array): Int32Array => Int32Array.from(data as BigInt64Array, checkInt32);

/** PyTorch: torch.full. */
export function full(size: readonly number[] | number, value: number | boolean, options: TensorOptions = {}): Tensor {
  checkOptions('full', options, TENSOR_OPTIONS);
  if (value === undefined) throw new ValueError('ERR_ARGUMENT', 'full: the value is missing: full([2, 3], 0)', { op: 'full' });
  const shape = toShape(typeof size === 'number' ? [size] : [size], 'full');
  return finish(
    filled(
      shape,
      value,
      requireDType(options.dtype ?? (typeof value === 'boolean' ? 'bool' : 'float32'), 'full'),
      toDevice(options.device),
    ),
    options,
  );
}

/** PyTorch: torch.zeros. @example zeros(2, 3); zeros([2, 3], { dtype: 'int32' }) */
export function zeros(...args: SizesAndOptions): Tensor {
  const [shape, options] = splitOptions<TensorOptions>(args, 'zeros', TENSOR_OPTIONS);
  return full(shape, 0, { dtype: 'float32', ...options });
}

/** PyTorch: torch.ones. */
export function ones(...args: SizesAndOptions): Tensor {
  const [shape, options] = splitOptions<TensorOptions>(args, 'ones', TENSOR_OPTIONS);
  return full(shape, 1, { dtype: 'float32', ...options });
}

/** Without defined contents: here, zeros. PyTorch: torch.empty. */
export function empty(...args: SizesAndOptions): Tensor {
  const [shape, options] = splitOptions<TensorOptions>(args, 'empty', TENSOR_OPTIONS);
  return full(shape, 0, { dtype: 'float32', ...options });
}

const like = (x: Tensor, options: TensorOptions): Required<Pick<TensorOptions, 'dtype' | 'device'>> & TensorOptions => ({
  dtype: x.dtype,
  device: x.device,
  ...options,
});

/** PyTorch: torch.zeros_like. */
export const zerosLike = (x: Tensor, options: TensorOptions = {}): Tensor => {
  checkOptions('zerosLike', options, TENSOR_OPTIONS);
  return full(x.shape, 0, like(x, options));
};
/** PyTorch: torch.ones_like. */
export const onesLike = (x: Tensor, options: TensorOptions = {}): Tensor => {
  checkOptions('onesLike', options, TENSOR_OPTIONS);
  return full(x.shape, 1, like(x, options));
};
/** PyTorch: torch.empty_like. */
export const emptyLike = (x: Tensor, options: TensorOptions = {}): Tensor => {
  checkOptions('emptyLike', options, TENSOR_OPTIONS);
  return full(x.shape, 0, like(x, options));
};
/** PyTorch: torch.full_like. */
export const fullLike = (x: Tensor, value: number | boolean, options: TensorOptions = {}): Tensor => {
  checkOptions('fullLike', options, TENSOR_OPTIONS);
  return full(x.shape, value, like(x, options));
};

/**
 * start, start + step, … below `end`. int32 when all three are whole. PyTorch: torch.arange.
 * @example arange(3) // tensor([0, 1, 2], dtype=int32)
 */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(...args: readonly (number | boolean | TensorOptions | undefined)[]): Tensor {
  const given = args.filter((a): a is number | boolean => typeof a === 'number' || typeof a === 'boolean').map(Number);
  const options = (args.find((a) => typeof a === 'object') as TensorOptions | undefined) ?? {};
  checkOptions('arange', options, TENSOR_OPTIONS);
  const dtype = requireDType(options.dtype ?? (given.every(Number.isInteger) ? 'int32' : 'float32'), 'arange');
  // As torch.int64, which int32 stands for: fractions are gone before the steps are counted.
  const numbers = dtype === 'int32' && given.every(Number.isFinite) ? given.map(Math.trunc) : given;
  const [start, end, step] = numbers.length < 2 ? [0, numbers[0] ?? NaN, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1];
  if (!Number.isFinite(start) || !Number.isFinite(end))
    throw new ValueError('ERR_ARANGE', `arange: unsupported range: ${start} -> ${end}`, { op: 'arange' });
  if (step === 0 || !Number.isFinite(step)) throw new ValueError('ERR_ARANGE', 'arange: step must be nonzero', { op: 'arange' });
  if ((end - start) * step < 0)
    throw new ValueError('ERR_ARANGE', 'arange: upper bound and lower bound inconsistent with step sign', { op: 'arange' });
  const device = toDevice(options.device);
  const count = Math.ceil((end - start) / step);
  const index = indexValue([count], 0, device);
  if (!isFloat(dtype)) {
    const a = Math.trunc(start);
    const s = Math.trunc(step);
    const scaled = s === 1 ? index : e.mul(index, s);
    return finish(wrap(castValue(a === 0 ? scaled : e.add(scaled, a), dtype)), options);
  }
  // In float64, then rounded once, where the device has it: as PyTorch accumulates.
  if (device.backend.capabilities.dtypes.includes('float64') || dtype === 'float64') {
    return finish(wrap(castValue(e.add(e.mul(e.cast(index, 'float64'), step), start), dtype)), options);
  }
  return finish(wrap(castValue(e.add(e.mul(e.cast(index, 'float32'), step), start), dtype)), options);
}

/** A matrix with ones on its diagonal. PyTorch: torch.eye. */
export function eye(n: number, m?: number | TensorOptions, options?: TensorOptions): Tensor {
  const columns = typeof m === 'number' ? m : n;
  const given = checkOptions('eye', (typeof m === 'object' ? m : options) ?? {}, TENSOR_OPTIONS);
  const shape = toShape([[n, columns]], 'eye');
  const device = toDevice(given.device);
  const hit = e.eq(indexValue(shape, 0, device), indexValue(shape, 1, device));
  return finish(wrap(castValue(hit, requireDType(given.dtype ?? 'float32', 'eye'))), given);
}

/** Options of the random functions. */
export interface RandomOptions extends TensorOptions {
  /** Default: the runtime's, which `manualSeed` seeds. */
  readonly generator?: Generator;
}

const generatorOf = (options: { readonly generator?: Generator }): Generator => options.generator ?? defaultGenerator();

/** Draws on the host, with PyTorch's CPU numbers. */
function drawn(
  shape: Shape,
  options: RandomOptions,
  draw: (into: Float32Array | Float64Array, generator: Generator) => void,
  op: string,
): Tensor {
  const dtype = requireDType(options.dtype ?? 'float32', op);
  if (!isFloat(dtype)) throw new ValueError('ERR_DTYPE', `${op}: not implemented for ${dtype}`, { op, dtypes: [dtype] });
  const values = dtype === 'float64' ? new Float64Array(numelOf(shape)) : new Float32Array(numelOf(shape));
  draw(values, generatorOf(options));
  return finish(fromHost(values, shape, dtype, toDevice(options.device)), options);
}

/** Uniform in [0, 1). PyTorch: torch.rand, bit for bit. */
export function rand(...args: SizesAndOptions<RandomOptions>): Tensor {
  const [shape, options] = splitOptions<RandomOptions>(args, 'rand', RANDOM_OPTIONS);
  return drawn(shape, options, (into, g) => g.uniform(into), 'rand');
}

/** Normal with mean 0 and variance 1. PyTorch: torch.randn, bit for bit. */
export function randn(...args: SizesAndOptions<RandomOptions>): Tensor {
  const [shape, options] = splitOptions<RandomOptions>(args, 'randn', RANDOM_OPTIONS);
  return drawn(shape, options, (into, g) => g.normal(into), 'randn');
}

/** Uniform integers in [low, high). PyTorch: torch.randint. @example randint(10, [3]); randint(5, 10, [2, 2]) */
export function randint(high: number, size: readonly number[], options?: RandomOptions): Tensor;
export function randint(low: number, high: number, size: readonly number[], options?: RandomOptions): Tensor;
export function randint(...args: readonly unknown[]): Tensor {
  const [low, high] = typeof args[1] === 'number' ? [args[0] as number, args[1]] : [0, args[0] as number];
  const size = args.find((a) => Array.isArray(a)) as readonly number[];
  const options = (args.find((a) => typeof a === 'object' && a !== null && !Array.isArray(a)) as RandomOptions | undefined) ?? {};
  checkOptions('randint', options, RANDOM_OPTIONS);
  if (size === undefined) throw new ValueError('ERR_SIZE', 'randint: the size is an array, as in randint(0, 10, [3])', { op: 'randint' });
  if (!(low < high))
    throw new ValueError('ERR_RANDINT', `randint: random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`, {
      op: 'randint',
    });
  const shape = toShape([size], 'randint');
  const values = generatorOf(options).randint(low, high, numelOf(shape));
  return finish(fromHost(values as ArrayLike<number>, shape, options.dtype ?? 'int32', toDevice(options.device)), options);
}

/** A random permutation of 0 … n − 1. PyTorch: torch.randperm. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  checkOptions('randperm', options, RANDOM_OPTIONS);
  if (!Number.isInteger(n) || n < 0) throw new ValueError('ERR_SIZE', `randperm: n must be non-negative, got ${n}`, { op: 'randperm' });
  return finish(fromHost(generatorOf(options).randperm(n), [n], options.dtype ?? 'int32', toDevice(options.device)), options);
}

/** Seeds the default generator. PyTorch: torch.manual_seed. */
export const manualSeed = (seed: number | bigint): Generator => defaultGenerator().manualSeed(seed);
