/** @file Random numbers against PyTorch's own, bit for bit, and Philox against its published answers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isTesseraError } from '../src/errors.js';
import { DEFAULT_SEED, Generator, GENERATOR_STATE_BYTES, Mt19937, philox4x32 } from '../src/random/index.js';
import { fma32, fma64 } from '../src/random/fma.js';
import { attention, linear, normal, orthogonal, recurrent, truncNormal, uniform, xavierUniform } from './random-recipes.js';

type Values = Float32Array | Int32Array | BigInt64Array | Float64Array;
interface Entry {
  name: string;
  python: string;
  tensors: string[];
}

const fixture = (name: string): Buffer => readFileSync(new URL(`./fixtures/rng/${name}`, import.meta.url));
const { entries } = JSON.parse(fixture('rng.json').toString()) as { entries: Entry[] };
const expected = readTensors(fixture('rng.safetensors'));

/** Just enough safetensors for this file; `@tessera/io` has the reader, and core imports no other package. */
function readTensors(file: Buffer): Map<string, Values> {
  const headerEnd = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, headerEnd).toString()) as Record<string, { dtype: string; data_offsets: [number, number] }>;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          data_offsets: [from, to],
        },
      ]) => {
        const bytes = Uint8Array.from(file.subarray(headerEnd + from, headerEnd + to)).buffer;
        return [name, dtype === 'F32' ? new Float32Array(bytes) : new BigInt64Array(bytes)];
      },
    ),
  );
}

const ramp = (n: number): Float32Array => {
  // torch.linspace counts from both ends; in float32 each half is start + i * step or end - (n - 1 - i) * step.
  const step = Math.fround(1 / (n - 1));
  return Float32Array.from({ length: n }, (_, i) => (i < n / 2 ? step * i : 1 - step * (n - 1 - i)));
};
const spread = (mask: Float32Array, times: number): Float32Array =>
  Float32Array.from({ length: mask.length * times }, (_, i) => mask[Math.floor(i / times)]);
/** PyTorch fills a transposed view in the order of its memory; the fixture lists it row by row of the view. */
const transposed = (memory: Float32Array, rows: number, columns: number): Float32Array =>
  Float32Array.from({ length: rows * columns }, (_, i) => memory[(i % rows) * columns + Math.floor(i / rows)]);

/** What each entry's Python does, on a Generator that was seeded just before. */
const programs: Record<string, (g: Generator) => Values[]> = {
  mixed: (g) => [normal(g, 3), normal(g, 4), uniform(g, 2), normal(g, 1), normal(g, 20), normal(g, 2), g.randint(0, 100, 5), g.randperm(7)],
  uniform: (g) => [uniform(g, 500, -1, 2)],
  normal: (g) => [normal(g, 500, 2, 3), normal(g, 5, 2, 3)],
  noncontig_normal: (g) => [transposed(g.normal(new Float32Array(80), 0, 1, { contiguous: false }), 40, 2)],
  bernoulli: (g) => [g.bernoulli(new Float32Array(300), 0.3), g.bernoulli(new Float32Array(50), ramp(50))],
  dropout: (g) => [g.dropoutMask(new Float32Array(300), 0.3), spread(g.dropoutMask(new Float32Array(10), 0.5), 4), uniform(g, 3)],
  exponential: (g) => [g.exponential(new Float32Array(100), 2)],
  'nn.Linear(10,5)': (g) => linear(g, 50, 5, 10),
  'nn.Conv2d(1,16,3)': (g) => linear(g, 144, 16, 9),
  'nn.ConvTranspose2d(4,6,3)': (g) => linear(g, 216, 6, 54),
  'nn.RNN(10,20)': (g) => recurrent(g, [200, 400, 20, 20], 20),
  'nn.LSTM(4,3,2,bidirectional=True)': (g) =>
    recurrent(
      g,
      [4, 4, 6, 6].flatMap((inputs) => [12 * inputs, 36, 12, 12]),
      3,
    ),
  'nn.GRU(4,3)': (g) => recurrent(g, [36, 27, 9, 9], 3),
  'nn.Embedding(10,8)': (g) => [normal(g, 80)],
  'nn.Bilinear(3,4,5)': (g) => [uniform(g, 60, -1 / Math.sqrt(3), 1 / Math.sqrt(3)), uniform(g, 5, -1 / Math.sqrt(3), 1 / Math.sqrt(3))],
  'nn.MultiheadAttention(16,4)': (g) => attention(g, 16),
  'nn.TransformerEncoderLayer(16,4,32)': (g) => [
    ...attention(g, 16),
    ...linear(g, 512, 32, 16),
    ...linear(g, 512, 16, 32),
    new Float32Array(16).fill(1),
    new Float32Array(16),
    new Float32Array(16).fill(1),
    new Float32Array(16),
  ],
  'nn.BatchNorm2d(4)': () => [new Float32Array(4).fill(1), new Float32Array(4)],
  'nn.PReLU(3)': () => [new Float32Array(3).fill(0.25)],
  'init.xavier_uniform_': (g) => [xavierUniform(g, 12, 8)],
  'init.xavier_normal_': (g) => [normal(g, 96, 0, Math.sqrt(2 / 20))],
  'init.kaiming_uniform_': (g) => [uniform(g, 96, -Math.sqrt(3) * (Math.SQRT2 / Math.sqrt(8)), Math.sqrt(3) * (Math.SQRT2 / Math.sqrt(8)))],
  'init.kaiming_normal_': (g) => [normal(g, 96, 0, Math.SQRT2 / Math.sqrt(8))],
  'init.trunc_normal_': (g) => [truncNormal(g, 96, 0.02)],
  'init.orthogonal_': (g) => [orthogonal(g, 12, 8)],
  'init.uniform_': (g) => [uniform(g, 96, -0.1, 0.1)],
  'init.normal_': (g) => [normal(g, 96, 0, 0.02)],
};

