/** @file The gather kernel: out[i][j] = input[indices[i][j]][j] for dim 0, and so on. */
import { checkKernelDType, DTYPE_INFO, mergeDims, type RequiredKernels, walkRows, without } from '@tessera/core/backend';
import { i32, memory, type ModuleBuilder } from '../assembler/index.js';
import type { Kernel, Machine } from '../machine/machine.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { copyElement } from './elements.js';
import { IndexCheck } from './indices.js';
import { planesOf, Words } from './plane-arguments.js';

/** Addresses; the input's stride along the dim; columns; of each view, its strides over rows and columns. All in bytes. */
const WORDS = new Words([
  'input',
  'indices',
  'out',
  'step',
  'columns',
  'inputRow',
  'inputColumn',
  'indexRow',
  'indexColumn',
  'outRow',
  'outColumn',
]);

/** Rows of at least so many bytes are copied by the engine's own memory.copy. */
const BULK = 256;

/** Makes the kernel. */
export function createGather(machine: Machine): RequiredKernels<WasmBuffer>['gather'] {
  const kernels = new Map<number, Kernel>();
  let check: IndexCheck | null = null;

  function kernelOf(size: number): Kernel {
    let kernel = kernels.get(size);
    if (kernel === undefined) {
      const module = machine.newModule();
      emitGather(module, size);
      kernels.set(size, (kernel = machine.compile(module).kernel('run')));
    }
    return kernel;
  }

  return (input, indices, dim, out) => {
    checkKernelDType('wasm', 'gather', input.dtype);
    (check ??= new IndexCheck(machine)).run('gather', indices, dim, input.shape[dim]);
    const { size } = DTYPE_INFO[input.dtype];
    const loops = mergeDims(out.shape, [without(input.strides, dim), indices.strides, out.strides]);
    const { rows, columns, strides, outer } = planesOf(loops);
    const [ofInput, ofIndices, ofOut] = strides;
    const kernel = kernelOf(size);
    walkRows(outer, [input.offset, indices.offset, out.offset], ([a, i, o]) => {
      WORDS.write(machine.linear, {
        input: input.buffer.address + a * size,
        indices: indices.buffer.address + i * 4,
        out: out.buffer.address + o * size,
        step: input.strides[dim] * size,
        columns,
        inputRow: ofInput.row * size,
        inputColumn: ofInput.column * size,
        indexRow: ofIndices.row * 4,
        indexColumn: ofIndices.column * 4,
        outRow: ofOut.row * size,
        outColumn: ofOut.column * size,
      });
      machine.parallel(kernel, rows, Math.max(1, Math.floor(8192 / columns)), rows * columns * 0.7);
    });
  };
}

function emitGather(module: ModuleBuilder, size: number): void {
  module.function(
    'run',
    { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' },
    'void',
    (f, { args, begin, end }) => {
      const w = WORDS.read(f, args);
      const [from, at, to, n] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      const bytes = f.local('i32', i32.mul(w.columns, size));
      const contiguous = f.local('i32', i32.and(i32.eq(w.inputColumn, size), i32.eq(w.outColumn, size)));
      f.doWhile(
        () => {
          f.set(from, i32.add(w.input, i32.mul(begin, w.inputRow)));
          f.set(at, i32.add(w.indices, i32.mul(begin, w.indexRow)));
          f.set(to, i32.add(w.out, i32.mul(begin, w.outRow)));
          f.set(n, w.columns);
          f.if(
            w.indexColumn,
            () =>
              f.loop((again) => {
                f.emit(copyElement(size, to, i32.add(from, i32.mul(i32.load(at), w.step))));
                f.increment(from, w.inputColumn);
                f.increment(at, w.indexColumn);
                f.increment(to, w.outColumn);
                f.brIf(again, n.tee(i32.sub(n, 1)));
              }),
            // One index for the row: a lookup, as of an embedding.
            () => {
              f.increment(from, i32.mul(i32.load(at), w.step));
              f.if(
                i32.and(contiguous, i32.geU(bytes, BULK)),
                () => f.emit(memory.copy(to, from, bytes)),
                () =>
                  f.loop((again) => {
                    f.emit(copyElement(size, to, from));
                    f.increment(from, w.inputColumn);
                    f.increment(to, w.outColumn);
                    f.brIf(again, n.tee(i32.sub(n, 1)));
                  }),
              );
            },
          );
        },
        () => i32.ltU(begin.tee(i32.add(begin, 1)), end),
      );
    },
    { export: true },
  );
}
