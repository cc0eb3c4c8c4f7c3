/** @file The matmul kernel: strided, batched, float32 and int32. Short and wide products go to dot products, the rest to tiles. */
import type { RequiredKernels } from '@tessera/core';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { storedAs } from '../wgsl/elements.js';
import { kernelSource, Parameters, type Stored } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import type { Context } from './context.js';
import { launchProduct, type Operand } from './product.js';

/** An operand that is a view of rank 3: `name(batch, i, j)` loads element (batch, i, j). */
export function matrixOperand(view: GpuView, name: string): Operand {
  const type = storedAs(view.dtype) as 'f32' | 'i32';
  return {
    buffers: [view.buffer],
    stored: [type],
    key: `matrix ${type}`,
    pack: (launcher) => void launcher.word(view.offset).list(view.strides),
    text: (p, [b]) => {
      const offset = p.i();
      const [s0, s1, s2] = p.ints(3);
      return `fn ${name}(batch: u32, i: u32, j: u32) -> ${type} { return ${b}[u32(${offset} + i32(batch) * ${s0} + i32(i) * ${s1} + i32(j) * ${s2})]; }`;
    },
  };
}

/** Stores into a view of rank 3; `bias` (one value a column) is added. */
export function matrixResult(view: GpuView, bias: GpuView | null = null): Operand {
  const type = storedAs(view.dtype) as 'f32' | 'i32';
  return {
    buffers: bias === null ? [view.buffer] : [view.buffer, bias.buffer],
    stored: bias === null ? [type] : [type, type],
    key: `matrix ${type} ${bias === null ? '' : 'bias'}`,
    pack: (launcher) => {
      launcher.word(view.offset).list(view.strides);
      if (bias !== null) launcher.word(bias.offset).word(bias.strides[0]);
    },
    text: (p, [b, c]) => {
      const offset = p.i();
      const [s0, s1, s2] = p.ints(3);
      const value = bias === null ? 'value' : `value + ${c}[u32(${p.i()} + i32(j) * ${p.i()})]`;
      return `fn store(batch: u32, i: u32, j: u32, value: ${type}) { ${b}[u32(${offset} + i32(batch) * ${s0} + i32(i) * ${s1} + i32(j) * ${s2})] = ${value}; }`;
    },
  };
}

const LANES = 64;
/** Products with at most so many elements, and K at least so long, are dot products of a workgroup each. */
const FEW = 1024;
const LONG = 128;

export function createMatmul(context: Context): RequiredKernels<WebGpuBuffer>['matmul'] {
  return (a, b, out) => {
    product(context, 'matmul', a, b, out, null);
    context.release();
  };
}

/** out = a · b (+ bias), all of rank 3. */
export function product(context: Context, label: string, a: GpuView, b: GpuView, out: GpuView, bias: GpuView | null): void {
  const [batch, rows, columns] = out.shape;
  const inner = a.shape[2];
  const type = storedAs(out.dtype) as 'f32' | 'i32';
  const aRowsFast = Math.abs(a.strides[1]) < Math.abs(a.strides[2]);
  const bColumnsFast = Math.abs(b.strides[2]) <= Math.abs(b.strides[1]);
  if (batch * rows * columns <= FEW && inner >= LONG && !aRowsFast && !(bColumnsFast && columns > 1)) {
    dots(context, label, type, a, b, out, bias);
    return;
  }
  launchProduct(context, {
    label,
    type,
    batch,
    rows,
    columns,
    inner,
    a: matrixOperand(a, 'load_a'),
    b: matrixOperand(b, 'load_b'),
    aRowsFast,
    bColumnsFast,
    out: matrixResult(out, bias),
  });
}

/** A workgroup for each element of the result: its lanes share K. */
function dots({ launcher }: Context, label: string, type: 'f32' | 'i32', a: GpuView, b: GpuView, out: GpuView, bias: GpuView | null): void {
  const [batch, rows, columns] = out.shape;
  const operands = [matrixOperand(a, 'load_a'), matrixOperand(b, 'load_b')];
  const result = matrixResult(out, bias);
  const pipeline = launcher.pipeline(`dots ${type} ${result.key}`, () => {
    const p = new Parameters();
    const [batches, m, n, k] = p.uints(4);
    const reads: Stored[] = [type, type, ...result.stored.slice(1)];
    const names = [`b${reads.length}`, 'b2'];
    const head = [operands[0].text(p, ['b0']), operands[1].text(p, ['b1']), result.text(p, names)].join('\n');
    return kernelSource({
      label: `${label}, dot products`,
      reads,
      writes: [type],
      workgroup: LANES,
      head: `${head}\nvar<workgroup> lanes: array<${type}, ${LANES}>;`,
      body: `let j = group % ${n};
let i = (group / ${n}) % ${m};
let batch = min(group / (${m} * ${n}), ${batches} - 1u);
var sum = ${type}();
for (var t = lane; t < ${k}; t += ${LANES}u) { sum += load_a(batch, i, t) * load_b(batch, t, j); }
lanes[lane] = sum;
workgroupBarrier();
for (var step = ${LANES / 2}u; step > 0u; step >>= 1u) {
if (lane < step) { lanes[lane] += lanes[lane + step]; }
workgroupBarrier();
}
if (lane == 0u && group < ${batches} * ${m} * ${n}) { store(batch, i, j, lanes[0]); }`,
    });
  });
  launcher.begin();
  for (const operand of operands) launcher.bind(operand.buffers[0]);
  for (const buffer of result.buffers.slice(1)) launcher.bind(buffer);
  launcher.bind(out.buffer).word(batch).word(rows).word(columns).word(a.shape[2]);
  for (const operand of [...operands, result]) operand.pack(launcher);
  launcher.launch(pipeline, batch * rows * columns);
}
