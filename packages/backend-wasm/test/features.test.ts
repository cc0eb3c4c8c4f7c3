/** @file What is asked of the engine's validator. */
import { describe, expect, it } from 'vitest';
import { f32x4, i32Atomic, ModuleBuilder } from '../src/assembler/index.js';
import { PROBES } from '../src/machine/features.js';

describe('the probes', () => {
  it('are what the assembler makes, but for names', () => {
    const modules = { simd: new ModuleBuilder(), fma: new ModuleBuilder(), sharing: new ModuleBuilder() };
    modules.simd.function('f', { x: 'v128' }, 'v128', (f, { x }) => f.return(f32x4.add(x, x)));
    modules.fma.function('f', { x: 'v128' }, 'v128', (f, { x }) => f.return(f32x4.relaxedMadd(x, x, x)));
    modules.sharing.importMemory('env', 'memory', { shared: true });
    modules.sharing.function('f', { x: 'i32' }, 'i32', (f, { x }) => f.return(i32Atomic.load(x)));
    for (const [name, probe] of Object.entries(PROBES))
      expect([...modules[name as keyof typeof PROBES].bytes().subarray(0, probe.length)]).toEqual(probe);
  });

  it('are refused when they are wrong', () => {
    expect(WebAssembly.validate(Uint8Array.from(PROBES.simd))).toBe(true);
    expect(WebAssembly.validate(Uint8Array.from(PROBES.sharing))).toBe(true);
    // An addition of one operand.
    expect(WebAssembly.validate(Uint8Array.from(PROBES.simd.filter((_, i) => i !== 27 && i !== 28)))).toBe(false);
  });
});
