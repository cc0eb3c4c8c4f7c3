/**
 * @file Functions that WGSL lacks or promises too little of. WGSL lets a compiler assume that there is no NaN and no infinity, lets
 * transcendental functions be off by a lot, and drivers make use of it; these look at bits where values may be special, and compute with
 * polynomials (Cephes, S. Moshier) whose error is known. Names begin with `k_`; a kernel's source gets those that it calls, and what they call.
 */
import { ELEMENTARY } from './functions-elementary.js';
import { SPECIAL } from './functions-special.js';

const BASIC: Readonly<Record<string, string>> = {
  k_isnan: 'fn k_isnan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }',
  k_isinf: 'fn k_isinf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }',
  // Constants that the compiler refuses to make at compile time.
  k_nan: 'fn k_nan() -> f32 { var u = 0x7fc00000u; return bitcast<f32>(u); }',
  k_inf: 'fn k_inf() -> f32 { var u = 0x7f800000u; return bitcast<f32>(u); }',
  k_neg: 'fn k_neg(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ 0x80000000u); }',
  k_abs: 'fn k_abs(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu); }',
  k_signed: 'fn k_signed(x: f32, s: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | (bitcast<u32>(s) & 0x80000000u)); }',
  k_max: 'fn k_max(a: f32, b: f32) -> f32 { return select(select(max(a, b), b, k_isnan(b)), a, k_isnan(a)); }',
  k_min: 'fn k_min(a: f32, b: f32) -> f32 { return select(select(min(a, b), b, k_isnan(b)), a, k_isnan(a)); }',
  k_eq: 'fn k_eq(a: f32, b: f32) -> bool { return a == b && !k_isnan(a) && !k_isnan(b); }',
  k_ne: 'fn k_ne(a: f32, b: f32) -> bool { return a != b || k_isnan(a) || k_isnan(b); }',
  k_sign: 'fn k_sign(x: f32) -> f32 { return select(select(0.0, -1.0, x < 0.0), 1.0, x > 0.0 && !k_isnan(x)); }',
  k_sqrt:
    'fn k_sqrt(x: f32) -> f32 { if (k_isnan(x) || x < 0.0) { return k_nan(); } if (x == 0.0 || k_isinf(x)) { return x; } return sqrt(x); }',
  k_truth: 'fn k_truth(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) != 0u; }',
  k_i32: 'fn k_i32(x: f32) -> i32 { if (k_isnan(x)) { return 0; } if (x >= 2147483648.0) { return 2147483647; } return i32(x); }',
  k_idiv: 'fn k_idiv(a: i32, b: i32) -> i32 { return select(a / b, 0, b == 0); }',
  k_irem: 'fn k_irem(a: i32, b: i32) -> i32 { return select(a % b, 0, b == 0); }',
  k_shl: 'fn k_shl(a: i32, b: i32) -> i32 { let n = bitcast<u32>(b); return select(a << (n & 31u), 0, n > 31u); }',
  k_shr: 'fn k_shr(a: i32, b: i32) -> i32 { return a >> min(bitcast<u32>(b), 31u); }',
  // C's fmod, exact: a long division of the mantissas, eight bits at a time.
  k_fmod: `fn k_fmod(a: f32, b: f32) -> f32 {
  let s = bitcast<u32>(a) & 0x80000000u; let x = bitcast<u32>(a) & 0x7fffffffu; let y = bitcast<u32>(b) & 0x7fffffffu;
  if (x >= 0x7f800000u || y > 0x7f800000u || y == 0u) { return k_nan(); }
  if (x < y) { return a; }
  let ex = max(x >> 23u, 1u); let ey = max(y >> 23u, 1u);
  let my = (y & 0x7fffffu) | select(0u, 0x800000u, y >= 0x800000u);
  var mx = ((x & 0x7fffffu) | select(0u, 0x800000u, x >= 0x800000u)) % my;
  var n = ex - ey;
  while (n > 0u) { let k = min(n, 8u); mx = (mx << k) % my; n -= k; }
  var r = f32(mx);
  if (ey >= 30u) { r *= bitcast<f32>((ey - 23u) << 23u); } else { r = r * bitcast<f32>((ey + 41u) << 23u) * bitcast<f32>(63u << 23u); }
  return bitcast<f32>(bitcast<u32>(r) | s);
}`,
  k_to_f16: `fn k_to_f16(x: f32) -> u32 {
  let u = bitcast<u32>(x); let s = (u >> 16u) & 0x8000u; let a = u & 0x7fffffffu;
  if (a > 0x7f800000u) { return s | 0x7e00u; }
  if (a >= 0x477ff000u) { return s | 0x7c00u; }
  if (a >= 0x38800000u) { return s | (((a + 0xfffu + ((a >> 13u) & 1u)) >> 13u) - 0x1c000u); }
  if (a < 0x33000000u) { return s; }
  let m = (a & 0x7fffffu) | 0x800000u; let n = 126u - (a >> 23u);
  let q = m >> n; let rest = m & ((1u << n) - 1u); let half = 1u << (n - 1u);
  return s | (q + select(0u, 1u, rest > half || (rest == half && (q & 1u) == 1u)));
}`,
  k_from_f16: `fn k_from_f16(h: u32) -> f32 {
  let s = (h & 0x8000u) << 16u; let e = (h >> 10u) & 31u; let m = h & 0x3ffu;
  var u = ((e + 112u) << 23u) | (m << 13u);
  if (e == 31u) { u = 0x7f800000u | (m << 13u); }
  if (e == 0u) { u = bitcast<u32>(f32(m) * 5.9604644775390625e-8); }
  return bitcast<f32>(s | u);
}`,
  k_to_bf16: `fn k_to_bf16(x: f32) -> u32 {
  let u = bitcast<u32>(x); if (k_isnan(x)) { return (u >> 16u) | 0x40u; } return (u + 0x7fffu + ((u >> 16u) & 1u)) >> 16u;
}`,
  k_from_bf16: 'fn k_from_bf16(h: u32) -> f32 { return bitcast<f32>(h << 16u); }',
  k_mulhi: `fn k_mulhi(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu; let ah = a >> 16u; let bl = b & 0xffffu; let bh = b >> 16u;
  let m = ah * bl + ((al * bl) >> 16u); let n = al * bh + (m & 0xffffu); return ah * bh + (m >> 16u) + (n >> 16u);
}`,
  // Philox4x32-10, its first word (Salmon et al., 2011).
  k_philox: `fn k_philox(counter: i32, key0: i32, key1: i32) -> i32 {
  var c = vec4u(bitcast<u32>(counter), 0u, 0u, 0u); var k0 = bitcast<u32>(key0); var k1 = bitcast<u32>(key1);
  for (var round = 0; round < 10; round++) {
    c = vec4u(k_mulhi(c.z, 0xcd9e8d57u) ^ c.y ^ k0, c.z * 0xcd9e8d57u, k_mulhi(c.x, 0xd2511f53u) ^ c.w ^ k1, c.x * 0xd2511f53u);
    k0 += 0x9e3779b9u; k1 += 0xbb67ae85u;
  }
  return bitcast<i32>(c.x);
}`,
};

const FUNCTIONS: Readonly<Record<string, string>> = { ...BASIC, ...ELEMENTARY, ...SPECIAL };
const NAMES = /\bk_[a-z0-9_]+/g;

/** The source with the library functions that it calls, and those that they call, in front of it. */
export function withFunctions(code: string): string {
  const wanted = new Set<string>();
  const visit = (text: string): void => {
    for (const [name] of text.matchAll(NAMES)) {
      if (wanted.has(name)) continue;
      const source = FUNCTIONS[name];
      // A kernel may have functions of its own.
      if (source === undefined) continue;
      wanted.add(name);
      visit(source);
    }
  };
  visit(code);
  return `${[...wanted].map((name) => FUNCTIONS[name]).join('\n')}\n${code}`;
}
