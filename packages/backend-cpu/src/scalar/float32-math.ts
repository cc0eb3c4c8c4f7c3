/**
 * @file Transcendental functions for float32: each takes a float32 value and gives a float64 within a small fraction of a float32 unit of the
 * truth, which the caller rounds. They take a half to a third of the time of the engine's float64 ones, and generated kernels inline them.
 * NaN goes through all of them. Functions that are not here are not faster than the engine's.
 */
import { scalarFunctions as special } from '@tessera/core/backend';

/** 2^(n − 200) for n = 0 … 400. */
const POWERS = Float64Array.from({ length: 401 }, (_, n) => 2 ** (n - 200));
const floats = new Float32Array(1);
const bits = new Int32Array(floats.buffer);
const LN2 = Math.LN2;

/** e^r for |r| ≤ ln 2 / 2: the Taylor polynomial, relative error 1e-9. */
function expNearZero(r: number): number {
  return (
    1 +
    r *
      (1 +
        r *
          (0.5 +
            r *
              (0.16666666666666666 +
                r * (0.041666666666666664 + r * (0.008333333333333333 + r * (0.001388888888888889 + r * 0.0001984126984126984))))))
  );
}

/** e^x: x = n ln 2 + r. */
export function exp(x: number): number {
  x = x < -120 ? -120 : x > 120 ? 120 : x;
  const y = x * 1.4426950408889634;
  // Rounded without a branch, which the processor would guess wrong half of the time.
  const n = ((y + 512.5) | 0) - 512;
  return expNearZero(x - n * LN2) * POWERS[n + 200];
}

/** 2^x = 2^n e^(r ln 2), x = n + r. */
export function exp2(x: number): number {
  x = x < -180 ? -180 : x > 180 ? 180 : x;
  const n = ((x + 512.5) | 0) - 512;
  return expNearZero((x - n) * LN2) * POWERS[n + 200];
}

/** e^x − 1: the Taylor series near 0, where the subtraction would cancel. */
export function expm1(x: number): number {
  if (Math.abs(x) < 0.35)
    return (
      x *
      (1 +
        x *
          (0.5 +
            x *
              (0.16666666666666666 +
                x *
                  (0.041666666666666664 +
                    x * (0.008333333333333333 + x * (0.001388888888888889 + x * (0.0001984126984126984 + x * 0.0000248015873015873)))))))
    );
  return exp(x) - 1;
}

/** tanh x = 1 − 2 / (e^2x + 1), and its Taylor polynomial near 0. */
export function tanh(x: number): number {
  if (Math.abs(x) < 0.25) {
    const s = x * x;
    return (
      x *
      (1 +
        s *
          (-0.3333333333333333 +
            s * (0.13333333333333333 + s * (-0.05396825396825397 + s * (0.021869488536155203 + s * -0.008863235529902197)))))
    );
  }
  return 1 - 2 / (exp(2 * x) + 1);
}

/** (e^x − e^−x) / 2, and its Taylor polynomial near 0. */
export function sinh(x: number): number {
  if (Math.abs(x) < 1) {
    const s = x * x;
    return (
      x *
      (1 +
        s *
          (0.16666666666666666 +
            s * (0.008333333333333333 + s * (0.0001984126984126984 + s * (0.0000027557319223985893 + s * 2.505210838544172e-8)))))
    );
  }
  const e = exp(x);
  return (e - 1 / e) / 2;
}

/** (e^x + e^−x) / 2. */
export function cosh(x: number): number {
  const e = exp(x);
  return (e + 1 / e) / 2;
}

/** ln x = e ln 2 + 2 artanh s, x = 2^e m with m in [√½, √2), s = (m − 1) / (m + 1). `x` is a normal positive float32. */
function logNormal(x: number): number {
  floats[0] = x;
  const u = bits[0];
  const e = (u - 0x3f3504f3) >> 23;
  bits[0] = u - (e << 23);
  const m = floats[0];
  const s = (m - 1) / (m + 1);
  const z = s * s;
  return (
    e * LN2 +
    2 * s * (1 + z * (0.3333333333333333 + z * (0.2 + z * (0.14285714285714285 + z * (0.1111111111111111 + z * 0.09090909090909091)))))
  );
}

const isNormal = (x: number): boolean => x >= 1.1754943508222875e-38 && x < Infinity;

export function log(x: number): number {
  return isNormal(x) ? logNormal(x) : Math.log(x);
}

export function log2(x: number): number {
  return isNormal(x) ? logNormal(x) * 1.4426950408889634 : Math.log2(x);
}

