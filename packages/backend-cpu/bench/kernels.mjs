/**
 * Times of the kernels, after a build: `node packages/backend-cpu/bench/kernels.mjs [name…]`. The smallest of several runs is what counts;
 * runs of over 2 ms are taken in CPU time where that is less, so that a shared machine disturbs them little.
 */
import { makeProgram } from '@tessera/core';
import { CpuBackend } from '../dist/index.js';

const cpu = new CpuBackend();
const { kernels } = cpu;
const only = process.argv.slice(2);

const cpuTime = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

/** Milliseconds of one call. */
function time(run) {
  run();
  const start = performance.now();
  run();
  const repeat = Math.max(1, Math.ceil(0.5 / Math.max(performance.now() - start, 1e-4)));
  let best = Infinity;
  const from = cpuTime();
  for (let n = 0; n < 5 || cpuTime() - from < 300; n++) {
    const wall = performance.now();
    const used = cpuTime();
    for (let i = 0; i < repeat; i++) run();
    const elapsed = performance.now() - wall;
    best = Math.min(best, (elapsed > 2 ? Math.min(elapsed, cpuTime() - used) : elapsed) / repeat);
  }
  return best;
}

function report(name, run, flops = 0) {
  if (only.length > 0 && !only.some((part) => name.includes(part))) return;
  const ms = time(run);
  const shown = ms < 0.001 ? `${(ms * 1e6).toFixed(0)} ns` : ms < 1 ? `${(ms * 1e3).toFixed(2)} µs` : `${ms.toFixed(2)} ms`;
  console.log(name.padEnd(46), shown.padStart(12), flops > 0 ? `${(flops / ms / 1e6).toFixed(2)} GFLOP/s` : '');
}

function view(shape, dtype = 'float32', strides) {
  const length = shape.reduce((n, s) => n * s, 1);
  const buffer = cpu.allocate(dtype, length);
  for (let i = 0; i < length; i++) buffer.data[buffer.base + i] = dtype === 'int32' ? i % 7 : Math.sin(i * 12.9898) * 2;
  return { buffer, dtype, shape, strides: strides ?? shape.map((_, d) => shape.slice(d + 1).reduce((n, s) => n * s, 1)), offset: 0 };
}
const transposed = (v) => ({
  ...v,
  shape: v.shape.toSpliced(-2, 2, v.shape.at(-1), v.shape.at(-2)),
  strides: v.strides.toSpliced(-2, 2, v.strides.at(-1), v.strides.at(-2)),
});

const f = 'float32';
const one = (op, inputs) =>
  makeProgram({
    inputs,
    scalars: [],
    instructions: [{ op, dtype: f, args: inputs.map((_, i) => i) }],
    outputs: [{ register: inputs.length, dtype: f }],
  });
const add = one('add', [f, f]);
const unary = Object.fromEntries(['exp', 'tanh', 'log', 'sin', 'erf', 'sqrt'].map((op) => [op, one(op, [f])]));
/** gelu(x · s + y) by tanh: ten instructions. */
const gelu = makeProgram({
  inputs: [f, f],
  scalars: [f, f, f, f, f],
  instructions: [
    ['mul', 0, 2],
    ['add', 7, 1],
    ['mul', 8, 8],
    ['mul', 9, 8],
    ['mul', 10, 3],
    ['add', 8, 11],
    ['mul', 12, 4],
    ['tanh', 13],
    ['add', 14, 5],
    ['mul', 8, 15],
    ['mul', 16, 6],
  ].map(([op, ...args]) => ({ op, dtype: f, args })),
  outputs: [{ register: 17, dtype: f }],
});
const scalars = [1.5, 0.044715, 0.7978845608028654, 1, 0.5];

for (const n of [10, 1 << 20]) {
  const [a, b, c] = [view([n]), view([n]), view([n])];
  report(`add of ${n}`, () => kernels.pointwise(add, [], [a, b], [c]));
  report(`gelu of ${n}`, () => kernels.pointwise(gelu, scalars, [a, b], [c]));
  if (n > 10) for (const [op, program] of Object.entries(unary)) report(`${op} of ${n}`, () => kernels.pointwise(program, [], [a], [c]));
}

