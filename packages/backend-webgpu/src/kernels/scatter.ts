/**
 * @file The scatter kernel, with the same result each time. Sources collide only within a line along `dim`. Short lines are walked by one
 * invocation each, in order. For long ones the indices are sorted stably first; then whoever holds the first source of a target takes
 * all of them, in order: the sums are those of a sequential loop, bit for bit.
 */
import type { DType, RequiredKernels, ScatterKind } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { isNarrow, loadElement, PER_WORD, storedAs, wordBits } from '../wgsl/elements.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { type Context, groupsFor, WORKGROUP } from './context.js';
import { flagFunction } from './flags.js';
import { lineParameters, linesOf, packLines } from './lines.js';
import { sortLines } from './sort-keys.js';
import { storeAtomic } from './store-narrow.js';

const WALKERS = 64;
/** Lines up to this length are walked. */
const SHORT = 64;

export function createScatter(context: Context): RequiredKernels<WebGpuBuffer>['scatter'] {
  return (kind, indices, source, dim, out) => {
    // The lines run over the source's other dims; the target agrees with it there.
    const length = source.shape[dim];
    if (length <= SHORT) walk(context, kind, indices, source, dim, out);
    else sorted(context, kind, indices, source, dim, out);
    context.release();
  };
}

/** `sum` (the target's value) and the source's element at `o`, combined. */
function combined(kind: ScatterKind, dtype: DType): string {
  const value = loadElement('b1', dtype, 'o');
  const float = dtype === 'float32';
  switch (kind) {
    case 'set':
      return value;
    case 'add':
      return `sum + ${value}`;
    case 'mul':
      return `sum * ${value}`;
    default:
      return `${float ? 'k_' : ''}${kind}(sum, ${value})`;
  }
}

/** Statements that write `sum` to the target's element `t`. */
function written(binding: string, dtype: DType, value: string): string {
  return isNarrow(dtype) ? storeAtomic(binding, 't', wordBits(value, dtype), PER_WORD[dtype] as 2 | 4) : `${binding}[t] = ${value};`;
}

const targetType = (dtype: DType): 'atomic' | 'f32' | 'i32' => (isNarrow(dtype) ? 'atomic' : (storedAs(dtype) as 'f32' | 'i32'));

function walk(context: Context, kind: ScatterKind, indices: GpuView, source: GpuView, dim: number, out: GpuView): void {
  const { launcher } = context;
  const { dtype } = source;
  const lines = linesOf(dim, [indices, source, out]);
  const pipeline = launcher.pipeline(`scatter-walk ${kind} ${dtype} ${lines.rank}`, () => {
    const p = new Parameters();
    const [count, size, bound] = p.uints(3);
    const text = lineParameters(p, lines.rank, 3, 'line');
    const step =
      kind === 'set'
        ? written('b2', dtype, loadElement('b1', dtype, 'o'))
        : `let sum = b2[t]; ${written('b2', dtype, combined(kind, dtype))}`;
    return kernelSource({
      label: `scatter ${kind}`,
      reads: ['i32', storedAs(dtype)],
      writes: [targetType(dtype), 'atomic'],
      workgroup: WALKERS,
      head: flagFunction('scatter', 'b3'),
      body: `if (id >= ${count}) { return; }
let line = id;
${text.bases}
for (var j = 0u; j < ${size}; j++) {
let index = checked(b0[${text.at(0, 'j')}], i32(${bound}));
if (index < 0) { continue; }
let o = ${text.at(1, 'j')};
let t = ${text.at(2, 'u32(index)')};
${step}
}`,
    });
  });
  launcher.begin().bind(indices.buffer).bind(source.buffer).bind(out.buffer).bindFlags();
  launcher.word(lines.count).word(source.shape[dim]).word(out.shape[dim]);
  packLines(launcher, lines);
  launcher.launch(pipeline, Math.ceil(lines.count / WALKERS));
}

function sorted(context: Context, kind: ScatterKind, indices: GpuView, source: GpuView, dim: number, out: GpuView): void {
  const { launcher } = context;
  const { dtype } = source;
  const length = source.shape[dim];
  // One list of indices for all lines (the rows of an embedding) is sorted once.
  const one = indices.strides.every((stride, d) => d === dim || stride === 0 || indices.shape[d] === 1);
  const list: GpuView = one
    ? { ...indices, shape: indices.shape.map((size, d) => (d === dim ? size : 1)), strides: indices.strides }
    : indices;
  const order = sortLines(context, list, dim, false);
  const lines = linesOf(dim, [source, out]);
  const pipeline = launcher.pipeline(`scatter-sorted ${kind} ${dtype} ${lines.rank}`, () => {
    const p = new Parameters();
    const [all, size, bound, stride, count] = p.uints(5);
    const text = lineParameters(p, lines.rank, 2, 'line');
    return kernelSource({
      label: `scatter ${kind}, sorted`,
      reads: ['u32', storedAs(dtype), 'u32'],
      writes: [targetType(dtype), 'atomic'],
      workgroup: WORKGROUP,
      head: flagFunction('scatter', 'b4'),
      body: `if (id >= ${all}) { return; }
let line = id % ${count};
let start = id / ${count};
let list = line * ${stride};
let key = b0[list + start];
if (start > 0u && b0[list + start - 1u] == key) { return; }
let index = checked(bitcast<i32>(key ^ 0x80000000u), i32(${bound}));
if (index < 0) { return; }
${text.bases}
let t = ${text.at(1, 'u32(index)')};
${
  kind === 'set'
    ? `var last = start;
while (last + 1u < ${size} && b0[list + last + 1u] == key) { last++; }
let o = ${text.at(0, 'b2[list + last]')};
${written('b3', dtype, loadElement('b1', dtype, 'o'))}`
    : `var sum = b3[t];
for (var k = start; k < ${size} && b0[list + k] == key; k++) {
let o = ${text.at(0, 'b2[list + k]')};
sum = ${combined(kind, dtype)};
}
b3[t] = sum;`
}`,
    });
  });
  launcher.begin().bind(order.keys).bind(source.buffer).bind(order.places).bind(out.buffer).bindFlags();
  const total = lines.count * length;
  launcher
    .word(total)
    .word(length)
    .word(out.shape[dim])
    .word(one ? 0 : order.stride)
    .word(lines.count);
  packLines(launcher, lines);
  launcher.launch(pipeline, groupsFor(total));
}
