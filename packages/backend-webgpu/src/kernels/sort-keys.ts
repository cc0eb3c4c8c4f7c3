/**
 * @file Sorting of lines by 32-bit keys. The place in the line breaks ties, so that any order of comparing (a bitonic network here) sorts
 * stably. Keys and places lie in two scratch arrays, padded to a power of two a line with what sorts to the end.
 */
import type { DType } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { loadElement, storedAs } from '../wgsl/elements.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { type Context, groupsFor, WORKGROUP } from './context.js';
import { lineParameters, linesOf, packLines } from './lines.js';

/** Pairs that a workgroup sorts in its shared memory: 8 bytes each. */
const BLOCK = 1024;
const LANES = 256;

export interface SortedLines {
  readonly keys: WebGpuBuffer;
  readonly places: WebGpuBuffer;
  /** From one line to the next. */
  readonly stride: number;
  readonly lines: number;
}

/** Keys in whose unsigned order values are sorted: NaN as the largest, both zeros as one. */
export function keyOf(value: string, dtype: DType): string {
  switch (dtype) {
    case 'float32':
      return `float_key(${value})`;
    case 'bool':
      return `select(0u, 1u, ${value})`;
    default:
      return `(bitcast<u32>(${value}) ^ 0x80000000u)`;
  }
}

export const FLOAT_KEY = `fn float_key(x: f32) -> u32 {
  let u = bitcast<u32>(x);
  if ((u & 0x7fffffffu) > 0x7f800000u) { return 0xffffffffu; }
  if ((u & 0x7fffffffu) == 0u) { return 0x80000000u; }
  return select(u | 0x80000000u, ~u, (u & 0x80000000u) != 0u);
}`;

/** The lines of `input` along `dim`, sorted. The arrays are scratch memory of the context. */
export function sortLines(context: Context, input: GpuView, dim: number, descending: boolean): SortedLines {
  const { launcher } = context;
  const length = input.shape[dim];
  const lines = linesOf(dim, [input]);
  let stride = 1;
  while (stride < length) stride *= 2;
  const total = stride * lines.count;
  const keys = context.scratch('int32', total);
  const places = context.scratch('int32', total);
  const { dtype } = input;

  const fill = launcher.pipeline(`sort-keys ${dtype} ${lines.rank}`, () => {
    const p = new Parameters();
    const [all, size, padded, flip] = p.uints(4);
    const text = lineParameters(p, lines.rank, 1, 'line');
    return kernelSource({
      label: `sort, keys of ${dtype}`,
      reads: [storedAs(dtype)],
      writes: ['u32', 'u32'],
      workgroup: WORKGROUP,
      head: dtype === 'float32' ? FLOAT_KEY : '',
      body: `if (id >= ${all}) { return; }
let line = id / ${padded};
let j = id % ${padded};
b2[id] = j;
if (j >= ${size}) { b1[id] = 0xffffffffu; return; }
${text.bases}
let o = ${text.at(0, 'j')};
b1[id] = ${keyOf(loadElement('b0', dtype, 'o'), dtype)} ^ ${flip};`,
    });
  });
  launcher
    .begin()
    .bind(input.buffer)
    .bind(keys)
    .bind(places)
    .word(total)
    .word(length)
    .word(stride)
    .word(descending ? 0xffffffff : 0);
  packLines(launcher, lines);
  launcher.launch(fill, groupsFor(total));
  network(context, keys, places, stride, total);
  return { keys, places, stride, lines: lines.count };
}

/** Does the pair at the lower place come after the other? */
export const AFTER = `fn after(ka: u32, pa: u32, kb: u32, pb: u32) -> bool { return ka > kb || (ka == kb && pa > pb); }`;

function network({ launcher }: Context, keys: WebGpuBuffer, places: WebGpuBuffer, stride: number, total: number): void {
  const block = Math.min(BLOCK, stride);
  if (stride === 1) return;
  // All stages that stay within a block, for stage sizes `from` to `to`; a stage larger than the block begins at half a block.
  const local = launcher.pipeline(`sort-local ${block}`, () => {
    const p = new Parameters();
    const [from, to] = p.uints(2);
    return kernelSource({
      label: 'sort, within blocks',
      reads: [],
      writes: ['u32', 'u32'],
      workgroup: LANES,
      head: `${AFTER}\nvar<workgroup> ks: array<u32, ${block}>;\nvar<workgroup> ps: array<u32, ${block}>;`,
      body: `let start = group * ${block}u;
for (var i = lane; i < ${block}u; i += ${LANES}u) { ks[i] = b0[start + i]; ps[i] = b1[start + i]; }
workgroupBarrier();
for (var size = ${from}; size <= ${to}; size <<= 1u) {
for (var step = min(size, ${block}u) >> 1u; step > 0u; step >>= 1u) {
for (var q = lane; q < ${block / 2}u; q += ${LANES}u) {
let i = (q / step) * 2u * step + q % step;
let k = i + step;
let up = ((start + i) & size) == 0u || size == ${p.u()};
if (after(ks[i], ps[i], ks[k], ps[k]) == up) { let x = ks[i]; ks[i] = ks[k]; ks[k] = x; let y = ps[i]; ps[i] = ps[k]; ps[k] = y; }
}
workgroupBarrier();
}
}
for (var i = lane; i < ${block}u; i += ${LANES}u) { b0[start + i] = ks[i]; b1[start + i] = ps[i]; }`,
    });
  });
  const step = launcher.pipeline('sort-step', () => {
    const p = new Parameters();
    const [pairs, size, distance, last] = p.uints(4);
    return kernelSource({
      label: 'sort, across blocks',
      reads: [],
      writes: ['u32', 'u32'],
      workgroup: WORKGROUP,
      head: AFTER,
      body: `if (id >= ${pairs}) { return; }
let i = (id / ${distance}) * 2u * ${distance} + id % ${distance};
let k = i + ${distance};
let up = (i & ${size}) == 0u || ${size} == ${last};
let ka = b0[i]; let kb = b0[k]; let pa = b1[i]; let pb = b1[k];
if (after(ka, pa, kb, pb) == up) { b0[i] = kb; b0[k] = ka; b1[i] = pb; b1[k] = pa; }`,
    });
  });
  const inBlocks = (from: number, to: number): void => {
    launcher.begin().bind(keys).bind(places).word(from).word(to).word(stride);
    launcher.launch(local, total / block);
  };
  inBlocks(2, block);
  for (let size = block * 2; size <= stride; size *= 2) {
    for (let distance = size / 2; distance >= block; distance /= 2) {
      launcher
        .begin()
        .bind(keys)
        .bind(places)
        .word(total / 2)
        .word(size)
        .word(distance)
        .word(stride);
      launcher.launch(step, groupsFor(total / 2));
    }
    inBlocks(size, size);
  }
}
