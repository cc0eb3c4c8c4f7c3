/** @file Distributions that fill a tensor, or that tensors give, against PyTorch's numbers for a seed (fixtures/rng/make_distributions.py). */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  binomial,
  type DType,
  DTYPES,
  empty,
  finfo,
  Generator,
  iinfo,
  poisson,
  poissonAsync,
  runtimes,
  type Tensor,
  tensor,
} from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => void runtimes.current.use(plainPlugin()));

const samples = JSON.parse(readFileSync(new URL('fixtures/rng/distributions.json', import.meta.url), 'utf8')) as Record<
  string,
  (number | boolean)[]
>;
const RATES = [0, 0.5, 3, 9.5, 10, 12.5, 100, 1e4, 3e6, 2];
const COUNTS = [0, 10, 10, 100, 1000, 1e5, 50, 50, 7, 40];
const CHANCES = [0.5, 0.3, 0.8, 0.4, 0.9, 0.001, 0, 1, 0.5, 0.25];
const thrice = (values: number[], dtype: DType): Tensor => tensor([...values, ...values, ...values], { dtype });

/** What a line of the script draws. */
function drawn(name: string): Tensor {
  const [, method, args, dtype] = /^(\w+)(?:\((.*)\))? (\w+)$/.exec(name) as unknown as [string, string, string | undefined, DType];
  const options = { generator: new Generator(7) };
  if (method === 'poisson') return poisson(thrice(RATES, dtype), options);
  if (method === 'binomial') return binomial(thrice(COUNTS, dtype), thrice(CHANCES, dtype), options);
  const numbers = (args ?? '').split(', ').filter(Boolean).map(Number);
  const x = empty([20], { dtype });
  const [a, b] = numbers;
  if (method === 'logNormal_') return x.logNormal_(a, b, options);
  if (method === 'cauchy_') return x.cauchy_(a, b, options);
  if (method === 'geometric_') return x.geometric_(a!, options);
  return a === undefined ? x.random_(options) : b === undefined ? x.random_(a, options) : x.random_(a, b, options);
}

describe('for a seed, PyTorch’s numbers', () => {
  it.each(Object.entries(samples))('%s', (name, expected) => {
    const got = [...drawn(name).data()];
    const units = name.endsWith('float64') ? 8 * 2 ** -53 : 2 ** -23;
    // Logarithms and tangents of JavaScript's engines and of C differ in the last bits.
    expected.forEach((value, i) => expect(Math.abs(got[i]! - Number(value))).toBeLessThanOrEqual(units * Math.abs(Number(value))));
  });
});

describe('poisson and binomial', () => {
  it('have the moments of their distributions', () => {
    const generator = new Generator(1);
    const events = poisson(tensor(20).expand([20_000]), { generator });
    expect(events.mean().item()).toBeCloseTo(20, 0);
    expect(events.var().item() / 20).toBeCloseTo(1, 1);
    const successes = binomial(tensor(100).expand([20_000]), tensor(0.7), { generator });
    expect(successes.mean().item()).toBeCloseTo(70, 0);
    expect(successes.var().item() / 21).toBeCloseTo(1, 1);
  });

  it('let a gradient of 0 through rates', async () => {
    const rates = tensor([1, 2]).requiresGrad_();
    (await poissonAsync(rates)).sum().backward();
    expect(rates.grad!.toArray()).toEqual([0, 0]);
    expect(binomial(tensor([3, 4]).requiresGrad_(), tensor([0.5, 0.5])).requiresGrad).toBe(false);
  });

  it('keep the dtype, and refuse what is no parameter', () => {
    expect(poisson(tensor([3], { dtype: 'float16' })).dtype).toBe('float16');
    expect(() => poisson(tensor([3], { dtype: 'int32' }))).toThrow(expect.objectContaining({ code: 'ERR_DTYPE' }));
    expect(() => poisson(tensor([-1]))).toThrow(expect.objectContaining({ code: 'ERR_RANDOM_RANGE' }));
    expect(() => binomial(tensor([3]), tensor([0.5], { dtype: 'float64' }))).toThrow(expect.objectContaining({ code: 'ERR_DTYPE' }));
  });
});

describe('in-place draws', () => {
  const refused = expect.objectContaining({ code: 'ERR_RANDOM_RANGE' }) as Error;
  it('refuse parameters outside of their distribution', () => {
    expect(() => empty([3]).logNormal_(0, 0)).toThrow(refused);
    expect(() => empty([3]).cauchy_(0, -1)).toThrow(refused);
    expect(() => empty([3]).geometric_(1)).toThrow(refused);
    expect(() => empty([3]).random_(5, 5)).toThrow(refused);
    expect(() => empty([3], { dtype: 'uint8' }).random_(300)).toThrow(refused);
  });
  it('refuse dtypes that cannot hold them', () => {
    expect(() => empty([3], { dtype: 'int32' }).logNormal_()).toThrow(expect.objectContaining({ code: 'ERR_DTYPE' }));
    expect(() => empty([3], { dtype: 'bool' }).geometric_(0.5)).toThrow(expect.objectContaining({ code: 'ERR_DTYPE' }));
  });
  it('write through views', () => {
    const x = tensor([1, 1, 1, 1], { dtype: 'int32' });
    x.narrow(0, 1, 2).random_(5, 6);
    expect(x.toArray()).toEqual([1, 5, 5, 1]);
  });
});

describe('limits of dtypes', () => {
  it('are PyTorch’s', () => {
    expect(finfo('float32')).toMatchObject({
      bits: 32,
      eps: 1.1920928955078125e-7,
      max: 3.4028234663852886e38,
      tiny: 1.1754943508222875e-38,
    });
    expect(finfo('float16')).toMatchObject({ bits: 16, eps: 0.0009765625, max: 65504, min: -65504, resolution: 0.001 });
    expect(finfo('bfloat16')).toMatchObject({
      bits: 16,
      eps: 0.0078125,
      max: 3.3895313892515355e38,
      smallestNormal: 1.1754943508222875e-38,
    });
    expect(finfo('float64')).toMatchObject({ eps: Number.EPSILON, max: Number.MAX_VALUE, tiny: 2.2250738585072014e-308 });
    expect(iinfo('int32')).toMatchObject({ bits: 32, max: 2147483647, min: -2147483648 });
    expect(() => iinfo('float32')).toThrow(/see finfo/);
  });
  it('give a tensor its bytes', () => {
    for (const dtype of DTYPES) expect(empty([2, 3], { dtype }).nbytes).toBe(6 * empty([], { dtype }).itemsize);
  });
});
