/** @file Batch norm by the batch's own statistics, and its gradients: a workgroup for each channel, over (N, S). */
import type { AcceleratedKernels } from '@tessera/core/backend';
import type { Context } from '../kernels/context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { Parameters, type Stored } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { lanesFor, rowGroups, rowKernel, viewText } from './rows.js';

type Kernels = AcceleratedKernels<WebGpuBuffer>;

const floats = (count: number): Stored[] => new Array<Stored>(count).fill('f32');
const present = (views: readonly (GpuView | null)[]): GpuView[] => views.filter((view) => view !== null);
const distinct = (views: readonly GpuView[]): boolean => new Set(views.map((view) => view.buffer)).size === views.length;

/** A view (N, C, S) at the j-th element of channel `row`. */
function channelText(p: Parameters, spatial: string): string {
  const offset = p.i();
  const [n, c, s] = p.ints(3);
  return `u32(${offset} + i32(j / ${spatial}) * ${n} + i32(row) * ${c} + i32(j % ${spatial}) * ${s})`;
}

export function createBatchNorm(context: Context): Pick<Kernels, 'batchNorm' | 'batchNormGrad'> {
  const { launcher } = context;
  return {
    batchNorm(input, weight, bias, out, mean, variance, eps) {
      const reads = present([input, weight, bias]);
      const writes = [out, mean, variance];
      if (input.dtype !== 'float32' || !distinct([...reads, ...writes])) return false;
      const [batch, channels, spatial] = input.shape;
      const count = batch * spatial;
      const lanes = lanesFor(channels, count);
      const pipeline = launcher.pipeline(`batchNorm ${lanes} ${weight !== null} ${bias !== null}`, () => {
        const p = new Parameters();
        const [m, n, s] = p.uints(3);
        const epsilon = p.f();
        const x = `b0[${channelText(p, s)}]`;
        const w = weight === null ? null : viewText(p, 1);
        const b = bias === null ? null : viewText(p, 1);
        const y = channelText(p, s);
        const [mu, v] = [viewText(p, 1), viewText(p, 1)];
        const k = reads.length;
        return rowKernel(
          { label: 'batchNorm', reads: floats(k), writes: floats(3), subgroups: launcher.subgroups },
          lanes,
          m,
          n,
          (row) => `var mean = 0.0;
${row.each(`mean += ${x};`)}
${row.sum('mean')}
mean = mean / f32(${n});
var square = 0.0;
${row.each(`let d = ${x} - mean; square += d * d;`)}
${row.sum('square')}
let variance = square / f32(${n});
let scale = ${w === null ? '1.0' : `b1[${w('row')}]`} / k_sqrt(variance + ${epsilon});
let shift = ${b === null ? '0.0' : `b${k - 1}[${b('row')}]`};
${row.each(`b${k}[${y}] = (${x} - mean) * scale + shift;`)}
${row.once(`b${k + 1}[${mu('row')}] = mean; b${k + 2}[${v('row')}] = variance;`)}`,
        );
      });
      launcher.begin();
      for (const view of [...reads, ...writes]) launcher.bind(view.buffer);
      launcher.word(channels).word(count).word(spatial).float(eps);
      for (const view of [...reads, ...writes]) launcher.word(view.offset).list(view.strides);
      launcher.launch(pipeline, rowGroups(channels, lanes));
      return true;
    },

    batchNormGrad(gradOut, input, weight, mean, variance, eps, gradInput, gradWeight, gradBias) {
      const reads = present([gradOut, input, mean, variance, weight]);
      const writes = present([gradInput, gradWeight, gradBias]);
      if (input.dtype !== 'float32' || !distinct([...reads, ...writes])) return false;
      const [batch, channels, spatial] = input.shape;
      const count = batch * spatial;
      const lanes = lanesFor(channels, count);
      const key = [weight, gradInput, gradWeight, gradBias].map((view) => view !== null).join(' ');
      const pipeline = launcher.pipeline(`batchNormGrad ${lanes} ${key}`, () => {
        const p = new Parameters();
        const [m, n, s] = p.uints(3);
        const epsilon = p.f();
        const g = `b0[${channelText(p, s)}]`;
        const x = `b1[${channelText(p, s)}]`;
        const [mu, v] = [viewText(p, 1), viewText(p, 1)];
        const w = weight === null ? null : viewText(p, 1);
        let binding = reads.length;
        const out = gradInput === null ? null : `b${binding++}[${channelText(p, s)}]`;
        const gw = gradWeight === null ? null : `b${binding++}[${viewText(p, 1)('row')}]`;
        const gb = gradBias === null ? null : `b${binding++}[${viewText(p, 1)('row')}]`;
        return rowKernel(
          { label: 'batchNormGrad', reads: floats(reads.length), writes: floats(writes.length), subgroups: launcher.subgroups },
          lanes,
          m,
          n,
          (row) => `let mean = b2[${mu('row')}];
let rstd = 1.0 / k_sqrt(b3[${v('row')}] + ${epsilon});
var first = 0.0;
var second = 0.0;
${row.each(`let grad = ${g}; first += grad; second += grad * (${x} - mean) * rstd;`)}
${row.sum('first')}
${row.sum('second')}
${row.once(`${gw === null ? '' : `${gw} = second;`} ${gb === null ? '' : `${gb} = first;`}`)}
${
  out === null
    ? ''
    : `let scale = rstd${w === null ? '' : ` * b4[${w('row')}]`};
let a = first / f32(${n});
let b = second / f32(${n});
${row.each(`${out} = scale * (${g} - a - (${x} - mean) * rstd * b);`)}`
}`,
        );
      });
      launcher.begin();
      for (const view of [...reads, ...writes]) launcher.bind(view.buffer);
      launcher.word(channels).word(count).word(spatial).float(eps);
      for (const view of [...reads, ...writes]) launcher.word(view.offset).list(view.strides);
      launcher.launch(pipeline, rowGroups(channels, lanes));
      return true;
    },
  };
}
