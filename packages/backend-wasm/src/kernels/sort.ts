/** @file The sort kernel: stable, NaN the largest. */
import { checkKernelDType, type DType, DTYPE_INFO, mergeDims, type RequiredKernels, walkRows } from '@tessera/core/backend';
import type { Kernel, Machine } from '../machine/machine.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { emitSort, SORT_WORDS, sortScratch } from './sort-code.js';
import { planesOf } from './plane-arguments.js';

/** Makes the kernel. */
export function createSort(machine: Machine): RequiredKernels<WasmBuffer>['sort'] {
  const kernels = new Map<DType, Kernel>();
  return (input, dim, descending, values, indices) => {
    checkKernelDType('wasm', 'sort', input.dtype);
    let kernel = kernels.get(input.dtype);
    if (kernel === undefined) {
      const module = machine.newModule();
      emitSort(module, input.dtype);
      kernels.set(input.dtype, (kernel = machine.compile(module).kernel('run')));
    }
    const { size } = DTYPE_INFO[input.dtype];
    const count = input.shape[dim];
    const others = input.shape.map((n, d) => (d === dim ? 1 : n));
    const loops = mergeDims(others, [input.strides, values.strides, indices.strides]);
    // Lines side by side are what rows of one column would be: the innermost of the other dims.
    const { columns: lines, rows, strides, outer } = planesOf(loops);
    const scratchStride = Math.ceil(sortScratch(count) / 16) * 16;
    const scratchBytes = scratchStride * machine.threadCount;
    const scratch = machine.memory.scratch(scratchBytes);
    walkRows(outer, [input.offset, values.offset, indices.offset], ([a, v, i]) => {
      for (let row = 0; row < rows; row++) {
        SORT_WORDS.write(machine.linear, {
          input: input.buffer.address + (a + row * strides[0].row) * size,
          values: values.buffer.address + (v + row * strides[1].row) * size,
          indices: indices.buffer.address + (i + row * strides[2].row) * 4,
          count,
          inputStep: input.strides[dim] * size,
          valuesStep: values.strides[dim] * size,
          indicesStep: indices.strides[dim] * 4,
          inputLine: strides[0].column * size,
          valuesLine: strides[1].column * size,
          indicesLine: strides[2].column * 4,
          scratch,
          scratchStride,
          descending: descending ? 1 : 0,
        });
        machine.parallel(kernel, lines, Math.max(1, Math.floor(1024 / count)), lines * count * 20);
      }
    });
    machine.memory.endScratch(scratch, scratchBytes);
  };
}
