/** @file Layer norm and root-mean-square norm over rows, and their gradients. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import { type Context, groupsFor } from '../kernels/context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { kernelSource, Parameters, type Stored } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { lanesFor, rowGroups, rowKernel, viewText } from './rows.js';

type Kernels = AcceleratedKernels<WebGpuBuffer>;

const floats = (count: number): Stored[] => new Array<Stored>(count).fill('f32');
const present = (views: readonly (GpuView | null)[]): GpuView[] => views.filter((view) => view !== null);
const distinct = (views: readonly GpuView[]): boolean => new Set(views.map((view) => view.buffer)).size === views.length;

/** Rows that one invocation of the column sums walks over at most. */
const CHUNK = 128;

export function createLayerNorm(context: Context): Pick<Kernels, 'layerNorm' | 'layerNormGrad'> {
  const { launcher } = context;
  return {
    layerNorm(input, weight, bias, out, mean, rstd, eps) {
      const reads = present([input, weight, bias]);
      const writes = present([out, mean, rstd]);
      if (input.dtype !== 'float32' || !distinct(writes) || writes.some((view) => view.buffer === input.buffer)) return false;
      const [rows, columns] = input.shape;
      const lanes = lanesFor(rows, columns);
      const key = `${weight !== null} ${bias !== null} ${mean !== null}`;
      const pipeline = launcher.pipeline(`layerNorm ${lanes} ${key}`, () => {
        const p = new Parameters();
        const [m, n] = p.uints(2);
        const epsilon = p.f();
        let binding = 0;
        const bound = (view: GpuView | null): { name: string; at: ReturnType<typeof viewText> } | null =>
          view === null ? null : { name: `b${binding++}`, at: viewText(p, view.shape.length as 1 | 2) };
        const x = bound(input)!;
        const w = bound(weight);
        const b = bound(bias);
        const y = bound(out)!;
        const mu = bound(mean);
        const r = bound(rstd)!;
        const value = `b0[${x.at('row', 'j')}]`;
        return rowKernel(
          {
            label: mean === null ? 'rmsNorm' : 'layerNorm',
            reads: floats(reads.length),
            writes: floats(writes.length),
            subgroups: launcher.subgroups,
          },
          lanes,
          m,
          n,
          (row) => `var mean = 0.0;
${mu === null ? '' : `${row.each(`mean += ${value};`)}\n${row.sum('mean')}\nmean = mean / f32(${n});`}
var square = 0.0;
${row.each(`let d = ${value} - mean; square += d * d;`)}
${row.sum('square')}
let rstd = 1.0 / k_sqrt(square / f32(${n}) + ${epsilon});
${row.each(`${y.name}[${y.at('row', 'j')}] = (${value} - mean) * rstd${w === null ? '' : ` * ${w.name}[${w.at('j')}]`}${b === null ? '' : ` + ${b.name}[${b.at('j')}]`};`)}
${row.once(`${mu === null ? '' : `${mu.name}[${mu.at('row')}] = mean;`} ${r.name}[${r.at('row')}] = rstd;`)}`,
        );
      });
      launcher.begin();
      for (const view of [...reads, ...writes]) launcher.bind(view.buffer);
      launcher.word(rows).word(columns).float(eps);
      for (const view of [...reads, ...writes]) launcher.word(view.offset).list(view.strides);
      launcher.launch(pipeline, rowGroups(rows, lanes));
      return true;
    },

    layerNormGrad(gradOut, input, weight, mean, rstd, gradInput, gradWeight, gradBias) {
      const reads = present([gradOut, input, weight, mean, rstd]);
      const writes = present([gradInput, gradWeight, gradBias]);
      if (input.dtype !== 'float32' || !distinct([...reads, ...writes])) return false;
      if (gradInput !== null) inputGrad(context, gradOut, input, weight, mean, rstd, gradInput);
      if (gradWeight !== null || gradBias !== null) columnSums(context, gradOut, input, mean, rstd, gradWeight, gradBias);
      context.release();
      return true;
    },
  };
}

