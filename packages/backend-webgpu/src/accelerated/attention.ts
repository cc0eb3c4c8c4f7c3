/**
 * @file Attention with a running softmax (Milakov and Gimelshein, 2018; Dao et al., 2022): a workgroup takes eight queries and walks over the
 * keys, 64 at a time. A lane computes the scores of one key for all eight, then sums some columns of the values. Scores are never written.
 */
import type { AcceleratedKernels } from '@tessera/core/backend';
import type { Context } from '../kernels/context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { kernelSource, Parameters, type Stored } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { maskFunction, maskKey, maskStored, packMask } from './attention-mask.js';

const LANES = 64;
const QUERIES = 8;
/** The widest keys and values; others go to core's decomposition. */
const WIDEST = 256;

/** A view of rank 3 at expressions. */
export function cubeText(p: Parameters): (b: string, i: string, j: string) => string {
  const offset = p.i();
  const [s, t, u] = p.ints(3);
  return (b, i, j) => `u32(${offset} + i32(${b}) * ${s} + i32(${i}) * ${t} + i32(${j}) * ${u})`;
}

export function createAttention({ launcher }: Context): AcceleratedKernels<WebGpuBuffer>['attention'] {
  return (query, key, value, mask, causal, scale, out, logsumexp) => {
    const [batch, queries, width] = query.shape;
    const [, keys, columns] = value.shape;
    const maskFits = mask === null || mask.dtype === 'float32' || mask.dtype === 'bool';
    if (query.dtype !== 'float32' || !maskFits || width > WIDEST || columns > WIDEST) return false;
    const blocks = Math.ceil(columns / LANES);
    const pipeline = launcher.pipeline(`attention ${blocks} ${maskKey(mask)}`, () => source(blocks, mask));
    launcher.begin().bind(query.buffer).bind(key.buffer).bind(value.buffer);
    if (mask !== null) launcher.bind(mask.buffer);
    launcher.bind(out.buffer).bind(logsumexp.buffer);
    launcher.word(batch).word(queries).word(keys).word(width).word(columns).float(scale);
    for (const view of [query, key, value, out]) launcher.word(view.offset).list(view.strides);
    launcher.word(logsumexp.offset).list(logsumexp.strides);
    packMask(launcher, mask, causal);
    launcher.launch(pipeline, batch * Math.ceil(queries / QUERIES));
    return true;
  };
}

