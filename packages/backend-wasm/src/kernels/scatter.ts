/**
 * @file The scatter kernel: out[indices[i][j]][j] = source[i][j] for dim 0 (or +=, *=, max, min), in place. Sources are taken in row-major order, by one
 * thread, or by several that have columns of their own: the same result each time.
 */
import {
  checkKernelDType,
  type DType,
  DTYPE_INFO,
  mergeDims,
  type RequiredKernels,
  SCATTER_REDUCE_DTYPES,
  type ScatterKind,
  walkRows,
  without,
} from '@tessera/core/backend';
import {
  type Expr,
  f32,
  f32x4,
  f64,
  type FunctionBuilder,
  i32,
  i32x4,
  type Local,
  type ModuleBuilder,
  select,
  v128,
} from '../assembler/index.js';
import type { Kernel, Machine } from '../machine/machine.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { copyElement } from './elements.js';
import { IndexCheck } from './indices.js';
import { planesOf, Words } from './plane-arguments.js';

type I32 = Local<'i32'>;

/** Addresses; the output's stride along the dim; rows, columns, columns a unit of work has; strides. All in bytes. */
const WORDS = new Words([
  'source',
  'indices',
  'out',
  'step',
  'rows',
  'columns',
  'block',
  'sourceRow',
  'sourceColumn',
  'indexRow',
  'indexColumn',
  'outRow',
  'outColumn',
]);
/** Columns of one thread, where rows have one index each. */
const BLOCK = 64;

/** Makes the kernel. */
export function createScatter(machine: Machine): RequiredKernels<WasmBuffer>['scatter'] {
  const kernels = new Map<string, Kernel>();
  let check: IndexCheck | null = null;

  function kernelOf(kind: ScatterKind, dtype: DType): Kernel {
    const name = kind === 'set' ? `set ${DTYPE_INFO[dtype].size}` : `${kind} ${dtype}`;
    let kernel = kernels.get(name);
    if (kernel === undefined) {
      const module = machine.newModule();
      emitScatter(module, kind, dtype);
      kernels.set(name, (kernel = machine.compile(module).kernel('run')));
    }
    return kernel;
  }

  return (kind, indices, source, dim, out) => {
    checkKernelDType('wasm', 'scatter', out.dtype, kind === 'set' ? undefined : SCATTER_REDUCE_DTYPES);
    (check ??= new IndexCheck(machine)).run('scatter', indices, dim, out.shape[dim]);
    const { size } = DTYPE_INFO[out.dtype];
    const loops = mergeDims(source.shape, [source.strides, indices.strides, without(out.strides, dim)]);
    const { rows, columns, strides, outer } = planesOf(loops);
    const [ofSource, ofIndices, ofOut] = strides;
    const kernel = kernelOf(kind, out.dtype);
    // Columns are apart from one another where they do not run along the dim itself, along which the output's stride is 0 here.
    const block = ofIndices.column === 0 && ofOut.column !== 0 ? Math.min(BLOCK, columns) : columns;
    walkRows(outer, [source.offset, indices.offset, out.offset], ([a, i, o]) => {
      WORDS.write(machine.linear, {
        source: source.buffer.address + a * size,
        indices: indices.buffer.address + i * 4,
        out: out.buffer.address + o * size,
        step: out.strides[dim] * size,
        rows,
        columns,
        block,
        sourceRow: ofSource.row * size,
        sourceColumn: ofSource.column * size,
        indexRow: ofIndices.row * 4,
        indexColumn: ofIndices.column * 4,
        outRow: ofOut.row * size,
        outColumn: ofOut.column * size,
      });
      machine.parallel(kernel, Math.ceil(columns / block), 1, rows * columns * 0.7);
    });
  };
}

/** to = to op from, for one element. */
function combine(f: FunctionBuilder, kind: ScatterKind, dtype: DType, to: I32, from: I32): Expr<'void'> {
  if (kind === 'set') return copyElement(DTYPE_INFO[dtype].size, to, from);
  if (dtype === 'int32') {
    const [a, b] = [f.local('i32', i32.load(to)), f.local('i32', i32.load(from))];
    const value = {
      add: () => i32.add(a, b),
      mul: () => i32.mul(a, b),
      max: () => select(i32.gtS(a, b), a, b),
      min: () => select(i32.ltS(a, b), a, b),
    }[kind]();
    return i32.store(to, value);
  }
  if (dtype === 'float64') return f64.store(to, f64[kind](f64.load(to), f64.load(from)));
  return f32.store(to, f32[kind](f32.load(to), f32.load(from)));
}

/** The same for four neighbours; null where there is no such instruction. */
function combineFour(kind: ScatterKind, dtype: DType): ((a: Expr<'v128'>, b: Expr<'v128'>) => Expr<'v128'>) | null {
  if (dtype === 'float32') return kind === 'set' ? (_, b) => b : f32x4[kind];
  if (dtype === 'int32')
    return { set: (_: Expr<'v128'>, b: Expr<'v128'>) => b, add: i32x4.add, mul: i32x4.mul, max: i32x4.maxS, min: i32x4.minS }[kind];
  return null;
}

function emitScatter(module: ModuleBuilder, kind: ScatterKind, dtype: DType): void {
  const { size } = DTYPE_INFO[dtype];
  const four = combineFour(kind, dtype);
  module.function(
    'run',
    { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' },
    'void',
    (f, { args, begin, end }) => {
      const w = WORDS.read(f, args);
      const first = f.local('i32', i32.mul(begin, w.block));
      const stop = f.local('i32', i32.mul(end, w.block));
      f.set(stop, select(i32.ltU(stop, w.columns), stop, w.columns));
      const [from, at, to, n] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      f.increment(w.source, i32.mul(first, w.sourceColumn));
      f.increment(w.indices, i32.mul(first, w.indexColumn));
      f.increment(w.out, i32.mul(first, w.outColumn));
      const contiguous = f.local('i32', i32.and(i32.eq(w.sourceColumn, size), i32.eq(w.outColumn, size)));
      f.loop((nextRow) => {
        f.set(from, w.source);
        f.set(at, w.indices);
        f.set(n, i32.sub(stop, first));
        f.if(
          w.indexColumn,
          () =>
            f.loop((again) => {
              f.set(to, i32.add(i32.add(w.out, i32.mul(i32.sub(i32.sub(stop, first), n), w.outColumn)), i32.mul(i32.load(at), w.step)));
              f.emit(combine(f, kind, dtype, to, from));
              f.increment(from, w.sourceColumn);
              f.increment(at, w.indexColumn);
              f.brIf(again, n.tee(i32.sub(n, 1)));
            }),
          // One index for the row: the gradient of a lookup.
          () => {
            f.set(to, i32.add(w.out, i32.mul(i32.load(at), w.step)));
            if (four !== null)
              f.if(contiguous, () =>
                f.while(
                  () => i32.geU(n, 4),
                  () => {
                    f.emit(v128.store(to, kind === 'set' ? v128.load(from) : four(v128.load(to), v128.load(from))));
                    f.increment(to, 16);
                    f.increment(from, 16);
                    f.increment(n, -4);
                  },
                ),
              );
            f.while(
              () => n,
              () => {
                f.emit(combine(f, kind, dtype, to, from));
                f.increment(from, w.sourceColumn);
                f.increment(to, w.outColumn);
                f.increment(n, -1);
              },
            );
          },
        );
        f.increment(w.source, w.sourceRow);
        f.increment(w.indices, w.indexRow);
        f.increment(w.out, w.outRow);
        f.brIf(nextRow, w.rows.tee(i32.sub(w.rows, 1)));
      });
    },
    { export: true },
  );
}
