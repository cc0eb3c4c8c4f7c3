/** @file The scores of attention: which keys a query sees, and what is added. */
import type { Launcher } from '../device/launcher.js';
import { loadElement, storedAs } from '../wgsl/elements.js';
import type { Parameters, Stored } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';

export const maskStored = (mask: GpuView | null): Stored[] => (mask === null ? [] : [storedAs(mask.dtype)]);
export const maskKey = (mask: GpuView | null): string => mask?.dtype ?? 'none';

export function packMask(launcher: Launcher, mask: GpuView | null, causal: boolean): void {
  launcher.word(causal ? 1 : 0);
  if (mask !== null) launcher.word(mask.offset).list(mask.strides);
}

/** fn masked(batch, i, j, score): the score with the mask, -infinity where the query does not see the key. */
export function maskFunction(p: Parameters, mask: GpuView | null, binding: string): string {
  const causal = p.u();
  let body = 'return score;';
  if (mask !== null) {
    const offset = p.i();
    const [b, i, j] = p.ints(3);
    const at = `let o = u32(${offset} + i32(batch) * ${b} + i32(i) * ${i} + i32(j) * ${j});`;
    const value = loadElement(binding, mask.dtype, 'o');
    body = mask.dtype === 'bool' ? `${at} if (!${value}) { return k_neg(k_inf()); } return score;` : `${at} return score + ${value};`;
  }
  return `fn masked(batch: u32, i: u32, j: u32, score: f32) -> f32 {
if (${causal} == 1u && j > i) { return k_neg(k_inf()); }
${body}
}
fn unseen(score: f32) -> bool { return bitcast<u32>(score) == 0xff800000u; }`;
}