export function log10(x: number): number {
  return isNormal(x) ? logNormal(x) * 0.4342944819032518 : Math.log10(x);
}

/** ln(1 + x): with f the float32 nearest to 1 + x, ln f + (1 + x − f) / f. */
export function log1p(x: number): number {
  if (Math.abs(x) < 0.01) return x * (1 - x * (0.5 - x * (0.3333333333333333 - x * (0.25 - x * 0.2))));
  const y = 1 + x;
  const f = Math.fround(y);
  return isNormal(f) ? logNormal(f) + (y - f) / f : Math.log1p(x);
}

/** x^y = e^(y ln x) for positive normal x and finite y; by symmetry for negative x and whole y. */
export function pow(x: number, y: number): number {
  const a = Math.abs(x);
  if (!isNormal(a) || !(Math.abs(y) < Infinity) || (x < 0 && y !== Math.floor(y))) return special.pow(x, y);
  const r = exp(y * logNormal(a));
  return x < 0 && y % 2 !== 0 ? -r : r;
}

/** π/2 in two parts; the product of the first with an integer below 2^20 is exact. */
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_LOW = 6.077100506506192e-11;

/** Of sin and of cos: the polynomial's coefficients in r², and what it is multiplied by: r times the sixth, plus the seventh. */
const TRIGONOMETRIC = Float64Array.from(
  [
    [1, -0.16666666666666666, 0.008333333333333333, -0.0001984126984126984, 0.0000027557319223985893, -2.505210838544172e-8, 1, 0],
    [1, -0.5, 0.041666666666666664, -0.001388888888888889, 0.0000248015873015873, -2.755731922398589e-7, 0, 1],
  ].flat(),
);

/** sin(r + q π/2) for |r| ≤ π/4. Coefficients from a table cost less than a branch that is guessed wrong half of the time. */
function quadrant(r: number, q: number): number {
  const t = (q & 1) << 3;
  const c = TRIGONOMETRIC;
  const s = r * r;
  return (
    (1 - (q & 2)) * (r * c[t + 6] + c[t + 7]) * (c[t] + s * (c[t + 1] + s * (c[t + 2] + s * (c[t + 3] + s * (c[t + 4] + s * c[t + 5])))))
  );
}

export function sin(x: number): number {
  if (!(Math.abs(x) < 1e6)) return Math.sin(x);
  const n = ((x * 0.6366197723675814 + 1048576.5) | 0) - 1048576;
  return quadrant(x - n * HALF_PI_HIGH - n * HALF_PI_LOW, n);
}

export function cos(x: number): number {
  if (!(Math.abs(x) < 1e6)) return Math.cos(x);
  const n = ((x * 0.6366197723675814 + 1048576.5) | 0) - 1048576;
  return quadrant(x - n * HALF_PI_HIGH - n * HALF_PI_LOW, n + 1);
}

/** e^(x²) erfc x for x in [0.5, 10.2]: a Chebyshev fit in t = 1 / (x + 3), relative error 1e-8. */
function erfcScaled(x: number): number {
  const t = 1 / (x + 3);
  return (
    -0.00003027405720370537 +
    t *
      (0.5662672188184876 +
        t *
          (1.6306254003920662 +
            t *
              (5.847643394566914 +
                t *
                  (1.4989707958645155 +
                    t * (107.94948139871804 + t * (-271.7716055736696 + t * (1012.2825155455839 + t * -913.9369735375407)))))))
  );
}

/** The Maclaurin series for |x| < 0.9; 1 − e^(−x²) · (e^(x²) erfc x) beyond. */
export function erf(x: number): number {
  const a = Math.abs(x);
  const s = x * x;
  if (a < 0.9) {
    return (
      1.1283791670955126 *
      x *
      (1 -
        s *
          (0.3333333333333333 -
            s *
              (0.1 -
                s *
                  (0.023809523809523808 -
                    s *
                      (0.004629629629629629 -
                        s *
                          (0.0007575757575757576 -
                            s * (0.00010683760683760684 - s * (0.000013227513227513228 - s * 0.0000014589169000933706))))))))
    );
  }
  if (a > 4) return x > 0 ? 1 : -1;
  const r = 1 - exp(-s) * erfcScaled(a);
  return x < 0 ? -r : r;
}

export function erfc(x: number): number {
  if (x < 0.5) return 1 - erf(x);
  if (x > 10.2) return 0;
  return exp(-x * x) * erfcScaled(x);
}
