/** @file Normal numbers as PyTorch's CPU generator draws them: one algorithm below 16 elements, another from 16 on. */
import { logFloat32, sinCosFloat32 } from './cephes.js';
import { logDouble, sinCosDouble } from './double-math.js';
import { fma32, fma64 } from './fma.js';
import type { Mt19937 } from './mt19937.js';

/** From this many contiguous elements on, PyTorch fills whole blocks. */
export const NORMAL_BLOCK = 16;

const HALF_BLOCK = NORMAL_BLOCK / 2;
const fround = Math.fround;
const TWO_PI_FLOAT32 = fround(2 * Math.PI);
const sinCos = new Float32Array(2);
const sinCos64 = new Float64Array(2);

/**
 * One standard normal in doubles, by Box-Muller: of each pair it returns the cosine half and keeps the sine half for
 * the next call.
 *
 * @param kept The half that the call before left, or null.
 * @returns The normal, and the half that this call leaves.
 */
export function nextNormal(engine: Mt19937, kept: number | null): { value: number; kept: number | null } {
  if (kept !== null) return { value: kept, kept: null };
  const u1 = engine.nextFloat53();
  const u2 = engine.nextFloat53();
  const radius = Math.sqrt(-2 * logDouble(1 - u2)); // u2 is a multiple of 2^-53, so the difference is exact: log1p(-u2)
  sinCosDouble(2 * Math.PI * u1, sinCos64);
  return { value: radius * sinCos64[1], kept: radius * sinCos64[0] };
}

/** Fills at least 16 contiguous float32 with normals. A last block that is not whole is drawn again, as its last 16. */
export function fillNormalFloat32(engine: Mt19937, out: Float32Array, mean: number, std: number): void {
  const mean32 = fround(mean);
  const std32 = fround(std);
  for (let i = 0; i < out.length; i++) out[i] = engine.nextFloat24();
  for (let start = 0; start + NORMAL_BLOCK <= out.length; start += NORMAL_BLOCK) transformFloat32(out, start, mean32, std32);
  if (out.length % NORMAL_BLOCK === 0) return;
  const start = out.length - NORMAL_BLOCK;
  for (let i = start; i < out.length; i++) out[i] = engine.nextFloat24();
  transformFloat32(out, start, mean32, std32);
}

/** The same for float64. */
export function fillNormalFloat64(engine: Mt19937, out: Float64Array, mean: number, std: number): void {
  for (let i = 0; i < out.length; i++) out[i] = engine.nextFloat53();
  for (let start = 0; start + NORMAL_BLOCK <= out.length; start += NORMAL_BLOCK) transformFloat64(out, start, mean, std);
  if (out.length % NORMAL_BLOCK === 0) return;
  const start = out.length - NORMAL_BLOCK;
  for (let i = start; i < out.length; i++) out[i] = engine.nextFloat53();
  transformFloat64(out, start, mean, std);
}

/** 16 uniforms into 16 normals, in place: elements j and j + 8 are one Box-Muller pair. Source: ATen's normal_fill_16_AVX2. */
function transformFloat32(data: Float32Array, start: number, mean: number, std: number): void {
  for (let j = start; j < start + HALF_BLOCK; j++) {
    const u1 = fround(1 - data[j]);
    const radius = fround(Math.sqrt(fround(-2 * logFloat32(u1))));
    sinCosFloat32(fround(TWO_PI_FLOAT32 * data[j + HALF_BLOCK]), sinCos);
    data[j] = fma32(fround(radius * sinCos[1]), std, mean);
    data[j + HALF_BLOCK] = fma32(fround(radius * sinCos[0]), std, mean);
  }
}

/**
 * Source: ATen's normal_fill_16<double>. PyTorch's C library misses the correct rounding now and then, and this does
 * not: of 15,047 of its numbers, 21 differ, by one to three units in the last place.
 */
function transformFloat64(data: Float64Array, start: number, mean: number, std: number): void {
  for (let j = start; j < start + HALF_BLOCK; j++) {
    const radius = Math.sqrt(-2 * logDouble(1 - data[j]));
    sinCosDouble(2 * Math.PI * data[j + HALF_BLOCK], sinCos64);
    data[j] = fma64(radius * sinCos64[1], std, mean);
    data[j + HALF_BLOCK] = fma64(radius * sinCos64[0], std, mean);
  }
}
