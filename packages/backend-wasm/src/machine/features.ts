/** @file What the engine can do, asked of its validator. */
import { f32x4, i32Atomic, ModuleBuilder } from '../assembler/index.js';

function validates(body: (module: ModuleBuilder) => void, shared = false): boolean {
  if (typeof WebAssembly !== 'object') return false;
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { shared });
  body(module);
  return WebAssembly.validate(module.bytes());
}

let compiles: boolean | undefined;
let simd: boolean | undefined;
let fma: boolean | undefined;
let sharing: boolean | undefined;

/** `\0asm`, version 1: the empty module. */
const EMPTY = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

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
const hasSimd = (): boolean =>
  (simd ??= validates((module) => module.function('f', { x: 'v128' }, 'v128', (f, { x }) => f.return(f32x4.add(x, x)))));

/** Relaxed SIMD, and with it a fused multiply-add. */
export const hasRelaxedSimd = (): boolean =>
  (fma ??= validates((module) => module.function('f', { x: 'v128' }, 'v128', (f, { x }) => f.return(f32x4.relaxedMadd(x, x, x)))));

/** Atomics, and memory that threads may share (in a page: only if it is cross-origin isolated). */
export function hasSharedMemory(): boolean {
  if (sharing !== undefined) return sharing;
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return (sharing =
    typeof SharedArrayBuffer === 'function' &&
    crossOriginIsolated !== false &&
    validates((module) => module.function('f', { x: 'i32' }, 'i32', (f, { x }) => f.return(i32Atomic.load(x))), true));
}
