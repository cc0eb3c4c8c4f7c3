/**
 * @file The gradients of attention. The shares P = exp(scores − logsumexp) are computed again, as a product that stores them so; another gives
 * dS = P (gradOut · valueᵀ − D) scale with D the row sums of gradOut · out; three more give the gradients. For part of the batch at a time.
 */
import type { AcceleratedKernels } from '@tessera/core/backend';
import { type Context, groupsFor, WORKGROUP } from '../kernels/context.js';
import { matrixOperand, product } from '../kernels/matmul.js';
import type { Operand } from '../kernels/operand.js';
import { launchProduct } from '../kernels/product.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { cubeText } from './attention.js';
import { maskFunction, maskKey, maskStored, packMask } from './attention-mask.js';

/** Elements that P and dS may each have at a time. */
const ELEMENTS = 1 << 24;

export function createAttentionGrad(context: Context): AcceleratedKernels<WebGpuBuffer>['attentionGrad'] {
  return (gradOut, query, key, value, mask, causal, scale, out, logsumexp, gradQuery, gradKey, gradValue) => {
    const [batch, queries] = query.shape;
    const keys = key.shape[1];
    const maskFits = mask === null || mask.dtype === 'float32' || mask.dtype === 'bool';
    if (query.dtype !== 'float32' || !maskFits || queries * keys > ELEMENTS * 8) return false;
    const step = Math.max(1, Math.min(batch, Math.floor(ELEMENTS / (queries * keys))));
    const dense = (columns: number, rows: number): GpuView => ({
      buffer: context.scratch('float32', step * rows * columns),
      dtype: 'float32',
      shape: [step, rows, columns],
      strides: [rows * columns, columns, 1],
      offset: 0,
    });
    const shares = dense(keys, queries);
    const scores = dense(keys, queries);
    const sums = dense(1, queries);
    for (let start = 0; start < batch; start += step) {
      const count = Math.min(step, batch - start);
      const part = (view: GpuView): GpuView => ({
        ...view,
        shape: [count, ...view.shape.slice(1)],
        offset: view.offset + start * view.strides[0],
      });
      const own = (view: GpuView): GpuView => ({ ...view, shape: [count, ...view.shape.slice(1)] });
      const [g, q, k, v, o] = [gradOut, query, key, value, out].map(part);
      rowDots(context, g, o, own(sums));
      const m = mask === null ? null : part(mask);
      pairs(context, 'attentionGrad, shares', q, swapped(k), storeShares(own(shares), part(logsumexp), m, causal, scale));
      pairs(context, 'attentionGrad, scores', g, swapped(v), storeScores(own(scores), own(shares), own(sums), scale));
      product(context, 'attentionGrad, query', own(scores), k, part(gradQuery), null);
      product(context, 'attentionGrad, key', swapped(own(scores)), q, part(gradKey), null);
      product(context, 'attentionGrad, value', swapped(own(shares)), g, part(gradValue), null);
    }
    context.release();
    return true;
  };
}

const swapped = (view: GpuView): GpuView => {
  const [b, i, j] = view.shape;
  const [s, t, u] = view.strides;
  return { ...view, shape: [b, j, i], strides: [s, u, t] };
};

function pairs(context: Context, label: string, a: GpuView, b: GpuView, out: Operand): void {
  launchProduct(context, {
    label,
    type: 'f32',
    batch: a.shape[0],
    rows: a.shape[1],
    columns: b.shape[2],
    inner: a.shape[2],
    a: matrixOperand(a, 'a'),
    b: matrixOperand(b, 'b'),
    aRowsFast: Math.abs(a.strides[1]) < Math.abs(a.strides[2]),
    bColumnsFast: Math.abs(b.strides[2]) <= Math.abs(b.strides[1]),
    out,
  });
}

/** Stores exp(scale · value + mask − logsumexp). */
function storeShares(target: GpuView, logsumexp: GpuView, mask: GpuView | null, causal: boolean, scale: number): Operand {
  return {
    buffers: [target.buffer, logsumexp.buffer, ...(mask === null ? [] : [mask.buffer])],
    stored: ['f32', 'f32', ...maskStored(mask)],
    key: `shares ${maskKey(mask)}`,
    pack: (launcher) => {
      launcher.word(target.shape[1]).word(target.shape[2]).float(scale).word(logsumexp.offset).list(logsumexp.strides);
      packMask(launcher, mask, causal);
    },
    text: (p, [out, lse, m]) => {
      const [rows, columns] = p.uints(2);
      const factor = p.f();
      const offset = p.i();
      const [s, t] = p.ints(2);
      return `${maskFunction(p, mask, m)}
fn store(batch: u32, i: u32, j: u32, value: f32) {
let score = masked(batch, i, j, value * ${factor});
var share = 0.0;
if (!unseen(score)) { share = k_exp(score - ${lse}[u32(${offset} + i32(batch) * ${s} + i32(i) * ${t})]); }
${out}[(batch * ${rows} + i) * ${columns} + j] = share;
}`;
    },
  };
}

/** Stores share · (value − sum of the row) · scale. */
function storeScores(target: GpuView, shares: GpuView, sums: GpuView, scale: number): Operand {
  return {
    buffers: [target.buffer, shares.buffer, sums.buffer],
    stored: ['f32', 'f32', 'f32'],
    key: 'scores',
    pack: (launcher) => void launcher.word(target.shape[1]).word(target.shape[2]).float(scale),
    text: (p, [out, share, sum]) => {
      const [rows, columns] = p.uints(2);
      const factor = p.f();
      return `fn store(batch: u32, i: u32, j: u32, value: f32) {
let row = batch * ${rows} + i; let o = row * ${columns} + j;
${out}[o] = ${share}[o] * (value - ${sum}[row]) * ${factor};
}`;
    },
  };
}

/** sums[b][i] = Σ_j a[b][i][j] · b[b][i][j]. */
function rowDots({ launcher }: Context, a: GpuView, b: GpuView, sums: GpuView): void {
  const [batch, rows, columns] = a.shape;
  const pipeline = launcher.pipeline('attentionGrad-rows', () => {
    const p = new Parameters();
    const [all, m, n] = p.uints(3);
    const [x, y] = [cubeText(p), cubeText(p)];
    return kernelSource({
      label: 'attentionGrad, rows',
      reads: ['f32', 'f32'],
      writes: ['f32'],
      workgroup: WORKGROUP,
      body: `if (id >= ${all}) { return; }
let batch = id / ${m}; let i = id % ${m};
var sum = 0.0;
for (var j = 0u; j < ${n}; j++) { sum += b0[${x('batch', 'i', 'j')}] * b1[${y('batch', 'i', 'j')}]; }
b2[id] = sum;`,
    });
  });
  launcher
    .begin()
    .bind(a.buffer)
    .bind(b.buffer)
    .bind(sums.buffer)
    .word(batch * rows)
    .word(rows)
    .word(columns);
  for (const view of [a, b]) launcher.word(view.offset).list(view.strides);
  launcher.launch(pipeline, groupsFor(batch * rows));
}
