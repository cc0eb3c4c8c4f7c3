/** @file The Mersenne Twister MT19937, seeded and drawn from exactly as PyTorch's CPU generator does. */

const N = 624;
const M = 397;
const TWO_32 = 4294967296;
const TWO_MINUS_24 = 2 ** -24;
const TWO_MINUS_53 = 2 ** -53;

/** The number of 32-bit words in an engine's state. */
export const MT19937_WORDS = N;

/**
 * The engine behind `Generator`: 624 words of state, one tempered 32-bit word a draw.
 *
 * Source: Matsumoto and Nishimura, "Mersenne Twister" (1998), seeded by their `init_genrand`; the compound draws
 * follow ATen's `CPUGeneratorImpl` and `TransformationHelper.h`.
 *
 * @example
 * const engine = new Mt19937(5489);
 * engine.nextUint32(); // 3499211612, the first number of every MT19937
 */
export class Mt19937 {
  readonly #words = new Uint32Array(N);
  #position = N;

  constructor(seed: number) {
    this.seed(seed);
  }

  /** Starts the stream over from the low 32 bits of `seed` (PyTorch ignores the others too). */
  seed(seed: number): void {
    const words = this.#words;
    words[0] = seed;
    for (let i = 1; i < N; i++) {
      const previous = words[i - 1] ^ (words[i - 1] >>> 30);
      words[i] = Math.imul(1812433253, previous) + i;
    }
    this.#position = N;
  }

  /** One draw: an integer in [0, 2^32). */
  nextUint32(): number {
    if (this.#position >= N) this.#twist();
    let y = this.#words[this.#position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** Two draws, the first is the high half: an integer in [0, 2^64). */
  nextUint64(): bigint {
    const high = this.nextUint32();
    return (BigInt(high) << 32n) | BigInt(this.nextUint32());
  }

  /** `nextUint64() % range` without a bigint, for an integer `range` in [1, 2^36]. */
  nextUint64Modulo(range: number): number {
    const high = this.nextUint32();
    const low = this.nextUint32();
    // Horner by 16-bit digits, so that every intermediate value stays below 2^53.
    const upper = ((high % range) * 65536 + (low >>> 16)) % range;
    return (upper * 65536 + (low & 0xffff)) % range;
  }

  /** One draw: its low 24 bits as a float32 in [0, 1). */
  nextFloat24(): number {
    return (this.nextUint32() & 0xffffff) * TWO_MINUS_24;
  }

  /** Two draws: the low 53 bits of `nextUint64()` as a float64 in [0, 1). */
  nextFloat53(): number {
    const high = this.nextUint32() & 0x1fffff;
    return (high * TWO_32 + this.nextUint32()) * TWO_MINUS_53;
  }

  /** How many of the current 624 words have been drawn (624: the next draw makes new ones). */
  get position(): number {
    return this.#position;
  }

  /** A copy of the 624 words. With `position` it is the whole state. */
  words(): Uint32Array {
    return this.#words.slice();
  }

  /** Puts back what `words()` and `position` gave. The caller has checked their ranges. */
  restore(words: Uint32Array, position: number): void {
    this.#words.set(words);
    this.#position = position;
  }

  #twist(): void {
    const words = this.#words;
    for (let i = 0; i < N; i++) {
      const next = i + 1 < N ? i + 1 : 0;
      const far = i + M < N ? i + M : i + M - N;
      const y = (words[i] & 0x80000000) | (words[next] & 0x7fffffff);
      words[i] = words[far] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#position = 0;
  }
}
