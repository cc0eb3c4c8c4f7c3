/** @file The matmul kernel in its plainest form: any strides, float32 accumulated in float64. */
import { type DType, DTYPE_INFO, type RequiredKernels } from '@tessera/core';
import { f32, f64, i32, type ModuleBuilder } from '../assembler/index.js';
import type { Kernel, Machine } from '../machine/machine.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { checkDType } from './dtypes.js';
import { Words } from './plane-arguments.js';

const WORDS = new Words([
  'a',
  'b',
  'out',
  'M',
  'N',
  'K',
  'aBatch',
  'aRow',
  'aColumn',
  'bBatch',
  'bRow',
  'bColumn',
  'outBatch',
  'outRow',
  'outColumn',
]);

/** Makes the kernel. */
export function createMatmul(machine: Machine): RequiredKernels<WasmBuffer>['matmul'] {
  const kernels = new Map<DType, Kernel>();
  return (a, b, out) => {
    checkDType('matmul', a.dtype);
    let kernel = kernels.get(a.dtype);
    if (kernel === undefined) {
      const module = machine.newModule();
      emitMatmul(module, a.dtype as 'float32' | 'float64' | 'int32');
      kernels.set(a.dtype, (kernel = machine.compile(module).kernel('run')));
    }
    const { size } = DTYPE_INFO[a.dtype];
    const [batch, M, K] = a.shape;
    const N = b.shape[2];
    WORDS.write(machine.linear, {
      a: a.buffer.address + a.offset * size,
      b: b.buffer.address + b.offset * size,
      out: out.buffer.address + out.offset * size,
      M,
      N,
      K,
      aBatch: a.strides[0] * size,
      aRow: a.strides[1] * size,
      aColumn: a.strides[2] * size,
      bBatch: b.strides[0] * size,
      bRow: b.strides[1] * size,
      bColumn: b.strides[2] * size,
      outBatch: out.strides[0] * size,
      outRow: out.strides[1] * size,
      outColumn: out.strides[2] * size,
    });
    machine.parallel(kernel, batch * M, Math.max(1, Math.floor(16384 / (N * K))), batch * M * N * K);
  };
}

/** Units of work are rows of the result. */
function emitMatmul(module: ModuleBuilder, dtype: 'float32' | 'float64' | 'int32'): void {
  module.function(
    'run',
    { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' },
    'void',
    (f, { args, begin, end }) => {
      const w = WORDS.read(f, args);
      const [batch, row, column, k] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      const [p, q, right, to] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      const [sum, whole] = [f.local('f64'), f.local('i32')];
      f.loop((nextRow) => {
        f.set(batch, i32.divU(begin, w.M));
        f.set(row, i32.sub(begin, i32.mul(batch, w.M)));
        f.set(to, i32.add(w.out, i32.add(i32.mul(batch, w.outBatch), i32.mul(row, w.outRow))));
        f.set(right, i32.add(w.b, i32.mul(batch, w.bBatch)));
        f.set(column, w.N);
        f.loop((nextColumn) => {
          f.set(p, i32.add(w.a, i32.add(i32.mul(batch, w.aBatch), i32.mul(row, w.aRow))));
          f.set(q, right);
          f.set(k, w.K);
          f.set(sum, 0);
          f.set(whole, 0);
          f.loop((again) => {
            if (dtype === 'int32') f.set(whole, i32.add(whole, i32.mul(i32.load(p), i32.load(q))));
            else if (dtype === 'float64') f.set(sum, f64.add(sum, f64.mul(f64.load(p), f64.load(q))));
            else f.set(sum, f64.add(sum, f64.mul(f64.promoteF32(f32.load(p)), f64.promoteF32(f32.load(q)))));
            f.increment(p, w.aColumn);
            f.increment(q, w.bRow);
            f.brIf(again, k.tee(i32.sub(k, 1)));
          });
          if (dtype === 'int32') f.emit(i32.store(to, whole));
          else if (dtype === 'float64') f.emit(f64.store(to, sum));
          else f.emit(f32.store(to, f32.demoteF64(sum)));
          f.increment(right, w.bColumn);
          f.increment(to, w.outColumn);
          f.brIf(nextColumn, column.tee(i32.sub(column, 1)));
        });
        f.brIf(nextRow, i32.ltU(begin.tee(i32.add(begin, 1)), end));
      });
    },
    { export: true },
  );
}
