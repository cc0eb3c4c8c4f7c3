/** @file The matmul kernel: strided, batched, float32 and int32. Short and wide products go to dot products, the rest to tiles. */
import type { RequiredKernels } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { storedAs } from '../wgsl/elements.js';
import type { GpuView } from '../wgsl/views.js';
import type { Context } from './context.js';
import { launchProduct, type Operand } from './product.js';

/** The operand `name` (a or b) of a product: a view of rank 3, (batch, row, k) or (batch, k, column). */
export function matrixOperand(view: GpuView, name: 'a' | 'b'): Operand {
  const type = storedAs(view.dtype) as 'f32' | 'i32';
  return {
    buffers: [view.buffer],
    stored: [type],
    key: `matrix ${type}`,
    pack: (launcher) => void launcher.word(view.offset).list(view.strides),
    text: (p, [b]) => {
      const offset = p.i();
      const [each, first, second] = p.ints(3);
      const [outer, inner] = name === 'a' ? [first, second] : [second, first];
      return `fn ${name}_outer(batch: u32, index: u32) -> vec4i { return vec4i(${offset} + i32(batch) * ${each} + i32(index) * ${outer}, 0, 0, 0); }
fn ${name}_inner(batch: u32, k: u32) -> vec4i { return vec4i(i32(k) * ${inner}, 0, 0, 0); }
fn ${name}_at(outer: vec4i, inner: vec4i) -> ${type} { return ${b}[u32(outer.x + inner.x)]; }`;
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
  launchProduct(context, {
    label,
    type,
    batch,
    rows,
    columns,
    inner,
    a: matrixOperand(a, 'a'),
    b: matrixOperand(b, 'b'),
    aRowsFast,
    bColumnsFast,
    out: matrixResult(out, bias),
  });
}
