/** @file exp, log, pow, circular and hyperbolic functions in WGSL, within the units that the opcodes' table allows. */

/** A float with the lower 12 bits of its mantissa cleared: products of two such are exact, whatever the compiler does. */
const UPPER = 'fn k_upper(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }';

export const ELEMENTARY: Readonly<Record<string, string>> = {
  k_upper: UPPER,
  // y · 2^n for n in [-252, 254], in two steps, so that neither factor overflows.
  k_ldexp:
    'fn k_ldexp(y: f32, n: i32) -> f32 { let h = n / 2; return y * bitcast<f32>((h + 127) << 23u) * bitcast<f32>((n - h + 127) << 23u); }',
  // e^r for |r| ≤ ln 2 / 2.
  k_exp_near: `fn k_exp_near(r: f32) -> f32 {
  let p = ((((1.9875691500e-4 * r + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2) * r + 1.6666665459e-1) * r + 0.5;
  return p * r * r + r + 1.0;
}`,
  k_exp: `fn k_exp(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } if (x > 88.72284) { return k_inf(); } if (x < -104.0) { return 0.0; }
  let k = round(x * 1.44269504); return k_ldexp(k_exp_near((x - k * 0.693359375) + k * 2.12194440e-4), i32(k));
}`,
  k_exp2: `fn k_exp2(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } if (x >= 128.0) { return k_inf(); } if (x < -150.0) { return 0.0; }
  let k = round(x); return k_ldexp(k_exp_near((x - k) * 0.693147181), i32(k));
}`,
  k_expm1: `fn k_expm1(x: f32) -> f32 {
  if (k_isnan(x)) { return x; }
  if (abs(x) < 0.5) {
    return x + x * x * (0.5 + x * (0.16666667 + x * (0.041666667 + x * (8.3333333e-3 + x * (1.3888889e-3 + x * (1.9841270e-4 + x * 2.4801587e-5))))));
  }
  return k_exp(x) - 1.0;
}`,
  // ln(1 + f) for 1 + f in [√½, √2].
  k_log_near: `fn k_log_near(f: f32) -> f32 {
  let z = f * f;
  let p = ((((((((7.0376836292e-2 * f - 1.1514610310e-1) * f + 1.1676998740e-1) * f - 1.2420140846e-1) * f + 1.4249322787e-1) * f - 1.6668057665e-1) * f + 2.0000714765e-1) * f - 2.4999993993e-1) * f + 3.3333331174e-1) * f * z;
  return f + (p - 0.5 * z);
}`,
  // x = 2^e (1 + f) of a positive finite x, as (f, e).
  k_frexp: `fn k_frexp(x: f32) -> vec2f {
  var v = bitcast<u32>(x); var e = 0;
  if (v < 0x00800000u) { v = bitcast<u32>(f32(v)); e = -149; }
  e += i32(v >> 23u) - 127; var m = bitcast<f32>((v & 0x7fffffu) | 0x3f800000u);
  if (m > 1.41421356) { m *= 0.5; e++; }
  return vec2f(m - 1.0, f32(e));
}`,
  // Is the logarithm of x special? Then 0: NaN or infinity, as x; 1: -infinity; 2: NaN.
  k_log_special: `fn k_log_special(x: f32) -> i32 {
  let u = bitcast<u32>(x);
  if ((u & 0x7fffffffu) > 0x7f800000u || u == 0x7f800000u) { return 0; } if ((u & 0x7fffffffu) == 0u) { return 1; }
  return select(-1, 2, (u & 0x80000000u) != 0u);
}`,
  k_log_edge:
    'fn k_log_edge(x: f32, kind: i32) -> f32 { if (kind == 0) { return x; } if (kind == 1) { return k_neg(k_inf()); } return k_nan(); }',
  k_log: `fn k_log(x: f32) -> f32 {
  let s = k_log_special(x); if (s >= 0) { return k_log_edge(x, s); }
  let v = k_frexp(x); return (k_log_near(v.x) + v.y * -2.12194440e-4) + v.y * 0.693359375;
}`,
  k_log2: `fn k_log2(x: f32) -> f32 {
  let s = k_log_special(x); if (s >= 0) { return k_log_edge(x, s); }
  let v = k_frexp(x); return v.y + k_log_near(v.x) * 1.44269504;
}`,
  k_log10: `fn k_log10(x: f32) -> f32 {
  let s = k_log_special(x); if (s >= 0) { return k_log_edge(x, s); }
  let v = k_frexp(x); return (k_log_near(v.x) * 0.434294482 + v.y * 4.6050390e-6) + v.y * 0.301025390625;
}`,
  k_log1p: 'fn k_log1p(x: f32) -> f32 { if (x > -0.29 && x < 0.41) { return k_log_near(x); } return k_log(1.0 + x); }',
  /**
   * C's pow: 2^(y log2 x) with the logarithm in two parts of 12 and 24 bits, so that large exponents do not magnify its error.
   * ln m = 2 artanh s, s = (m - 1) / (m + 1).
   */
  k_pow: `fn k_pow(x: f32, y: f32) -> f32 {
  if (!k_isnan(y) && y == 0.0) { return 1.0; } if (!k_isnan(x) && x == 1.0) { return 1.0; }
  if (k_isnan(x) || k_isnan(y)) { return k_nan(); }
  let a = abs(x); let neg = (bitcast<u32>(x) >> 31u) == 1u;
  if (k_isinf(y)) { if (a == 1.0) { return 1.0; } return select(0.0, k_inf(), (a > 1.0) == (y > 0.0)); }
  let big = abs(y) >= 16777216.0; let whole = big || floor(y) == y;
  let odd = !big && whole && (i32(clamp(y, -16777216.0, 16777216.0)) & 1) == 1;
  var r: f32;
  if (a == 0.0 || k_isinf(a)) { r = select(0.0, k_inf(), (a == 0.0) == (y < 0.0)); }
  else if (neg && !whole) { return k_nan(); }
  else {
    let v = k_frexp(a); let f = v.x; let s = f / (2.0 + f);
    let sh = k_upper(s); let fh = k_upper(f);
    let sl = (((f - 2.0 * sh) - sh * fh) - sh * (f - fh)) / (2.0 + f);
    let z = s * s;
    let low = 2.0 * sl + s * z * (0.66666667 + z * (0.4 + z * (0.28571429 + z * (0.22222222 + z * 0.2))));
    let high = 2.0 * sh;
    let lh = high * 1.4423828125; let ll = high * 3.1222839e-4 + low * 1.44269504;
    let yh = k_upper(y); let yl = y - yh; let ah = k_upper(lh);
    let rough = y * (v.y + lh);
    if (rough > 140.0) { r = k_inf(); } else if (rough < -160.0) { r = 0.0; }
    else {
      let small = y * ((lh - ah) + ll); let n = round(rough);
      let t = (((yh * v.y - n) + yh * ah) + (yl * v.y + yl * ah)) + small;
      let m = round(t); let k = n + m;
      if (k > 128.0) { r = k_inf(); } else { r = k_ldexp(k_exp_near((t - m) * 0.693147181), i32(max(k, -200.0))); }
    }
  }
  return select(r, k_neg(r), neg && odd);
}`,
  /**
   * x = k π/2 + r, |r| ≤ π/4, as (r, k mod 4). Large x by Payne and Hanek: the mantissa times those 96 bits of 2/π that matter, in integers;
   * the upper two bits of the product are k, the rest the fraction.
   */
  k_reduce: `fn k_reduce(x: f32) -> vec2f {
  if (abs(x) < 256.0) {
    let k = round(x * 0.636619772);
    return vec2f(((x - k * 1.5703125) - k * 4.83751297e-4) - k * 7.54978995e-8, f32(i32(k) & 3));
  }
  var bits = array<u32, 10>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu, 0xdebbc561u, 0xb7246e3au);
  let u = bitcast<u32>(x); let m = (u & 0x7fffffu) | 0x800000u;
  let start = ((u >> 23u) & 255u) - 120u; let at = start >> 5u; let n = start & 31u;
  var w = vec3u(bits[at], bits[at + 1u], bits[at + 2u]);
  if (n > 0u) { w = (w << vec3u(n)) | (vec3u(w.y, w.z, bits[at + 3u]) >> vec3u(32u - n)); }
  let p2 = m * w.z; let a1 = m * w.y; let p1 = a1 + k_mulhi(m, w.z);
  let p0 = m * w.x + k_mulhi(m, w.y) + select(0u, 1u, p1 < a1);
  let high = (p0 << 2u) | (p1 >> 30u); let low = (p1 << 2u) | (p2 >> 30u);
  let quadrant = (p0 >> 30u) + (high >> 31u);
  let r = (f32(bitcast<i32>(high)) * 2.3283064365386963e-10 + f32(low) * 5.421010862427522e-20) * 1.57079633;
  if ((u & 0x80000000u) != 0u) { return vec2f(-r, f32((4u - (quadrant & 3u)) & 3u)); }
  return vec2f(r, f32(quadrant & 3u));
}`,
  // sin(x + q π/2).
  k_circular: `fn k_circular(x: f32, q: i32) -> f32 {
  if (k_isnan(x) || k_isinf(x)) { return k_nan(); }
  let v = k_reduce(x); let r = v.x; let z = r * r; let n = (i32(v.y) + q) & 3;
  let s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
  let c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
  let y = select(s, c, (n & 1) == 1); return select(y, -y, n >= 2);
}`,
  k_sin: 'fn k_sin(x: f32) -> f32 { return select(k_circular(x, 0), x, x == 0.0); }',
  k_cos: 'fn k_cos(x: f32) -> f32 { return k_circular(x, 1); }',
  k_tan: 'fn k_tan(x: f32) -> f32 { return select(k_circular(x, 0) / k_circular(x, 1), x, x == 0.0); }',
  k_asin_near: `fn k_asin_near(x: f32) -> f32 {
  let z = x * x; return ((((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z + 7.4953002686e-2) * z + 1.6666752422e-1) * z * x + x;
}`,
  k_asin: `fn k_asin(x: f32) -> f32 {
  let a = k_abs(x); if (k_isnan(x) || a > 1.0) { return k_nan(); }
  if (a < 0.5) { return k_asin_near(x); }
  return k_signed(1.57079633 - 2.0 * k_asin_near(sqrt(0.5 * (1.0 - a))), x);
}`,
  k_acos: `fn k_acos(x: f32) -> f32 {
  let a = k_abs(x); if (k_isnan(x) || a > 1.0) { return k_nan(); }
  if (a < 0.5) { return 1.57079633 - k_asin_near(x); }
  let y = 2.0 * k_asin_near(sqrt(0.5 * (1.0 - a))); return select(y, 3.14159265 - y, x < 0.0);
}`,
  k_atan_near: `fn k_atan_near(x: f32) -> f32 {
  let z = x * x; return (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * x + x;
}`,
  k_atan: `fn k_atan(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } let a = k_abs(x); var r: f32;
  if (a > 2.414213562373095) { r = 1.57079633 - k_atan_near(select(1.0 / a, 0.0, k_isinf(a))); }
  else if (a > 0.4142135623730950) { r = 0.785398163 + k_atan_near((a - 1.0) / (a + 1.0)); }
  else { r = k_atan_near(a); }
  return k_signed(r, x);
}`,
  k_atan2: `fn k_atan2(y: f32, x: f32) -> f32 {
  if (k_isnan(x) || k_isnan(y)) { return k_nan(); }
  let left = (bitcast<u32>(x) >> 31u) == 1u; let ay = k_abs(y); let ax = k_abs(x); var r: f32;
  if (ay == 0.0) { r = 0.0; } else if (ax == 0.0) { r = 1.57079633; }
  else if (k_isinf(ax) && k_isinf(ay)) { r = 0.785398163; } else if (k_isinf(ax)) { r = 0.0; } else if (k_isinf(ay)) { r = 1.57079633; }
  else if (ay <= ax) { r = k_atan(ay / ax); } else { r = 1.57079633 - k_atan(ax / ay); }
  return k_signed(select(r, 3.14159265 - r, left), y);
}`,
  k_sinh: `fn k_sinh(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } let a = k_abs(x);
  if (a < 1.0) { let z = x * x; return ((2.03721912945e-4 * z + 8.33028376239e-3) * z + 1.66667160211e-1) * z * x + x; }
  if (a > 80.0) { let h = k_exp(0.5 * a); return k_signed((0.5 * h) * h, x); }
  let e = k_exp(a); return k_signed(0.5 * e - 0.5 / e, x);
}`,
  k_cosh: `fn k_cosh(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } let a = k_abs(x);
  if (a > 80.0) { let h = k_exp(0.5 * a); return (0.5 * h) * h; }
  let e = k_exp(a); return 0.5 * e + 0.5 / e;
}`,
  k_tanh: `fn k_tanh(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } let a = k_abs(x);
  if (a < 0.625) {
    let z = x * x; return x + x * z * ((((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z - 3.33332819422e-1);
  }
  return k_signed(1.0 - 2.0 / (k_exp(2.0 * min(a, 10.0)) + 1.0), x);
}`,
  k_asinh: `fn k_asinh(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } let a = k_abs(x);
  if (a > 1e9) { return k_signed(k_log(a) + 0.693147181, x); }
  return k_signed(k_log1p(a + a * a / (1.0 + sqrt(1.0 + a * a))), x);
}`,
  k_acosh: `fn k_acosh(x: f32) -> f32 {
  if (k_isnan(x) || x < 1.0) { return k_nan(); }
  if (x > 1e9) { return k_log(x) + 0.693147181; }
  let t = x - 1.0; return k_log1p(t + sqrt(t * (t + 2.0)));
}`,
  k_atanh: `fn k_atanh(x: f32) -> f32 {
  let a = k_abs(x); if (k_isnan(x) || a > 1.0) { return k_nan(); } if (a == 1.0) { return k_signed(k_inf(), x); }
  return k_signed(0.5 * k_log1p(2.0 * a / (1.0 - a)), x);
}`,
};
