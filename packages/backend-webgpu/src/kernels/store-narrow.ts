/**
 * @file Narrow elements into views that share words with what lies around them: a dense array of one word each goes to its places by atomic
 * operations on words. Kernels that cannot write whole words go through it.
 */
import { kernelSource, Parameters } from '../wgsl/source.js';
import { collapse, coordinates, type GpuView, offsetAt, packShape, packView, sizeOf, sourceRank, viewParameters } from '../wgsl/views.js';
import { PER_WORD } from '../wgsl/elements.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { type Context, groupsFor, WORKGROUP } from './context.js';

/** Stores the words of `source` (dense, an element's bits each) into the narrow view `target`. */
export function storeNarrow({ launcher }: Context, source: WebGpuBuffer, target: GpuView): void {
  const perWord = PER_WORD[target.dtype] as 2 | 4;
  const { shape, strides } = collapse(target.shape, target.strides);
  const rank = sourceRank(shape.length);
  const pipeline = launcher.pipeline(`store-narrow ${perWord} ${rank}`, () => {
    const p = new Parameters();
    const n = p.u();
    const sizes = p.uints(rank);
    const view = viewParameters(p, rank);
    return kernelSource({
      label: `store ${32 / perWord}-bit elements`,
      reads: ['u32'],
      writes: ['atomic'],
      workgroup: WORKGROUP,
      body: `if (id >= ${n}) { return; }
${coordinates('id', sizes, 'c')}
let o = ${offsetAt(view.offset, view.strides, 'c')};
${storeAtomic('b1', 'o', 'b0[id]', perWord)}`,
    });
  });
  const n = sizeOf(shape);
  launcher.begin().bind(source).bind(target.buffer).word(n);
  packShape(launcher, shape, rank);
  packView(launcher, target.offset, strides[0], rank);
  launcher.launch(pipeline, groupsFor(n));
}

/** Statements that put the bits `value` at element `offset` of an atomic binding. */
export function storeAtomic(binding: string, offset: string, value: string, perWord: 2 | 4): string {
  const shift = perWord === 4 ? `(${offset} & 3u) * 8u` : `(${offset} & 1u) * 16u`;
  const mask = perWord === 4 ? '255u' : '0xffffu';
  const at = `&${binding}[${offset} >> ${perWord === 4 ? 2 : 1}u]`;
  return `{ let s = ${shift}; let v = ${value}; atomicAnd(${at}, ~(${mask} << s)); atomicOr(${at}, v << s); }`;
}
