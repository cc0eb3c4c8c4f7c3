/** @file `Generator`: PyTorch's CPU random numbers, bit for bit, into typed arrays. */
import { ValueError } from '../errors.js';
import { kindOf } from '../options.js';
import { sampleBinomial, samplePoisson } from './discrete.js';
import { logDouble } from './double-math.js';
import { fma32, fma64 } from './fma.js';
import { decodeGeneratorState, encodeGeneratorState } from './generator-state.js';
import { Mt19937 } from './mt19937.js';
import { fillNormalFloat32, fillNormalFloat64, nextNormal, NORMAL_BLOCK } from './normal.js';
import { philox4x32 } from './philox.js';

/** A host array of floating numbers. */
export type FloatArray = Float32Array | Float64Array;
/** A host array of numbers. */
export type NumberArray = FloatArray | Int32Array | Uint8Array;
/** A host array that can hold 0 and 1. */
export type MaskArray = NumberArray;

/** The key of one stream of device-side noise: three words, each in [0, 2^32). */
export interface PhiloxKey {
  readonly k0: number;
  readonly k1: number;
  /** A random start for the counter. The key is fresh without it: a kernel may leave it out. */
  readonly offset: number;
}

/** The seed of `new Generator()`. PyTorch: c10::detail default_rng_seed_val. */
export const DEFAULT_SEED = 67280421310721n;

const TWO_64 = 1n << 64n;
const INT64_MODULUS = 1n << 63n;
/** From this range on, an integer takes two draws. */
const WIDE_RANGE = 2 ** 28;
/** Up to this one the engine takes the remainder without a bigint. */
const MODULO_RANGE = 1n << 36n;
const fround = Math.fround;

/**
 * A stream of random numbers. `manualSeed(s)` makes it draw what PyTorch's CPU generator draws after `manual_seed(s)`,
 * bit for bit (as the AVX2 build on a CPU that is not Intel's), and on every JavaScript engine alike. Of normal and
 * exponential float64 one in a thousand differs by its last bits. PyTorch: torch.Generator.
 *
 * The methods that fill an array draw for its elements in memory order and return it.
 *
 * @example
 * const generator = new Generator(0);
 * generator.uniform(new Float32Array(2)); // 0.4962565899, 0.7682217956 = torch.manual_seed(0); torch.rand(2)
 */
export class Generator {
  readonly #engine: Mt19937;
  #seed = 0n;
  #keptNormal: number | null = null;
  #philoxKeys = 0;

  /** @param seed As in `manualSeed`. */
  constructor(seed: number | bigint = DEFAULT_SEED) {
    this.#engine = new Mt19937(0);
    this.manualSeed(seed);
  }

  /**
   * Starts over from a seed: an integer from -2^63 to 2^64 - 1 (a number must be a safe integer); a negative one means
   * 2^64 more. Host numbers depend on its low 32 bits only, as in PyTorch; Philox keys depend on all 64.
   * @throws ValueError ERR_RANDOM_SEED
   */
  manualSeed(seed: number | bigint): this {
    const valid = typeof seed === 'bigint' ? seed >= -INT64_MODULUS && seed < TWO_64 : Number.isSafeInteger(seed);
    if (!valid) {
      throw new ValueError(
        'ERR_RANDOM_SEED',
        `manualSeed: ${kindOf(seed)} is no integer from -2^63 to 2^64 - 1 (beyond 2^53 give a bigint)`,
        {
          seed,
        },
      );
    }
    this.#seed = BigInt.asUintN(64, BigInt(seed));
    this.#engine.seed(Number(this.#seed & 0xffffffffn));
    this.#keptNormal = null;
    this.#philoxKeys = 0;
    return this;
  }

  /** The seed that it was last given, in [0, 2^64). PyTorch: initial_seed. */
  initialSeed(): bigint {
    return this.#seed;
  }

  /** Seeds it from the platform's entropy and returns that 64-bit seed. */
  seed(): bigint {
    const seed = crypto.getRandomValues(new BigUint64Array(1))[0];
    this.manualSeed(seed);
    return seed;
  }

  /** Everything that it takes to draw the same again; `generator-state.ts` has the layout. PyTorch: get_state (other bytes). */
  getState(): Uint8Array {
    return encodeGeneratorState({
      seed: this.#seed,
      philoxKeys: this.#philoxKeys,
      keptNormal: this.#keptNormal,
      position: this.#engine.position,
      words: this.#engine.words(),
    });
  }

  /** @throws FormatError ERR_GENERATOR_STATE, with nothing changed. */
  setState(bytes: Uint8Array): this {
    const state = decodeGeneratorState(bytes);
    this.#seed = state.seed;
    this.#philoxKeys = state.philoxKeys;
    this.#keptNormal = state.keptNormal;
    this.#engine.restore(state.words, state.position);
    return this;
  }