function replay({ name, python }: Entry): Values[] {
  const g = new Generator(Number(/manual_seed\((\d+)\)/.exec(python)?.[1]));
  const plain = /^(randn?|randperm|randint)_/.exec(name);
  if (!plain) return programs[name](g);
  const numbers = [...name.matchAll(/_n?(-?\d+)/g)].map((match) => Number(match[1]));
  const n = numbers.at(-1) ?? 0;
  if (plain[1] === 'rand') return [uniform(g, n)];
  if (plain[1] === 'randn') return [normal(g, n)];
  if (plain[1] === 'randperm') return [g.randperm(n)];
  return [numbers[1] <= 2 ** 31 ? g.randint(numbers[0], numbers[1], 50) : g.randint64(BigInt(numbers[0]), BigInt(numbers[1]), 50)];
}

/** The bits of float32 numbers, or the integers themselves as int64. */
function bits(values: Values): unknown[] {
  if (values instanceof Float32Array) return Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length));
  return Array.from(values as ArrayLike<number | bigint>, (value) => BigInt(value));
}

/** One draw of everything. */
const draws = (g: Generator): unknown[] => [normal(g, 5), uniform(g, 1000), g.randperm(9), g.philoxKey(), g.nextSeed64(), g.initialSeed()];

describe("PyTorch's numbers, bit for bit", () => {
  it('has all 92 entries', () => expect(entries).toHaveLength(92));

  it.each(entries.filter(({ name }) => name !== 'init.orthogonal_').map((entry) => [entry.python, entry] as const))('%s', (_, entry) => {
    const actual = replay(entry);
    expect(actual).toHaveLength(entry.tensors.length);
    entry.tensors.forEach((name, i) => expect(bits(actual[i])).toEqual(bits(expected.get(name)!)));
  });

  it('nn.init.orthogonal_: the draws are the same; the QR after them is LAPACK’s, so its last bits are not compared', () => {
    const entry = entries.find(({ name }) => name === 'init.orthogonal_')!;
    const actual = replay(entry)[0] as Float64Array;
    (expected.get(entry.tensors[0]) as Float32Array).forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 6));
  });
});

describe('Mt19937', () => {
  it("draws the reference implementation's numbers", () => {
    const engine = new Mt19937(5489);
    expect(engine.nextUint32()).toBe(3499211612);
    for (let i = 2; i < 10000; i++) engine.nextUint32();
    expect(engine.nextUint32()).toBe(4123659995); // the 10000th, as the C++ standard requires of std::mt19937
  });

  it('takes 64-bit remainders without a bigint', () => {
    const wide = new Mt19937(1);
    const reference = new Mt19937(1);
    for (const range of [1, 3, 2 ** 28, 2 ** 31 - 1, 2 ** 32, 2 ** 36]) {
      for (let i = 0; i < 100; i++) expect(wide.nextUint64Modulo(range)).toBe(Number(reference.nextUint64() % BigInt(range)));
    }
  });
});