function source(blocks: number, mask: GpuView | null): ReturnType<typeof kernelSource> {
  const p = new Parameters();
  const [batches, queries, keys, width, columns] = p.uints(5);
  const scale = p.f();
  const [q, k, v, o] = [cubeText(p), cubeText(p), cubeText(p), cubeText(p)];
  const lse = [p.i(), ...p.ints(2)];
  const masked = maskFunction(p, mask, 'b3');
  const reads: Stored[] = ['f32', 'f32', 'f32', ...maskStored(mask)];
  const [outName, lseName] = [`b${reads.length}`, `b${reads.length + 1}`];
  const rows = Array.from({ length: QUERIES }, (_, r) => r);
  const half = (r: number): string => `${r < 4 ? 'a' : 'b'}.${'xyzw'[r % 4]}`;
  const each = (fn: (r: number) => string): string => rows.map(fn).join('\n');
  const columnBlocks = Array.from({ length: blocks }, (_, t) => t);
  const tree = (combine: string): string => `for (var step = ${LANES / 2}u; step > 0u; step >>= 1u) {
if (lane < step) { for (var h = 0u; h < 2u; h++) { let x = pool[lane * 2u + h]; let y = pool[(lane + step) * 2u + h]; pool[lane * 2u + h] = ${combine}; } }
workgroupBarrier();
}`;
  return kernelSource({
    label: 'attention',
    reads,
    writes: ['f32', 'f32'],
    workgroup: LANES,
    head: `${masked}
var<workgroup> qs: array<vec4f, ${WIDEST * 2}>;
var<workgroup> shares: array<vec4f, ${LANES * 2}>;
var<workgroup> pool: array<vec4f, ${LANES * 2}>;
fn share(score: f32, most: f32) -> f32 { if (unseen(score)) { return 0.0; } return k_exp(score - most); }
fn shares_of(s: vec4f, m: vec4f) -> vec4f { return vec4f(share(s.x, m.x), share(s.y, m.y), share(s.z, m.z), share(s.w, m.w)); }`,
    body: `let blocks = (${queries} + ${QUERIES - 1}u) / ${QUERIES}u;
let batch = min(group / blocks, ${batches} - 1u);
let first = (group % blocks) * ${QUERIES}u;
for (var i = lane; i < ${width} * 2u; i += ${LANES}u) {
let e = i / 2u; let row = first + (i % 2u) * 4u;
var x = vec4f();
for (var r = 0u; r < 4u; r++) { if (row + r < ${queries}) { x[r] = b0[${q('batch', 'row + r', 'e')}] * ${scale}; } }
qs[i] = x;
}
workgroupBarrier();
let least = k_neg(k_inf());
var ma = vec4f(least); var mb = vec4f(least);
var la = vec4f(); var lb = vec4f();
${columnBlocks.map((t) => `var xa${t} = vec4f(); var xb${t} = vec4f();`).join('\n')}
for (var key0 = 0u; key0 < ${keys}; key0 += ${LANES}u) {
let j = key0 + lane;
var a = vec4f(least); var b = vec4f(least);
if (j < ${keys}) {
a = vec4f(); b = vec4f();
for (var e = 0u; e < ${width}; e++) { let x = b1[${k('batch', 'j', 'e')}]; a += x * qs[e * 2u]; b += x * qs[e * 2u + 1u]; }
${each((r) => `if (first + ${r}u < ${queries}) { ${half(r)} = masked(batch, first + ${r}u, j, ${half(r)}); }`)}
}
pool[lane * 2u] = a; pool[lane * 2u + 1u] = b;
workgroupBarrier();
${tree('max(x, y)')}
let na = max(ma, pool[0]); let nb = max(mb, pool[1]);
let fa = shares_of(ma, na); let fb = shares_of(mb, nb);
ma = na; mb = nb;
let pa = shares_of(a, ma); let pb = shares_of(b, mb);
la = la * fa + pa; lb = lb * fb + pb;
shares[lane * 2u] = pa; shares[lane * 2u + 1u] = pb;
workgroupBarrier();
let count = min(${keys} - key0, ${LANES}u);
${columnBlocks
  .map(
    (t) => `if (lane + ${t * LANES}u < ${columns}) {
xa${t} *= fa; xb${t} *= fb;
for (var i = 0u; i < count; i++) { let x = b2[${v('batch', 'key0 + i', `lane + ${t * LANES}u`)}]; xa${t} += x * shares[i * 2u]; xb${t} += x * shares[i * 2u + 1u]; }
}`,
  )
  .join('\n')}
workgroupBarrier();
}
pool[lane * 2u] = la; pool[lane * 2u + 1u] = lb;
workgroupBarrier();
${tree('x + y')}
let sa = pool[0]; let sb = pool[1];
${columnBlocks
  .map(
    (t) => `if (lane + ${t * LANES}u < ${columns}) {
let a = xa${t} / sa; let b = xb${t} / sb;
${each((r) => `if (first + ${r}u < ${queries}) { ${outName}[${o('batch', `first + ${r}u`, `lane + ${t * LANES}u`)}] = ${half(r)}; }`)}
}`,
  )
  .join('\n')}
if (lane < ${QUERIES}u && first + lane < ${queries}) {
let h = lane / 4u;
let most = select(ma[lane % 4u], mb[lane % 4u], h == 1u);
let sum = select(sa[lane % 4u], sb[lane % 4u], h == 1u);
${lseName}[u32(${lse[0]} + i32(batch) * ${lse[1]} + i32(first + lane) * ${lse[2]})] = most + k_log(sum);
}`,
  });
}
