/**
 * @file The scan kernel. Where there are many lines an invocation walks along each; else a workgroup shares a line, block by block: a scan of the
 * block in shared memory, and a carry from one to the next.
 */
import type { RequiredKernels, ScanKind } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { storedAs } from '../wgsl/elements.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import type { Context } from './context.js';
import { lineParameters, linesOf, packLines } from './lines.js';

const WALKERS = 64;
const BLOCK = 256;

const COMBINE: { readonly [K in ScanKind]: { readonly float: string; readonly integer: string } } = {
  sum: { float: 'a + b', integer: 'a + b' },
  prod: { float: 'a * b', integer: 'a * b' },
  max: { float: 'k_max(a, b)', integer: 'max(a, b)' },
  min: { float: 'k_min(a, b)', integer: 'min(a, b)' },
  logsumexp: { float: 'logaddexp(a, b)', integer: 'a' },
};

/** ln(eᵃ + eᵇ): the larger, and what the smaller adds to it. */
const LOGADDEXP = `fn logaddexp(a: f32, b: f32) -> f32 {
  let most = k_max(a, b); if (k_isnan(most) || k_isinf(most)) { return most; }
  return most + k_log1p(k_exp(k_min(a, b) - most));
}`;

export function createScan(context: Context): RequiredKernels<WebGpuBuffer>['scan'] {
  const { launcher } = context;
  return (kind, reverse, input, output, axis) => {
    const lines = linesOf(axis, [input, output]);
    const length = input.shape[axis];
    const shared = length > 64 && lines.count < 1024;
    const type = storedAs(input.dtype);
    const inPlace = input.buffer === output.buffer;
    const pipeline = launcher.pipeline(`scan ${kind} ${type} ${lines.rank} ${shared} ${inPlace}`, () => {
      const p = new Parameters();
      const [count, size, backwards] = p.uints(3);
      const text = lineParameters(p, lines.rank, 2, 'line');
      const place = (view: number): string => text.at(view, `select(j, ${size} - 1u - j, ${backwards} == 1u)`);
      const from = 'b0';
      const to = inPlace ? 'b0' : 'b1';
      const head = `${kind === 'logsumexp' ? LOGADDEXP : ''}
fn combine(a: ${type}, b: ${type}) -> ${type} { return ${COMBINE[kind][type === 'f32' ? 'float' : 'integer']}; }`;
      const walk = `if (id >= ${count}) { return; }
let line = id;
${text.bases}
var j = 0u;
var sum = ${from}[${place(0)}];
${to}[${place(1)}] = sum;
for (j = 1u; j < ${size}; j++) {
sum = combine(sum, ${from}[${place(0)}]);
${to}[${place(1)}] = sum;
}`;
      // Lanes double the distance over which they are combined; two arrays, so that one barrier a step is enough.
      const block = `let line = min(group, ${count} - 1u);
${text.bases}
for (var start = 0u; start < ${size}; start += ${BLOCK}u) {
let j = start + lane;
let inside = j < ${size} && group < ${count};
let before = carry;
var value: ${type};
if (inside) { value = ${from}[${place(0)}]; }
var side = 0u;
lanes[lane] = value;
workgroupBarrier();
for (var step = 1u; step < ${BLOCK}u; step <<= 1u) {
if (lane >= step) { value = combine(lanes[side + lane - step], value); }
side = ${BLOCK}u - side;
lanes[side + lane] = value;
workgroupBarrier();
}
if (start > 0u) { value = combine(before, value); }
if (inside) { ${to}[${place(1)}] = value; }
if (lane == ${BLOCK - 1}u) { carry = value; }
workgroupBarrier();
}`;
      return kernelSource({
        label: `scan ${kind}`,
        reads: inPlace ? [] : [type],
        writes: [type],
        workgroup: shared ? BLOCK : WALKERS,
        head: `${head}\n${shared ? `var<workgroup> lanes: array<${type}, ${2 * BLOCK}>;\nvar<workgroup> carry: ${type};` : ''}`,
        body: shared ? block : walk,
      });
    });
    launcher.begin().bind(input.buffer);
    if (!inPlace) launcher.bind(output.buffer);
    launcher
      .word(lines.count)
      .word(length)
      .word(reverse ? 1 : 0);
    packLines(launcher, lines);
    launcher.launch(pipeline, shared ? lines.count : Math.ceil(lines.count / WALKERS));
  };
}