const same = makeProgram({ inputs: [f], scalars: [], instructions: [], outputs: [{ register: 0, dtype: f }] });
{
  const [x, copy] = [view([1024, 1024]), view([1024, 1024])];
  const [row, column, places] = [view([1, 1024]), view([1024, 1]), view([1024, 1], 'int32')];
  report('copy of a transposed 1024²', () => kernels.pointwise(same, [], [transposed(x)], [copy]));
  report('sum of 1024² over axis 0', () => kernels.reduce('sum', same, [], [x], row, [0]));
  report('sum of 1024² over axis 1', () => kernels.reduce('sum', same, [], [x], column, [1]));
  report('argmax of 1024² over axis 1', () => kernels.reduce('argmax', same, [], [x], places, [1]));
  const index = view([1024, 1024], 'int32');
  report('sort of 1024² along the last dim', () => kernels.sort(x, 1, false, copy, index));
  report('cumulative sum of 1024² along axis 1', () => kernels.scan('sum', false, x, copy, 1));
  const table = view([1000, 64]);
  const ids = { ...view([4096, 1], 'int32'), shape: [4096, 64], strides: [1, 0] };
  const looked = view([4096, 64]);
  report('embedding: 4096 rows of 64', () => kernels.gather(table, ids, 0, looked));
  report('its gradient: scatter add', () => kernels.scatter('add', ids, looked, 0, table));
}

for (const [B, M, K, N, right] of [
  [1, 512, 512, 512],
  [1, 512, 512, 512, 'ᵀ'],
  [1, 128, 128, 128],
  [1, 32, 32, 32],
  [1, 8, 4, 16],
  [1, 1, 1024, 1024],
  [1, 64, 784, 128, 'ᵀ'],
  [32, 64, 64, 64],
  [1, 64, 4096, 64],
]) {
  const [a, b, out] = [view([B, M, K]), right ? transposed(view([B, N, K])) : view([B, K, N]), view([B, M, N])];
  report(`matmul ${B}x${M}x${K} · ${K}x${N}${right ?? ''}`, () => kernels.matmul(a, b, out), 2 * B * M * K * N);
}

const window = (padding, stride = 1) => ({ stride: [stride, stride], padding: [padding, padding], dilation: [1, 1] });
for (const [N, C, H, O, k, groups] of [
  [64, 1, 28, 16, 3, 1],
  [64, 16, 28, 32, 3, 1],
  [64, 16, 14, 32, 3, 1],
  [8, 64, 28, 64, 1, 1],
  [8, 32, 28, 32, 3, 32],
]) {
  const w = window((k - 1) / 2);
  const [x, weight, out] = [view([N, C, H, H]), view([O, C / groups, k, k]), view([N, O, H, H])];
  const flops = 2 * N * O * (C / groups) * k * k * H * H;
  const name = `convolution ${N}x${C}x${H}² → ${O}, ${k}x${k}${groups > 1 ? ' depthwise' : ''}`;
  report(`${name}`, () => kernels.convolution(x, weight, null, out, w, groups), flops);
  report(`${name}, input`, () => kernels.convolutionInputGrad(out, weight, x, w, groups), flops);
  report(`${name}, weight`, () => kernels.convolutionWeightGrad(x, out, weight, w, groups), flops);
}

{
  const [x, out, places] = [view([64, 16, 28, 28]), view([64, 16, 14, 14]), view([64, 16, 14, 14], 'int32')];
  report('max pool 64x16x28², 2x2', () => kernels.maxPool(x, out, places, [2, 2], window(0, 2)));
  report('its gradient', () => kernels.maxPoolGrad(out, places, x, [2, 2], window(0, 2)));
  report('average pool 64x16x28², 2x2', () => kernels.avgPool(x, out, [2, 2], window(0, 2), 'padded'));
  const [logits, y] = [view([1024, 1024]), view([1024, 1024])];
  report('softmax of 1024²', () => kernels.softmax(logits, y, false));
  report('allocate and free 10 float32', () => cpu.free(cpu.allocate('float32', 10)));
}