describe('Generator', () => {
  it('takes the same seeds as manual_seed', () => {
    expect(new Generator().initialSeed()).toBe(DEFAULT_SEED);
    expect(new Generator(7).initialSeed()).toBe(7n);
    expect(new Generator(-1).initialSeed()).toBe(2n ** 64n - 1n);
    expect(new Generator(2n ** 64n - 1n).nextFloat32()).toBe(new Generator(0xffffffff).nextFloat32());
    const g = new Generator();
    const seed = g.seed();
    expect(g.initialSeed()).toBe(seed);
    expect(new Generator(seed).nextFloat64()).toBe(g.nextFloat64());
  });

  it.each([1.5, NaN, Infinity, 2 ** 53, 2n ** 64n, -(2n ** 63n) - 1n])('refuses the seed %s', (seed) => {
    expect(codeOf(() => new Generator(seed))).toBe('ERR_RANDOM_SEED');
  });

  it('saves and restores everything, also in the middle of a normal pair and of a block of words', () => {
    const g = new Generator(3);
    uniform(g, 777);
    normal(g, 3);
    g.philoxKey();
    const state = g.getState();
    expect(state).toHaveLength(GENERATOR_STATE_BYTES);
    const copy = g.clone();
    const restored = new Generator(99).setState(state);
    const first = draws(g);
    expect(draws(copy)).toEqual(first);
    expect(draws(restored)).toEqual(first);
  });

  it.each<[string, (state: Uint8Array) => Uint8Array]>([
    ['an empty one', () => new Uint8Array(0)],
    ['a short one', (state) => state.subarray(1)],
    ['a long one', (state) => Uint8Array.of(...state, 0)],
    ['other magic', (state) => state.with(0, 0)],
    ['another version', (state) => state.with(4, 9)],
    ['a position beyond the words', (state) => state.with(7, 255)],
    ['a count that is no number', (state) => state.with(22, 0xf8).with(23, 0x7f)],
    ['a negative count', (state) => state.with(22, 0xf0).with(23, 0xbf)],
    ['a flag that is none', (state) => state.with(24, 2)],
    ['a kept infinity', (state) => state.with(38, 0xf0).with(39, 0x7f)],
  ])('refuses a broken state: %s, and changes nothing', (_, spoil) => {
    const g = new Generator(3);
    const before = g.getState();
    expect(codeOf(() => g.setState(spoil(g.getState())))).toBe('ERR_GENERATOR_STATE');
    expect(g.getState()).toEqual(before);
  });

  it("seeds a DataLoader's shuffle as PyTorch does", () => {
    const g = new Generator(0);
    g.nextSeed64(); // the workers' base seed
    const order = new Generator(g.nextSeed64()).randperm(10);
    expect([...order].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(g.nextSeed64()).toBeTypeOf('bigint');
  });

  it('draws float64 from two words', () => {
    const low = new Mt19937(4);
    const value = Number(BigInt.asUintN(53, low.nextUint64())) * 2 ** -53;
    expect(new Generator(4).uniform(new Float64Array(1))[0]).toBe(value);
    const values = new Generator(4).normal(new Float64Array(10007), 2, 3);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    expect(Math.abs(mean - 2)).toBeLessThan(0.1); // 3 / sqrt(10007) is 0.03
    expect(Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)).toBeCloseTo(3, 1);
  });

  it('draws nothing for dropout with p = 0 or 1', () => {
    const g = new Generator(5);
    expect(g.dropoutMask(new Float32Array(3), 0)).toEqual(Float32Array.of(1, 1, 1));
    expect(g.dropoutMask(new Float64Array(2), 1)).toEqual(Float64Array.of(0, 0));
    expect(g.getState()).toEqual(new Generator(5).getState());
    expect(g.dropoutMask(new Float64Array(64), 0.2).every((x) => x === 0 || x === 1.25)).toBe(true);
  });

  it('gives fresh Philox keys that are a function of the seed and leave the host stream alone', () => {
    const g = new Generator(2n ** 40n + 1n);
    const keys = Array.from({ length: 100 }, () => g.philoxKey());
    expect(new Set(keys.map(({ k0, k1 }) => `${k0},${k1}`)).size).toBe(100);
    expect(g.nextFloat32()).toBe(new Generator(1).nextFloat32());
    const again = new Generator(2n ** 40n + 1n);
    expect(keys).toEqual(keys.map(() => again.philoxKey()));
    expect(new Generator(1).philoxKey()).not.toEqual(keys[0]); // the high words of the seed count here
  });

  it.each<[string, string, (g: Generator) => unknown]>([
    ['uniform over a reversed range', 'ERR_RANDOM_RANGE', (g) => uniform(g, 1, 2, 1)],
    ['uniform up to infinity', 'ERR_RANDOM_RANGE', (g) => uniform(g, 1, 0, Infinity)],
    ['a negative std', 'ERR_RANDOM_RANGE', (g) => normal(g, 1, 0, -1)],
    ['a NaN std', 'ERR_RANDOM_RANGE', (g) => normal(g, 1, 0, NaN)],
    ['a rate of 0', 'ERR_RANDOM_RANGE', (g) => g.exponential(new Float32Array(1), 0)],
    ['a probability above 1', 'ERR_RANDOM_RANGE', (g) => g.bernoulli(new Uint8Array(1), 1.1)],
    ['one NaN among the probabilities', 'ERR_RANDOM_RANGE', (g) => g.bernoulli(new Uint8Array(2), Float32Array.of(0, NaN))],
    ['too few probabilities', 'ERR_RANDOM_SIZE', (g) => g.bernoulli(new Uint8Array(2), Float64Array.of(0))],
    ['a negative dropout', 'ERR_RANDOM_RANGE', (g) => g.dropoutMask(new Float32Array(1), -0.1)],
    ['an empty range', 'ERR_RANDOM_RANGE', (g) => g.randint(3, 3, 1)],
    ['a range beyond int32', 'ERR_RANDOM_RANGE', (g) => g.randint(0, 2 ** 31 + 1, 1)],
    ['a range beyond int64', 'ERR_RANDOM_RANGE', (g) => g.randint64(0n, 2n ** 63n + 1n, 1)],
    ['a fractional count', 'ERR_RANDOM_SIZE', (g) => g.randperm(1.5)],
    ['a negative count', 'ERR_RANDOM_SIZE', (g) => g.randint(0, 1, -1)],
  ])('refuses %s', (_, code, call) => expect(codeOf(() => call(new Generator(0)))).toBe(code));
});

