/** @file What the engine can do, asked of its validator. */

/** `\0asm`, version 1: the empty module. */
const EMPTY = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/**
 * Modules of one function that needs a feature, as the assembler makes them (their test holds that): run here, at the start of every program, the assembler itself
 * would have to be compiled for them, 1.3 ms.
 * @internal
 */
export const PROBES = {
  /** (v128) → v128: f32x4.add. */
  simd: [...EMPTY, 1, 6, 1, 96, 1, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 0, 253, 228, 1, 15, 0, 11],
  /** (v128) → v128: f32x4.relaxed_madd. */
  fma: [...EMPTY, 1, 6, 1, 96, 1, 123, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 32, 0, 32, 0, 32, 0, 253, 133, 2, 15, 0, 11],
  /** (i32) → i32: i32.atomic.load, of a shared memory `env.memory`. */
  sharing: [
    ...EMPTY,
    1,
    6,
    1,
    96,
    1,
    127,
    1,
    127,
    2,
    18,
    1,
    3,
    101,
    110,
    118,
    6,
    109,
    101,
    109,
    111,
    114,
    121,
    2,
    3,
    1,
    128,
    128,
    4,
    3,
    2,
    1,
    0,
    10,
    12,
    1,
    10,
    0,
    32,
    0,
    254,
    16,
    2,
    0,
    15,
    0,
    11,
  ],
} as const;

const validates = (probe: readonly number[]): boolean => typeof WebAssembly === 'object' && WebAssembly.validate(Uint8Array.from(probe));

let compiles: boolean | undefined;
let simd: boolean | undefined;
let fma: boolean | undefined;
let sharing: boolean | undefined;

/** Whether modules may be compiled: a page's Content-Security-Policy can forbid what the validator accepts. */
function canCompile(): boolean {
  if (compiles !== undefined) return compiles;
  try {
    return (compiles = new WebAssembly.Module(Uint8Array.from(EMPTY)) instanceof WebAssembly.Module);
  } catch {
    return (compiles = false);
  }
}

/** Why this backend cannot run here; undefined if it can. */
export function whyUnavailable(): string | undefined {
  if (typeof WebAssembly !== 'object') return 'there is no WebAssembly here';
  if (!hasSimd()) return 'this engine has no WebAssembly SIMD';
  if (!canCompile()) return "this page's Content-Security-Policy forbids WebAssembly: script-src has to allow 'wasm-unsafe-eval'";
  return undefined;
}

/** 128-bit SIMD, without which this backend does not run. */
const hasSimd = (): boolean => (simd ??= validates(PROBES.simd));

/** Relaxed SIMD, and with it a fused multiply-add. */
export const hasRelaxedSimd = (): boolean => (fma ??= validates(PROBES.fma));

/** Atomics, and memory that threads may share (in a page: only if it is cross-origin isolated). */
export function hasSharedMemory(): boolean {
  if (sharing !== undefined) return sharing;
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return (sharing = typeof SharedArrayBuffer === 'function' && crossOriginIsolated !== false && validates(PROBES.sharing));
}