  /** A second generator that draws the same from here on. PyTorch: clone_state. */
  clone(): Generator {
    return new Generator().setState(this.getState());
  }

  /** A uniform float32 in [0, 1): one draw, 24 bits. */
  nextFloat32(): number {
    return this.#engine.nextFloat24();
  }

  /** A uniform float64 in [0, 1): two draws, 53 bits. */
  nextFloat64(): number {
    return this.#engine.nextFloat53();
  }

  /** An integer in [0, 2^63) from two draws, as `empty(int64).random_()`: what PyTorch's DataLoader seeds itself with. */
  nextSeed64(): bigint {
    return this.#engine.nextUint64() % INT64_MODULUS;
  }

  /**
   * A fresh key for noise that is made on the device. Keys are a function of the seed and of how many were given
   * before; they draw nothing from the host stream, so what dropout does leaves shuffling and initialisation as they
   * are (as a CUDA generator beside the CPU's would).
   */
  philoxKey(): PhiloxKey {
    const index = this.#philoxKeys++;
    const [k0, k1, offset] = philox4x32(
      index,
      Math.floor(index / 2 ** 32),
      PHILOX_KEY_DOMAIN,
      0,
      Number(this.#seed & 0xffffffffn),
      Number(this.#seed >> 32n),
    );
    return { k0, k1, offset };
  }

  /**
   * Uniform numbers in [from, to): `u * (to - from) + from`, rounded once. PyTorch: Tensor.uniform_.
   * @throws ValueError ERR_RANDOM_RANGE unless from <= to and both are finite.
   */
  uniform<A extends FloatArray>(out: A, from = 0, to = 1): A {
    if (!Number.isFinite(to - from) || from > to) {
      throw new ValueError('ERR_RANDOM_RANGE', `uniform: from (${from}) must be at most to (${to}), and both finite`, { from, to });
    }
    const engine = this.#engine;
    if (out instanceof Float64Array) {
      const width = to - from;
      const plain = from === 0 && width === 1;
      for (let i = 0; i < out.length; i++) out[i] = plain ? engine.nextFloat53() : fma64(engine.nextFloat53(), width, from);
    } else {
      const from32 = fround(from);
      const width = fround(fround(to) - from32);
      for (let i = 0; i < out.length; i++) out[i] = fma32(engine.nextFloat24(), width, from32);
    }
    return out;
  }

  /**
   * Normal numbers. PyTorch: Tensor.normal_, whose algorithm is another for fewer than 16 elements, and for tensors
   * that are not contiguous: pass `contiguous: false` to get that one at any length.
   * @throws ValueError ERR_RANDOM_RANGE where std is negative or NaN.
   */
  normal<A extends FloatArray>(out: A, mean = 0, std = 1, { contiguous = true }: { contiguous?: boolean } = {}): A {
    if (!(std >= 0)) throw new ValueError('ERR_RANDOM_RANGE', `normal: std must not be negative, and it is ${std}`, { std });
    if (!contiguous || out.length < NORMAL_BLOCK) {
      for (let i = 0; i < out.length; i++) out[i] = this.#nextNormal(mean, std);
    } else if (out instanceof Float64Array) fillNormalFloat64(this.#engine, out, mean, std);
    else fillNormalFloat32(this.#engine, out, mean, std);
    return out;
  }

  /**
   * Exponential numbers of rate lambda: `-1/λ · log1p(-u)`. PyTorch: Tensor.exponential_.
   * @throws ValueError ERR_RANDOM_RANGE unless lambda is above 0.
   */
  exponential<A extends FloatArray>(out: A, lambda = 1): A {
    if (!(lambda > 0)) throw new ValueError('ERR_RANDOM_RANGE', `exponential: lambda must be above 0, and it is ${lambda}`, { lambda });
    const scale = -1 / lambda;
    for (let i = 0; i < out.length; i++) out[i] = scale * logDouble(1 - this.#engine.nextFloat53());
    return out;
  }

  /**
   * e to normal numbers of `mean` and `std`. PyTorch: Tensor.log_normal_.
   * @throws ValueError ERR_RANDOM_RANGE unless std is above 0.
   */
  logNormal<A extends FloatArray>(out: A, mean = 1, std = 2): A {
    if (!(std > 0)) throw new ValueError('ERR_RANDOM_RANGE', `logNormal: std must be above 0, and it is ${std}`, { std });
    for (let i = 0; i < out.length; i++) out[i] = Math.exp(this.#nextNormal(mean, std));
    return out;
  }

  #nextNormal(mean: number, std: number): number {
    const { value, kept } = nextNormal(this.#engine, this.#keptNormal);
    this.#keptNormal = kept;
    return fma64(value, std, mean);
  }

  /**
   * Cauchy's distribution: `median + σ · tan(π (u − ½))`. PyTorch: Tensor.cauchy_.
   * @throws ValueError ERR_RANDOM_RANGE unless sigma is above 0.
   */
  cauchy<A extends FloatArray>(out: A, median = 0, sigma = 1): A {
    if (!(sigma > 0)) throw new ValueError('ERR_RANDOM_RANGE', `cauchy: sigma must be above 0, and it is ${sigma}`, { sigma });
    for (let i = 0; i < out.length; i++) out[i] = median + sigma * Math.tan(Math.PI * (this.#engine.nextFloat53() - 0.5));
    return out;
  }

  /**
   * How many trials of probability p it takes to succeed once. PyTorch: Tensor.geometric_.
   * @throws ValueError ERR_RANDOM_RANGE unless p is between 0 and 1.
   */
  geometric<A extends NumberArray>(out: A, p: number): A {
    if (!(p > 0 && p < 1)) throw new ValueError('ERR_RANDOM_RANGE', `geometric: p must be between 0 and 1, and it is ${p}`, { p });
    const logFailure = Math.log1p(-p);
    for (let i = 0; i < out.length; i++) out[i] = Math.ceil(Math.log(this.#engine.nextFloat53()) / logFailure);
    return out;
  }

  /**
   * Events at the rates given, one sample for each. PyTorch: torch.poisson.
   * @throws ValueError ERR_RANDOM_RANGE where a rate is negative or NaN; ERR_RANDOM_SIZE where the lengths differ.
   */
  poisson<A extends NumberArray>(out: A, rates: FloatArray): A {
    checkLengths('poisson', out.length, rates.length);
    for (const rate of rates)
      if (!(rate >= 0)) throw new ValueError('ERR_RANDOM_RANGE', `poisson: a rate must not be negative, and one is ${rate}`, { rate });
    const uniform = (): number => this.#engine.nextFloat53();
    for (let i = 0; i < out.length; i++) out[i] = samplePoisson(rates[i], uniform);
    return out;
  }

  /**
   * Successes of `counts` trials with the probabilities given, one sample for each. PyTorch: torch.binomial.
   * @throws ValueError ERR_RANDOM_SIZE where the lengths differ.
   */
  binomial<A extends NumberArray>(out: A, counts: FloatArray, probabilities: FloatArray): A {
    checkLengths('binomial', out.length, counts.length);
    checkLengths('binomial', out.length, probabilities.length);
    const uniform = (): number => this.#engine.nextFloat53();
    for (let i = 0; i < out.length; i++) out[i] = sampleBinomial(counts[i], probabilities[i], uniform);
    return out;
  }

  /** The numbers 0 to n - 1 in random order. PyTorch: torch.randperm (the same for n below 2^32 / 20). */
  randperm(n: number): Int32Array {
    checkCount('randperm', n);
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < n - 1; i++) {
      const other = i + (this.#engine.nextUint32() % (n - i));
      const value = order[i];
      order[i] = order[other];
      order[other] = value;
    }
    return order;
  }

  /**
   * n integers in [lo, hi), both within [-2^31, 2^31]. PyTorch: torch.randint.
   * @throws ValueError ERR_RANDOM_RANGE
   */
  randint(lo: number, hi: number, n: number): Int32Array {
    checkCount('randint', n);
    if (!Number.isInteger(lo) || !Number.isInteger(hi) || lo >= hi || lo < -(2 ** 31) || hi > 2 ** 31) {
      throw new ValueError('ERR_RANDOM_RANGE', `randint: [${lo}, ${hi}) is no range of int32 values`, { lo, hi });
    }
    return this.integers(new Int32Array(n), lo, hi);
  }

  /**
   * Integers from `lo` to `hi - 1`. PyTorch: Tensor.random_(from, to).
   * @throws ValueError ERR_RANDOM_RANGE unless both are safe integers, and lo is below hi.
   */
  integers<A extends NumberArray>(out: A, lo: number, hi: number): A {
    if (!Number.isSafeInteger(lo) || !Number.isSafeInteger(hi) || lo >= hi)
      throw new ValueError('ERR_RANDOM_RANGE', `integers: [${lo}, ${hi}) is no range of integers`, { lo, hi });
    return hi - lo < WIDE_RANGE ? this.#integersBelow(out, hi - lo, lo) : this.#wideIntegersBelow(out, BigInt(hi) - BigInt(lo), lo);
  }

  /** Integers from 0 to `last`, the last that the elements can hold exactly. PyTorch: Tensor.random_(). */
  integersTo<A extends NumberArray>(out: A, last: number): A {
    return last < 2 ** 32 ? this.#integersBelow(out, last + 1, 0) : this.#wideIntegersBelow(out, BigInt(last) + 1n, 0);
  }

  #integersBelow<A extends NumberArray>(out: A, range: number, lo: number): A {
    for (let i = 0; i < out.length; i++) out[i] = lo + (this.#engine.nextUint32() % range);
    return out;
  }

  /** The same of two draws each. */
  #wideIntegersBelow<A extends NumberArray>(out: A, range: bigint, lo: number): A {
    for (let i = 0; i < out.length; i++)
      out[i] = lo + (range <= MODULO_RANGE ? this.#engine.nextUint64Modulo(Number(range)) : Number(this.#engine.nextUint64() % range));
    return out;
  }

  /**
   * n integers in [lo, hi), anywhere in int64. PyTorch: torch.randint.
   * @throws ValueError ERR_RANDOM_RANGE
   */
  randint64(lo: bigint, hi: bigint, n: number): BigInt64Array {
    checkCount('randint64', n);
    if (lo >= hi || lo < -INT64_MODULUS || hi > INT64_MODULUS) {
      throw new ValueError('ERR_RANDOM_RANGE', `randint64: [${lo}, ${hi}) is no range of int64 values`, { lo, hi });
    }
    const range = hi - lo;
    const out = new BigInt64Array(n);
    for (let i = 0; i < n; i++) {
      const bits = range < WIDE_RANGE ? BigInt(this.#engine.nextUint32()) : this.#engine.nextUint64();
      out[i] = lo + (bits % range);
    }
    return out;
  }

  /**
   * 1 with probability p, else 0. One p for all takes two draws an element (PyTorch: Tensor.bernoulli_); an array of
   * them takes one each for float32 and two for float64 (PyTorch: torch.bernoulli).
   * @throws ValueError ERR_RANDOM_RANGE where a p is outside [0, 1]; ERR_RANDOM_SIZE where the lengths differ.
   */
  bernoulli<A extends MaskArray>(out: A, p: number | FloatArray): A {
    const engine = this.#engine;
    if (typeof p === 'number') {
      checkProbability('bernoulli', p);
      for (let i = 0; i < out.length; i++) out[i] = engine.nextFloat53() < p ? 1 : 0;
      return out;
    }
    if (p.length !== out.length) {
      throw new ValueError('ERR_RANDOM_SIZE', `bernoulli: ${p.length} probabilities for ${out.length} elements`);
    }
    for (const probability of p) checkProbability('bernoulli', probability);
    const wide = p instanceof Float64Array;
    for (let i = 0; i < out.length; i++) out[i] = (wide ? engine.nextFloat53() : engine.nextFloat24()) < p[i] ? 1 : 0;
    return out;
  }

  /**
   * What dropout multiplies by: 0 with probability p, else 1 / (1 - p). Two draws an element, and none where p is 0 or
   * 1. For `dropout2d` and its like fill one element for each sample and channel. PyTorch: F.dropout on the CPU.
   * @throws ValueError ERR_RANDOM_RANGE where p is outside [0, 1].
   */
  dropoutMask<A extends FloatArray>(out: A, p: number): A {
    checkProbability('dropoutMask', p);
    if (p === 0) out.fill(1);
    else if (p === 1) out.fill(0);
    else {
      const keep = 1 - p;
      const scale = out instanceof Float64Array ? 1 / keep : fround(1 / fround(keep));
      for (let i = 0; i < out.length; i++) out[i] = this.#engine.nextFloat53() < keep ? scale : 0;
    }
    return out;
  }
}

/** A counter word that keeps the keys' own Philox stream apart from every other use of the seed as a key. */
const PHILOX_KEY_DOMAIN = 0x6b657973; // "keys"

function checkProbability(op: string, p: number): void {
  if (!(p >= 0 && p <= 1))
    throw new ValueError('ERR_RANDOM_RANGE', `${op}: a probability lies between 0 and 1, and this one is ${p}`, { p });
}

function checkLengths(op: string, length: number, given: number): void {
  if (given !== length) throw new ValueError('ERR_RANDOM_SIZE', `${op}: ${given} parameters for ${length} elements`);
}

function checkCount(op: string, n: number): void {
  if (!Number.isInteger(n) || n < 0 || n > 2 ** 31) {
    throw new ValueError('ERR_RANDOM_SIZE', `${op}: n must be a whole number of at least 0, and it is ${n}`, { n });
  }
}
