/**
 * @file Logarithm, sine and cosine in double precision, rounded correctly, and so the same on every engine.
 *
 * JavaScript leaves the last bits of `Math.log`, `Math.sin` and `Math.cos` to the engine. Random numbers must not
 * depend on it, and PyTorch's come from a C library that rounds correctly nearly always. The leading terms of each
 * series are summed in pairs of doubles, high + low (Dekker, 1971), the rest in plain doubles: the sum carries some 75
 * bits, so that one result in millions is off by its last bit. Arguments are those that Box-Muller makes.
 */
import { productError } from './fma.js';

/** A number as the unevaluated sum of two doubles, |low| at most half a unit in the last place of high. */
interface Pair {
  readonly high: number;
  readonly low: number;
}

const LN2: Pair = { high: 0.6931471805599453, low: 2.3190468138462996e-17 };
const HALF_PI: Pair = { high: 1.5707963267948966, low: 6.123233995736766e-17 };
/** What `HALF_PI` leaves over. */
const HALF_PI_REST = -1.4973849048591698e-33;

/** Terms of a series whose weight wants pairs of doubles, and all of its terms. */
const LOG_PAIRS = 6;
const LOG_TERMS = 17;
const TRIG_PAIRS = 10;
const TRIG_TERMS = 26;

/** 1 / (2k + 1), of the series of the inverse hyperbolic tangent. */
const ODD_INVERSES: readonly Pair[] = Array.from({ length: LOG_TERMS }, (_, k) => divide({ high: 1, low: 0 }, 2 * k + 1));
/** ±1 / n!, of the series of cosine (even n) and sine (odd n). */
const SIGNED_FACTORIALS: readonly Pair[] = signedFactorials(TRIG_TERMS);

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);

/** Natural logarithm of a normal double in (0, 1]: e · ln 2 + 2 artanh((m - 1) / (m + 1)) for x = m · 2^e, m around 1. */
export function logDouble(x: number): number {
  scratch[0] = x;
  let e = (scratchWords[1] >>> 20) - 1022;
  scratchWords[1] = (scratchWords[1] & 0xfffff) | (1022 << 20);
  let m = scratch[0]; // in [0.5, 1)
  if (m < Math.SQRT1_2) {
    m *= 2;
    e--;
  }
  const denominator = add({ high: m, low: 0 }, { high: 1, low: 0 });
  const s = divide({ high: m - 1, low: 0 }, denominator.high, denominator.low);
  const square = multiply(s, s);
  let tail = 0;
  for (let k = LOG_TERMS - 1; k >= LOG_PAIRS; k--) tail = tail * square.high + ODD_INVERSES[k].high;
  let sum: Pair = { high: tail, low: 0 };
  for (let k = LOG_PAIRS - 1; k >= 0; k--) sum = add(ODD_INVERSES[k], multiply(sum, square));
  const logOfM = multiply(s, sum);
  return add(multiply(LN2, { high: e, low: 0 }), { high: 2 * logOfM.high, low: 2 * logOfM.low }).high;
}

/** Writes the sine and the cosine of a double in [0, 2π] to `out[0]` and `out[1]`. */
export function sinCosDouble(x: number, out: Float64Array): void {
  const quadrant = Math.round(x / HALF_PI.high);
  const turn = multiply(HALF_PI, { high: -quadrant, low: 0 });
  const rest = add({ high: x, low: 0 }, turn);
  const r = normalize(rest.high, rest.low - quadrant * HALF_PI_REST);
  const square = multiply(r, r);
  const sine = multiply(trigSeries(1, square), r).high;
  const cosine = trigSeries(0, square).high;
  out[0] = [sine, cosine, -sine, -cosine, sine][quadrant];
  out[1] = [cosine, -sine, -cosine, sine, cosine][quadrant];
}

/** The terms of the cosine's series (first = 0), or of the sine's divided by its argument (first = 1). */
function trigSeries(first: 0 | 1, square: Pair): Pair {
  let tail = 0;
  for (let n = TRIG_TERMS + first; n >= TRIG_PAIRS; n -= 2) tail = tail * square.high + SIGNED_FACTORIALS[n].high;
  let sum: Pair = { high: tail, low: 0 };
  for (let n = TRIG_PAIRS - 2 + first; n >= 0; n -= 2) sum = add(SIGNED_FACTORIALS[n], multiply(sum, square));
  return sum;
}

function add(a: Pair, b: Pair): Pair {
  const sum = a.high + b.high;
  const bPart = sum - a.high;
  const error = a.high - (sum - bPart) + (b.high - bPart);
  return normalize(sum, error + (a.low + b.low));
}

function multiply(a: Pair, b: Pair): Pair {
  const product = a.high * b.high;
  return normalize(product, productError(a.high, b.high, product) + (a.high * b.low + a.low * b.high));
}

/** `a / (high + low)`. */
function divide(a: Pair, high: number, low = 0): Pair {
  const quotient = a.high / high;
  const product = quotient * high;
  const rest = a.high - product - productError(quotient, high, product) + a.low - quotient * low;
  return normalize(quotient, rest / high);
}

/** For |low| below |high|. */
function normalize(high: number, low: number): Pair {
  const sum = high + low;
  return { high: sum, low: low - (sum - high) };
}

function signedFactorials(last: number): Pair[] {
  const inverses: Pair[] = [{ high: 1, low: 0 }];
  for (let n = 1; n <= last + 1; n++) inverses.push(divide(inverses[n - 1], n % 2 ? n : -n));
  return inverses;
}