/** rstd · (h − mean(h) − x̂ · mean(h · x̂)) with h = gradOut · weight; without the middle term where there is no mean. */
function inputGrad(
  { launcher }: Context,
  gradOut: GpuView,
  input: GpuView,
  weight: GpuView | null,
  mean: GpuView | null,
  rstd: GpuView,
  gradInput: GpuView,
): void {
  const [rows, columns] = input.shape;
  const lanes = lanesFor(rows, columns);
  const views = present([gradOut, input, rstd, weight, mean]);
  const pipeline = launcher.pipeline(`layerNormGrad ${lanes} ${weight !== null} ${mean !== null}`, () => {
    const p = new Parameters();
    const [m, n] = p.uints(2);
    const g = viewText(p, 2);
    const x = viewText(p, 2);
    const r = viewText(p, 1);
    const w = weight === null ? null : viewText(p, 1);
    const mu = mean === null ? null : viewText(p, 1);
    const out = viewText(p, 2);
    const term = `let h = b0[${g('row', 'j')}]${w === null ? '' : ` * b3[${w('j')}]`}; let normal = (b1[${x('row', 'j')}] - mean) * rstd;`;
    return rowKernel(
      { label: 'layerNormGrad', reads: floats(views.length), writes: floats(1), subgroups: launcher.subgroups },
      lanes,
      m,
      n,
      (row) => `let rstd = b2[${r('row')}];
let mean = ${mu === null ? '0.0' : `b${views.length - 1}[${mu('row')}]`};
var first = 0.0;
var second = 0.0;
${row.each(`${term} first += h; second += h * normal;`)}
${row.sum('first')}
${row.sum('second')}
let a = ${mu === null ? '0.0' : `first / f32(${n})`};
let b = second / f32(${n});
${row.each(`${term} b${views.length}[${out('row', 'j')}] = rstd * (h - a - normal * b);`)}`,
    );
  });
  launcher.begin();
  for (const view of [...views, gradInput]) launcher.bind(view.buffer);
  launcher.word(rows).word(columns);
  for (const view of [...views, gradInput]) launcher.word(view.offset).list(view.strides);
  launcher.launch(pipeline, rowGroups(rows, lanes));
}

/** Σ gradOut · x̂ and Σ gradOut over the rows, in runs of rows first. */
function columnSums(
  context: Context,
  gradOut: GpuView,
  input: GpuView,
  mean: GpuView | null,
  rstd: GpuView,
  gradWeight: GpuView | null,
  gradBias: GpuView | null,
): void {
  const { launcher } = context;
  const [rows, columns] = input.shape;
  const chunks = Math.ceil(rows / CHUNK);
  const parts = context.scratch('float32', chunks * columns * 2);
  const views = present([gradOut, input, rstd, mean]);
  const partial = launcher.pipeline(`layerNorm-columns ${mean !== null}`, () => {
    const p = new Parameters();
    const [m, n, count] = p.uints(3);
    const g = viewText(p, 2);
    const x = viewText(p, 2);
    const r = viewText(p, 1);
    const mu = mean === null ? null : viewText(p, 1);
    return kernelSource({
      label: 'layerNormGrad, columns',
      reads: floats(views.length),
      writes: floats(1),
      workgroup: 64,
      body: `if (id >= ${count} * ${n}) { return; }
let j = id % ${n};
let start = (id / ${n}) * ${CHUNK}u;
var weight = 0.0;
var bias = 0.0;
for (var row = start; row < min(start + ${CHUNK}u, ${m}); row++) {
let grad = b0[${g('row', 'j')}];
weight += grad * (b1[${x('row', 'j')}] - ${mu === null ? '0.0' : `b3[${mu('row')}]`}) * b2[${r('row')}];
bias += grad;
}
b${views.length}[id * 2u] = weight;
b${views.length}[id * 2u + 1u] = bias;`,
    });
  });
  launcher.begin();
  for (const view of views) launcher.bind(view.buffer);
  launcher.bind(parts).word(rows).word(columns).word(chunks);
  for (const view of views) launcher.word(view.offset).list(view.strides);
  launcher.launch(partial, Math.ceil((chunks * columns) / 64));
  const results = present([gradWeight, gradBias]);
  const total = launcher.pipeline(`layerNorm-columns-total ${gradWeight !== null} ${gradBias !== null}`, () => {
    const p = new Parameters();
    const [n, count] = p.uints(2);
    const outs = results.map(() => viewText(p, 1));
    const store = results.map((_, i) => `b${i + 1}[${outs[i]('id')}] = ${i === 0 && gradWeight !== null ? 'weight' : 'bias'};`);
    return kernelSource({
      label: 'layerNormGrad, sums of columns',
      reads: floats(1),
      writes: floats(results.length),
      workgroup: 256,
      body: `if (id >= ${n}) { return; }
var weight = 0.0;
var bias = 0.0;
for (var chunk = 0u; chunk < ${count}; chunk++) { let o = (chunk * ${n} + id) * 2u; weight += b0[o]; bias += b0[o + 1u]; }
${store.join('\n')}`,
    });
  });
  launcher.begin().bind(parts);
  for (const view of results) launcher.bind(view.buffer);
  launcher.word(columns).word(chunks);
  for (const view of results) launcher.word(view.offset).list(view.strides);
  launcher.launch(total, groupsFor(columns));
}