describe('philox4x32', () => {
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const)('gives the known answers of Random123 for %j', ([c0, c1, c2, c3], [k0, k1], answer) => {
    expect(
      philox4x32(c0, c1, c2, c3, k0, k1)
        .map((word) => word.toString(16).padStart(8, '0'))
        .join(' '),
    ).toBe(answer);
  });
});

describe('fused multiply-add', () => {
  it('rounds once to float32 where the double lies on a tie', () => {
    const a = Math.fround(1 + 2 ** -12);
    // a * a = 1 + 2^-11 + 2^-24 lies halfway between two float32, and 2^-70 tips it, though not in a double.
    expect(Math.fround(a * a + 2 ** -70)).toBe(1 + 2 ** -11);
    expect(fma32(a, a, 2 ** -70)).toBe(1 + 2 ** -11 + 2 ** -23);
    expect(fma32(a, a, 0)).toBe(1 + 2 ** -11);
    expect(fma32(a, a, -(2 ** -70))).toBe(1 + 2 ** -11);
    expect(fma32(-a, a, -(2 ** -70))).toBe(-(1 + 2 ** -11 + 2 ** -23));
  });

  it('rounds once to float64, as exact integer arithmetic says', () => {
    const g = new Generator(1);
    const draw = (): number => (g.nextFloat64() - 0.5) * 2 ** Math.floor(g.nextFloat64() * 60 - 30);
    const wrong: number[][] = [];
    for (let i = 0; i < 4000; i++) {
      const [a, b] = [draw(), draw()];
      const c = i % 2 ? draw() : -a * b * (1 + g.nextFloat64() * 2 ** -Math.floor(g.nextFloat64() * 60));
      if (fma64(a, b, c) !== exactFma(a, b, c)) wrong.push([a, b, c]);
    }
    expect(wrong).toEqual([]);
  });
});

/** x * 2^by, exactly. */
function scaled(x: number, by: number): bigint {
  let exponent = 0;
  for (; !Number.isInteger(x); x *= 2) exponent++;
  return BigInt(x) << BigInt(by - exponent);
}

/** a * b + c over big integers scaled by 2^320, rounded once by the engine's own conversion of a big integer. */
const exactFma = (a: number, b: number, c: number): number => Number(scaled(a, 160) * scaled(b, 160) + scaled(c, 320)) / 2 ** 320;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isTesseraError(error)) return error.code;
    throw error;
  }
  return 'no error';
}
