/** @file Products whose K is split: where tiles are too few to fill a GPU, parts of the sums are computed side by side and then added, always in the same order. */
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import { type Context, groupsFor, WORKGROUP } from './context.js';
import { bindResult, type Product, resultBindings, resultNames } from './operand.js';

/** Workgroups that keep a large GPU busy. */
export const ENOUGH_GROUPS = 192;
/** What one part of a split K has at least. */
const PART = 256;

/** In how many parts K is computed for so many tiles, and how long a part is: a multiple of a panel's depth. */
export function splitInner(tiles: number, inner: number, depth: number): { readonly parts: number; readonly perPart: number } {
  let parts = 1;
  if (tiles < ENOUGH_GROUPS && inner >= 2 * PART) parts = Math.min(Math.ceil(inner / PART), Math.ceil(ENOUGH_GROUPS / tiles), 64);
  const perPart = Math.ceil(Math.ceil(inner / parts) / depth) * depth;
  return { parts: Math.ceil(inner / perPart), perPart };
}

/** The second launch: each invocation adds the parts of an element and stores it. */
export function addParts(
  context: Context,
  { label, type, batch, rows, columns, out }: Product,
  partials: WebGpuBuffer,
  parts: number,
): void {
  const { launcher } = context;
  const total = batch * rows * columns;
  const pipeline = launcher.pipeline(`product-parts ${type} ${out.key}`, () => {
    const p = new Parameters();
    const [all, count, m, n] = p.uints(4);
    const { reads, writes } = resultBindings(out);
    return kernelSource({
      label: `${label}, parts`,
      reads: [type, ...reads.stored],
      writes: writes.stored,
      workgroup: WORKGROUP,
      head: out.text(p, resultNames(out, 1)),
      body: `if (id >= ${all}) { return; }
var sum = b0[id];
for (var part = 1u; part < ${count}; part++) { sum += b0[part * ${all} + id]; }
store(id / (${m} * ${n}), (id / ${n}) % ${m}, id % ${n}, sum);`,
    });
  });
  launcher.begin().bind(partials);
  bindResult(launcher, out);
  launcher.word(total).word(parts).word(rows).word(columns);
  out.pack(launcher);
  launcher.launch(pipeline, groupsFor(total));
}
