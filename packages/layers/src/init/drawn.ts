/** @file Weights that are drawn and worked on as a whole on the host: orthogonal, sparse and truncated ones. */
import {
  checkOptions,
  type OptionNames,
  fromHost,
  type Generator,
  noGrad,
  runtimes,
  scalarFunctions,
  ShapeError,
  type Tensor,
  ValueError,
} from '@tessera/core';
import type { InitOptions } from './fill.js';

const INIT_OPTIONS: OptionNames<InitOptions> = { generator: true };

type Values = Float32Array | Float64Array;

/** Numbers for all elements, as the in-place methods of Tensor would draw them. */
function drawn(tensor: Tensor, { generator }: InitOptions, draw: (into: Values, from: Generator) => Values): Values {
  const values = tensor.dtype === 'float64' ? new Float64Array(tensor.numel()) : new Float32Array(tensor.numel());
  return draw(values, generator ?? runtimes.current.generator);
}

function overwrite<T extends Tensor>(tensor: T, values: ArrayLike<number>): T {
  noGrad(() => tensor.copy_(fromHost(values, tensor.shape, tensor.dtype, tensor.device)));
  return tensor;
}

/**
 * Columns made orthonormal one after the other (Householder's reflections would give the same up to signs), in place: `at(row, column)` are
 * the matrix's elements, `rows` at least `columns`. Twice over, which is as exact as it gets (Kahan and Parlett).
 */
function orthonormalize(a: Float64Array, rows: number, columns: number, at: (row: number, column: number) => number): void {
  for (let c = 0; c < columns; c++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let before = 0; before < c; before++) {
        let dot = 0;
        for (let r = 0; r < rows; r++) dot += a[at(r, c)] * a[at(r, before)];
        for (let r = 0; r < rows; r++) a[at(r, c)] -= dot * a[at(r, before)];
      }
    }
    let norm = 0;
    for (let r = 0; r < rows; r++) norm += a[at(r, c)] ** 2;
    norm = Math.sqrt(norm);
    for (let r = 0; r < rows; r++) a[at(r, c)] /= norm;
  }
}

/**
 * A (semi-)orthogonal matrix (Saxe et al., 2013), of shape (size 0, all others), times `gain`: the Q of a normal matrix's QR decomposition with
 * a positive diagonal of R. PyTorch: nn.init.orthogonal_.
 * @throws ShapeError `ERR_INIT_RANK`.
 */
export function orthogonal_<T extends Tensor>(tensor: T, gain = 1, options: InitOptions = {}): T {
  checkOptions('orthogonal_', options, INIT_OPTIONS);
  if (tensor.ndim < 2)
    throw new ShapeError('ERR_INIT_RANK', 'orthogonal_: Only tensors with 2 or more dimensions are supported', { shapes: [tensor.shape] });
  if (tensor.numel() === 0) return tensor;
  const rows = tensor.shape[0];
  const columns = tensor.numel() / rows;
  const values = Float64Array.from(drawn(tensor, options, (into, g) => g.normal(into)));
  if (rows >= columns) orthonormalize(values, rows, columns, (r, c) => r * columns + c);
  else orthonormalize(values, columns, rows, (r, c) => c * columns + r);
  return overwrite(
    tensor,
    values.map((x) => x * gain),
  );
}

/**
 * A matrix of normal numbers with a part of each column zero (Martens, 2010). PyTorch: nn.init.sparse_.
 * @param sparsity The part that is zero, from 0 to 1.
 * @throws ShapeError `ERR_INIT_RANK`; ValueError `ERR_INIT_OPTION`.
 */
export function sparse_<T extends Tensor>(tensor: T, sparsity: number, std = 0.01, options: InitOptions = {}): T {
  checkOptions('sparse_', options, INIT_OPTIONS);
  if (tensor.ndim !== 2)
    throw new ShapeError('ERR_INIT_RANK', 'sparse_: Only tensors with 2 dimensions are supported', { shapes: [tensor.shape] });
  if (!(sparsity >= 0 && sparsity <= 1))
    throw new ValueError('ERR_INIT_OPTION', `sparse_: sparsity must be from 0 to 1, but is ${sparsity}`);
  const [rows, columns] = tensor.shape;
  const zeros = Math.ceil(sparsity * rows);
  const values = drawn(tensor, options, (into, g) => g.normal(into, 0, std));
  // PyTorch draws the places from the default generator, whatever it is given.
  for (let c = 0; c < columns; c++)
    for (const r of runtimes.current.generator.randperm(rows).subarray(0, zeros)) values[r * columns + c] = 0;
  return overwrite(tensor, values);
}

/**
 * Normal numbers, drawn only from [a, b], by the inverse of the distribution function. PyTorch: nn.init.trunc_normal_.
 * @throws ValueError `ERR_INIT_OPTION` for a std that is not above 0, or a > b.
 */
export function truncNormal_<T extends Tensor>(tensor: T, mean = 0, std = 1, a = -2, b = 2, options: InitOptions = {}): T {
  checkOptions('truncNormal_', options, INIT_OPTIONS);
  if (!(std > 0) || a > b)
    throw new ValueError('ERR_INIT_OPTION', `truncNormal_: std must be above 0 and a at most b, but they are ${std}, ${a}, ${b}`);
  const { erf, erfinv } = scalarFunctions;
  // 2 Φ(z) − 1 = erf(z / √2), whose inverse turns uniform numbers into normal ones.
  const low = erf((a - mean) / std / Math.SQRT2);
  const high = erf((b - mean) / std / Math.SQRT2);
  const values = drawn(tensor, options, (into, g) => g.uniform(into, low, high));
  // PyTorch's steps, each rounded to the dtype: the array's own for the last, float32's for those before.
  const round = tensor.dtype === 'float64' ? (x: number): number => x : Math.fround;
  const scale = round(std * Math.SQRT2);
  return overwrite(
    tensor,
    values.map((u) => Math.min(Math.max(round(round(erfinv(u)) * scale) + round(mean), a), b)),
  );
}
