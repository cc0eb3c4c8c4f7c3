/** @file How PyTorch's layers and nn.init draw their parameters, on a bare Generator: the other half of the golden random numbers. */
import type { Generator } from '../src/random/index.js';

export const uniform = (g: Generator, n: number, from = 0, to = 1): Float32Array => g.uniform(new Float32Array(n), from, to);
export const normal = (g: Generator, n: number, mean = 0, std = 1): Float32Array => g.normal(new Float32Array(n), mean, std);
const symmetric = (g: Generator, n: number, bound: number): Float32Array => uniform(g, n, -bound, bound);

/** nn.init.kaiming_uniform_(a=sqrt 5), the default of Linear and of the convolutions. */
const kaiming = (g: Generator, n: number, fanIn: number): Float32Array =>
  symmetric(g, n, Math.sqrt(3) * (Math.sqrt(2 / (1 + Math.sqrt(5) ** 2)) / Math.sqrt(fanIn)));

/** The weight and then the bias of a Linear or a convolution. */
export const linear = (g: Generator, weights: number, biases: number, fanIn: number): Float32Array[] => [
  kaiming(g, weights, fanIn),
  symmetric(g, biases, 1 / Math.sqrt(fanIn)),
];

/** RNN, LSTM, GRU: every parameter uniform within 1/sqrt(hidden). */
export const recurrent = (g: Generator, sizes: readonly number[], hidden: number): Float32Array[] =>
  sizes.map((n) => symmetric(g, n, 1 / Math.sqrt(hidden)));

export const xavierUniform = (g: Generator, rows: number, columns: number): Float32Array =>
  symmetric(g, rows * columns, Math.sqrt(3) * Math.sqrt(2 / (rows + columns)));

/** MultiheadAttention draws its output projection first, and then zeroes its bias. In parameters() order. */
export function attention(g: Generator, embed: number): Float32Array[] {
  const [outWeight] = linear(g, embed * embed, embed, embed);
  const inWeight = xavierUniform(g, 3 * embed, embed);
  return [inWeight, new Float32Array(3 * embed), outWeight, new Float32Array(embed)];
}

/** nn.init.trunc_normal_ within [-2, 2] standard units: the inverse of the normal distribution at a uniform number. */
export function truncNormal(g: Generator, n: number, std: number): Float32Array {
  const [low, high] = [normalCdf(-2 / std), normalCdf(2 / std)];
  const u = uniform(g, n, 2 * low - 1, 2 * high - 1);
  return u.map((x) => Math.fround(Math.fround(inverseErf(x)) * Math.fround(std * Math.SQRT2)));
}

const normalCdf = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2;

/** By its Taylor series: plenty for the arguments of these tests. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let sum = 0;
  for (let n = 0, term = x; n < 400; n++, term *= (-x * x) / n) sum += term / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function inverseErf(y: number): number {
  let low = -6;
  let high = 6;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (erf(middle) < y) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** nn.init.orthogonal_: the Q of a tall random matrix, columns signed by R's diagonal. Row-major, in doubles. */
export function orthogonal(g: Generator, rows: number, columns: number): Float64Array {
  const a = Float64Array.from(normal(g, rows * columns));
  for (let j = 0; j < columns; j++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < j; k++) {
        let dot = 0;
        for (let i = 0; i < rows; i++) dot += a[i * columns + k] * a[i * columns + j];
        for (let i = 0; i < rows; i++) a[i * columns + j] -= dot * a[i * columns + k];
      }
    }
    let square = 0;
    for (let i = 0; i < rows; i++) square += a[i * columns + j] ** 2;
    for (let i = 0; i < rows; i++) a[i * columns + j] /= Math.sqrt(square);
  }
  return a;
}
