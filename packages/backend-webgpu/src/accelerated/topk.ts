/**
 * @file topk: a workgroup walks over a run of a row and keeps the best in shared memory, sorted: what comes is first held against the worst of
 * them, and sorted in only where something beats it. Long rows are cut into runs whose best meet in a second launch.
 */
import type { AcceleratedKernels } from '@tessera/core/backend';
import type { Context } from '../kernels/context.js';
import { AFTER, FLOAT_KEY, keyOf } from '../kernels/sort-keys.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { storedAs } from '../wgsl/elements.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { viewText } from './rows.js';

const LANES = 256;
/** Pairs in shared memory: the best, and as many new ones as there is room for. */
const POOL = 1024;
/** More than this many are sorted with the whole row. */
const MOST = 256;
/** Workgroups that keep a large GPU busy, and what one of them should have to walk over at least. */
const ENOUGH_GROUPS = 192;
const RUN = 8192;

/** Where candidates come from: rows of a tensor, or keys and places that a launch before has left. */
type From = GpuView | { readonly keys: WebGpuBuffer; readonly places: WebGpuBuffer };

export function createTopk(context: Context): AcceleratedKernels<WebGpuBuffer>['topk'] {
  return (input, k, largest, values, indices) => {
    const { dtype } = input;
    if ((dtype !== 'float32' && dtype !== 'int32') || k > MOST) return false;
    if ([values, indices].some((view) => view.buffer === input.buffer) || values.buffer === indices.buffer) return false;
    const [rows, columns] = input.shape;
    // Short rows are sorted whole in one go.
    if (columns < 2 * POOL) return false;
    const runs = Math.max(1, Math.min(Math.floor(columns / RUN), Math.ceil(ENOUGH_GROUPS / rows)));
    const sorted = (): WebGpuBuffer => context.scratch('int32', rows * runs * k);
    const best = { keys: sorted(), places: sorted() };
    select(context, input, rows, columns, runs, k, largest, best);
    let last = best;
    if (runs > 1) select(context, best, rows, runs * k, 1, k, largest, (last = { keys: sorted(), places: sorted() }));
    fetch(context, input, last.places, k, values, indices);
    context.release();
    return true;
  };
}

/** The best `k` of each run of `columns` candidates a row: sorted keys and places, (rows, runs, k). */
function select(
  { launcher }: Context,
  from: From,
  rows: number,
  columns: number,
  runs: number,
  k: number,
  largest: boolean,
  out: { readonly keys: WebGpuBuffer; readonly places: WebGpuBuffer },
): void {
  const input = 'buffer' in from ? from : null;
  let kept = 1;
  while (kept < k) kept *= 2;
  const fresh = POOL - kept;
  const pipeline = launcher.pipeline(`topk ${input?.dtype ?? 'keys'} ${kept}`, () => {
    const p = new Parameters();
    const [size, perRun, runCount, wanted, total, flip] = p.uints(6);
    const x = input === null ? null : viewText(p, 2);
    const [keys, places] = input === null ? ['b2', 'b3'] : ['b1', 'b2'];
    const load =
      x === null
        ? `let o = row * ${size} + j; key = b0[o]; place = b1[o];`
        : `key = ${keyOf(`b0[${x('row', 'j')}]`, input!.dtype)} ^ ${flip}; place = j;`;
    return kernelSource({
      label: 'topk',
      reads: input === null ? ['u32', 'u32'] : [storedAs(input.dtype)],
      writes: ['u32', 'u32'],
      workgroup: LANES,
      head: `${input?.dtype === 'float32' ? FLOAT_KEY : ''}
${AFTER}
var<workgroup> ks: array<u32, ${POOL}>;
var<workgroup> ps: array<u32, ${POOL}>;
var<workgroup> found: atomic<u32>;
var<workgroup> any_found: u32;`,
      // Beyond the last run (where groups spilled over into y) the last one is done again, to the same effect.
      body: `let task = min(group, ${total} - 1u);
let row = task / ${runCount};
let begin = (task % ${runCount}) * ${perRun};
let end = min(begin + ${perRun}, ${size});
for (var i = lane; i < ${kept}u; i += ${LANES}u) { ks[i] = 0xffffffffu; ps[i] = 0xffffffffu; }
if (lane == 0u) { atomicStore(&found, 0u); }
workgroupBarrier();
for (var start = begin; start < end; start += ${fresh}u) {
for (var i = lane; i < ${fresh}u; i += ${LANES}u) {
let j = start + i;
var key = 0xffffffffu;
var place = 0xffffffffu;
if (j < end) {
${load}
if (after(ks[${kept - 1}u], ps[${kept - 1}u], key, place)) { atomicStore(&found, 1u); }
}
ks[${kept}u + i] = key; ps[${kept}u + i] = place;
}
workgroupBarrier();
if (lane == 0u) { any_found = atomicLoad(&found); }
if (workgroupUniformLoad(&any_found) == 0u) { continue; }
for (var block = 2u; block <= ${POOL}u; block <<= 1u) {
for (var step = block >> 1u; step > 0u; step >>= 1u) {
for (var q = lane; q < ${POOL / 2}u; q += ${LANES}u) {
let i = (q / step) * 2u * step + q % step;
let k = i + step;
let up = (i & block) == 0u;
if (after(ks[i], ps[i], ks[k], ps[k]) == up) { let x = ks[i]; ks[i] = ks[k]; ks[k] = x; let y = ps[i]; ps[i] = ps[k]; ps[k] = y; }
}
workgroupBarrier();
}
}
if (lane == 0u) { atomicStore(&found, 0u); }
workgroupBarrier();
}
for (var i = lane; i < ${wanted}; i += ${LANES}u) { ${keys}[task * ${wanted} + i] = ks[i]; ${places}[task * ${wanted} + i] = ps[i]; }`,
    });
  });
  const perRun = Math.ceil(columns / runs);
  launcher.begin();
  if (input === null) launcher.bind((from as { keys: WebGpuBuffer }).keys).bind((from as { places: WebGpuBuffer }).places);
  else launcher.bind(input.buffer);
  launcher.bind(out.keys).bind(out.places);
  launcher
    .word(columns)
    .word(perRun)
    .word(runs)
    .word(k)
    .word(rows * runs)
    .word(largest ? 0xffffffff : 0);
  if (input !== null) launcher.word(input.offset).list(input.strides);
  launcher.launch(pipeline, rows * runs);
}

/** The values at sorted places, and the places. */
function fetch({ launcher }: Context, input: GpuView, places: WebGpuBuffer, k: number, values: GpuView, indices: GpuView): void {
  const pipeline = launcher.pipeline(`topk-values ${input.dtype}`, () => {
    const p = new Parameters();
    const [all, wanted] = p.uints(2);
    const [x, y, z] = [viewText(p, 2), viewText(p, 2), viewText(p, 2)];
    const type = storedAs(input.dtype);
    return kernelSource({
      label: 'topk, values',
      reads: [type, 'u32'],
      writes: [type, 'i32'],
      workgroup: 64,
      body: `if (id >= ${all}) { return; }
let row = id / ${wanted};
let i = id % ${wanted};
let place = b1[id];
b2[${y('row', 'i')}] = b0[${x('row', 'place')}];
b3[${z('row', 'i')}] = i32(place);`,
    });
  });
  const total = input.shape[0] * k;
  launcher.begin().bind(input.buffer).bind(places).bind(values.buffer).bind(indices.buffer).word(total).word(k);
  for (const view of [input, values, indices]) launcher.word(view.offset).list(view.strides);
  launcher.launch(pipeline, Math.ceil(total / 64));
}
