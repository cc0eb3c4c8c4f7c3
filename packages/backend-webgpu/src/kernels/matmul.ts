/** @file The matmul kernel: strided, batched, float32 and int32, and halves with results of float32. */
import type { AcceleratedKernels, RequiredKernels } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { loadElement, loadFour, loadOfFours, storedAs, storedAsFours } from '../wgsl/elements.js';
import type { GpuView } from '../wgsl/views.js';
import type { Context } from './context.js';
import { epilogueResult, type Place, takesEpilogue } from './epilogue.js';
import type { Operand } from './operand.js';
import { launchProduct } from './product.js';

/** Along which direction four neighbours of a view of rank 3 lie in one vector, whatever the batch: `outer` and `inner` are dims. */
function foursOf({ shape, strides, offset }: GpuView, outer: number, inner: number): 'outer' | 'inner' | undefined {
  const fits = (along: number): boolean =>
    strides[along] === 1 &&
    shape[along] % 4 === 0 &&
    offset % 4 === 0 &&
    strides.every((stride, d) => d === along || shape[d] === 1 || stride % 4 === 0);
  return fits(inner) ? 'inner' : fits(outer) ? 'outer' : undefined;
}

/**
 * The operand `name` (a or b) of a product: a view of rank 3, (batch, row, k) or (batch, k, column). Halves are widened as they are loaded.
 * @param halves The adapter has shader-f16.
 */
export function matrixOperand(view: GpuView, name: 'a' | 'b', halves = false): Operand {
  const { dtype } = view;
  const [outerDim, innerDim] = name === 'a' ? [1, 2] : [2, 1];
  const fours = dtype === 'int32' ? undefined : foursOf(view, outerDim, innerDim);
  const stored = fours !== undefined ? storedAsFours(dtype, halves) : dtype === 'float16' && halves ? 'f16' : storedAs(dtype);
  const type = dtype === 'int32' ? 'i32' : 'f32';
  return {
    buffers: [view.buffer],
    stored: [stored],
    key: `matrix ${dtype} ${stored} ${fours}`,
    fours,
    halves: dtype === 'float16',
    pack: (launcher) => void launcher.word(view.offset).list(view.strides),
    text: (p, [b]) => {
      const offset = p.i();
      const strides = p.ints(3);
      const [outer, inner] = [strides[outerDim], strides[innerDim]];
      const at = 'u32(outer.x + inner.x)';
      const load =
        fours !== undefined ? loadOfFours(b, dtype, stored, at) : stored === 'f16' ? `f32(${b}[${at}])` : loadElement(b, dtype, at);
      const place = `u32(${offset} + i32(batch) * ${strides[0]} + i32(outer) * ${outer} + i32(inner) * ${inner})`;
      const four = `fn ${name}_four(batch: u32, outer: u32, inner: u32) -> vec4f { let o = ${place}; return ${loadFour(b, dtype, stored, 'o')}; }`;
      return `fn ${name}_outer(batch: u32, index: u32) -> vec4i { return vec4i(${offset} + i32(batch) * ${strides[0]} + i32(index) * ${outer}, 0, 0, 0); }
fn ${name}_inner(batch: u32, k: u32) -> vec4i { return vec4i(i32(k) * ${inner}, 0, 0, 0); }
fn ${name}_at(outer: vec4i, inner: vec4i) -> ${type} { return ${load}; }
${fours === undefined ? '' : four}`;
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
  productInto(context, label, a, b, storedAs(out.dtype) as 'f32' | 'i32', matrixResult(out, bias));
}

/** Where the elements of a · b (B, M, N) belong. */
const inOrder = (rows: number, columns: number): Place => ({
  key: 'matrix',
  pack: (launcher) => {
    launcher.word(rows);
    launcher.word(columns);
  },
  text: (p) => `let at = (batch * ${p.u()} + row) * ${p.u()} + column; let feature = column;`,
});

export function createMatmulPointwise(context: Context): AcceleratedKernels<WebGpuBuffer>['matmulPointwise'] {
  return (a, b, bias, program, scalars, inputs, outputs) => {
    const epilogue = { program, scalars, inputs, outputs };
    if (a.dtype === 'int32' || !takesEpilogue(epilogue)) return false;
    const result = epilogueResult(inOrder(a.shape[1], b.shape[2]), bias, epilogue);
    productInto(context, 'matmul and pointwise', a, b, 'f32', result);
    context.release();
    return true;
  };
}

function productInto(context: Context, label: string, a: GpuView, b: GpuView, type: 'f32' | 'i32', out: Operand): void {
  const [batch, rows, inner] = a.shape;
  const columns = b.shape[2];
  const { halves } = context.launcher;
  const aRowsFast = Math.abs(a.strides[1]) < Math.abs(a.strides[2]);
  const bColumnsFast = Math.abs(b.strides[2]) <= Math.abs(b.strides[1]);
  launchProduct(context, {
    label,
    type,
    batch,
    rows,
    columns,
    inner,
    a: matrixOperand(a, 'a', halves),
    b: matrixOperand(b, 'b', halves),
    aRowsFast,
    bColumnsFast,
    out,
  });
}
