/** @file erf, its kin and the gamma functions in WGSL, for float32. */
export const SPECIAL: Readonly<Record<string, string>> = {
  // e^(x²) erfc x for x in [0.5, 10.2]: a Chebyshev fit in 1 / (x + 3).
  k_erfc_scaled: `fn k_erfc_scaled(x: f32) -> f32 {
  let t = 1.0 / (x + 3.0);
  return -0.00003027405720370537 + t * (0.5662672188184876 + t * (1.6306254003920662 + t * (5.847643394566914 + t * (1.4989707958645155 + t * (107.94948139871804 + t * (-271.7716055736696 + t * (1012.2825155455839 + t * -913.9369735375407)))))));
}`,
  // e^(-x²), the square in two parts so that its rounding does not grow with x.
  k_exp_square: 'fn k_exp_square(x: f32) -> f32 { let h = k_upper(x); return k_exp(-(h * h)) * k_exp(-((x - h) * (x + h))); }',
  k_erf: `fn k_erf(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } let a = k_abs(x); let s = x * x;
  if (a < 0.9) {
    return 1.1283791670955126 * x * (1.0 - s * (0.3333333333333333 - s * (0.1 - s * (0.023809523809523808 - s * (0.004629629629629629 - s * (0.0007575757575757576 - s * (0.00010683760683760684 - s * 0.000013227513227513228)))))));
  }
  if (a > 4.0) { return k_signed(1.0, x); }
  return k_signed(1.0 - k_exp_square(a) * k_erfc_scaled(a), x);
}`,
  k_erfc: `fn k_erfc(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } if (x < 0.5) { return 1.0 - k_erf(x); } if (x > 10.2) { return 0.0; }
  return k_exp_square(x) * k_erfc_scaled(x);
}`,
  // M. Giles, Approximating the erfinv function (2012), its single-precision polynomials.
  k_erfinv: `fn k_erfinv(x: f32) -> f32 {
  let a = k_abs(x); if (k_isnan(x) || a > 1.0) { return k_nan(); } if (a == 1.0) { return k_signed(k_inf(), x); }
  var w = -k_log((1.0 - a) * (1.0 + a)); var p: f32;
  if (a < 0.1) { w = -k_log1p(-(a * a)); }
  if (w < 5.0) {
    w = w - 2.5;
    p = 2.81022636e-8; p = 3.43273939e-7 + p * w; p = -3.5233877e-6 + p * w; p = -4.39150654e-6 + p * w; p = 0.00021858087 + p * w;
    p = -0.00125372503 + p * w; p = -0.00417768164 + p * w; p = 0.246640727 + p * w; p = 1.50140941 + p * w;
  } else {
    w = sqrt(w) - 3.0;
    p = -0.000200214257; p = 0.000100950558 + p * w; p = 0.00134934322 + p * w; p = -0.00367342844 + p * w; p = 0.00573950773 + p * w;
    p = -0.0076224613 + p * w; p = 0.00943887047 + p * w; p = 1.00167406 + p * w; p = 2.83297682 + p * w;
  }
  return p * x;
}`,
  // a · b as a product and its rounding error (Dekker).
  k_two_product: `fn k_two_product(a: f32, b: f32) -> vec2f {
  let p = a * b; let ah = k_upper(a); let al = a - ah; let bh = k_upper(b); let bl = b - bh;
  return vec2f(p, (((ah * bh - p) + ah * bl) + al * bh) + al * bl);
}`,
  // ln Γ(2 + d), |d| ≤ 1/2, and ln Γ(1 + d), |d| ≤ 1/4 (Cephes, lgamf).
  k_lgamma_2: `fn k_lgamma_2(d: f32) -> f32 {
  return d * (((((((6.055172732649237e-4 * d - 1.311620815545743e-3) * d + 2.863437556468661e-3) * d - 7.366775108654962e-3) * d + 2.058355474821512e-2) * d - 6.735323259371034e-2) * d + 3.224669577325661e-1) * d + 4.227843421859038e-1);
}`,
  k_lgamma_1: `fn k_lgamma_1(d: f32) -> f32 {
  return d * (((((((1.369488127325832e-1 * d - 1.590086327657347e-1) * d + 1.692415923504637e-1) * d - 2.067882815621965e-1) * d + 2.705806208275915e-1) * d - 4.006931650563372e-1) * d + 8.224670749082976e-1) * d - 5.772156501719101e-1);
}`,
  // Above -8 by Γ(x) = Γ(x + n) / (x (x + 1) …), the product in two floats, since ln Γ has zeros there; further down by reflection.
  k_lgamma_positive: `fn k_lgamma_positive(x: f32) -> f32 {
  if (x >= 6.5) {
    let p = 1.0 / x; let z = p * p;
    return (x - 0.5) * k_log(x) - x + 0.918938533204673 + p * (0.0833333333 + z * (-2.777777778e-3 + z * 7.93650794e-4));
  }
  if (abs(x - 1.0) < 0.25) { return k_lgamma_1(x - 1.0); }
  var product = vec2f(1.0, 0.0); var y = x;
  while (y > 2.5) { y -= 1.0; product.x *= y; }
  if (product.x != 1.0) { return k_lgamma_2(y - 2.0) + k_log(product.x); }
  while (y < 1.5) { let t = k_two_product(product.x, y); product = vec2f(t.x, t.y + product.y * y); y += 1.0; }
  return k_lgamma_2(y - 2.0) - (k_log(product.x) + product.y / product.x);
}`,
  k_lgamma: `fn k_lgamma(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } if (k_isinf(x)) { return k_inf(); }
  if (x > 1e36) { return x * (k_log(x) - 1.0); }
  if (x <= 0.0 && floor(x) == x) { return k_inf(); }
  if (abs(x) < 1e-10) { return -k_log(k_abs(x)); }
  if (x > 0.0) { return k_lgamma_positive(x); }
  if (x > -8.0) {
    var product = vec2f(1.0, 0.0); var y = x;
    while (y < 1.5) { let t = k_two_product(product.x, abs(y)); product = vec2f(t.x, t.y + product.y * abs(y)); y += 1.0; }
    return k_lgamma_2(y - 2.0) - (k_log(product.x) + product.y / product.x);
  }
  let r = x - round(x);
  return k_log(3.14159265 / abs(k_sin(3.14159265 * r))) - k_lgamma_positive(1.0 - x);
}`,
  // In [1, 2] around the zero at 1.4616 (Boost.Math, 24 bits).
  k_digamma_1_2: `fn k_digamma_1_2(x: f32) -> f32 {
  let g = (x - 1.46163177490234375) - 3.7006601859126265e-7; let z = x - 1.0;
  let p = 0.25479851023250261 + z * (-0.44981331915268368 + z * (-0.43916936919946835 - z * 0.61041765350579073e-1));
  let q = 1.0 + z * (1.5890202430554952 + z * (0.65341249856146947 + z * 0.63851690523355715e-1));
  return g * 0.99558162689208984 + g * (p / q);
}`,
  k_digamma_positive: `fn k_digamma_positive(x0: f32) -> f32 {
  var x = x0; var sum = 0.0;
  if (x >= 10.0) {
    let y = 1.0 / (x * x); return k_log(x) - 0.5 / x - y * (0.0833333333 - y * (8.33333333e-3 - y * 3.96825397e-3));
  }
  while (x > 2.0) { x -= 1.0; sum += 1.0 / x; }
  if (x < 1.0) { sum -= 1.0 / x; x += 1.0; }
  return sum + k_digamma_1_2(x);
}`,
  k_digamma: `fn k_digamma(x: f32) -> f32 {
  if (k_isnan(x)) { return x; } if (x == 0.0) { return k_signed(k_inf(), k_neg(x)); }
  if (x > 0.0) { if (k_isinf(x)) { return x; } return k_digamma_positive(x); }
  if (k_isinf(x) || floor(x) == x) { return k_nan(); }
  let r = x - round(x); let a = abs(r);
  if (abs(x) < 1e-4) { return k_digamma_1_2(1.0) - 1.0 / x; }
  // cos πr = sin π(1/2 − |r|), exact at its zero.
  return k_digamma_positive(1.0 - x) - k_signed(3.14159265 * k_sin(3.14159265 * (0.5 - a)) / k_sin(3.14159265 * a), r);
}`,
};
