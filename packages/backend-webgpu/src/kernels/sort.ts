/** @file The sort kernel: sorts keys and places, then fetches the values. */
import type { RequiredKernels } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { isNarrow, loadElement, storedAs, wordBits } from '../wgsl/elements.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import { type Context, groupsFor, WORKGROUP } from './context.js';
import { lineParameters, linesOf, packLines } from './lines.js';
import { sortLines } from './sort-keys.js';
import { storeNarrow } from './store-narrow.js';

export function createSort(context: Context): RequiredKernels<WebGpuBuffer>['sort'] {
  const { launcher } = context;
  return (input, dim, descending, values, indices) => {
    const { dtype } = input;
    const length = input.shape[dim];
    const sorted = sortLines(context, input, dim, descending);
    const narrow = isNarrow(dtype);
    const total = length * sorted.lines;
    // Narrow values go through a dense array of words in the order of the view's own elements.
    const dense = narrow ? context.scratch('int32', total) : null;
    const target = dense === null ? values : { ...values, buffer: dense, strides: rowMajor(values.shape), offset: 0 };
    const lines = linesOf(dim, [input, target, indices]);
    const pipeline = launcher.pipeline(`sort-write ${dtype} ${lines.rank}`, () => {
      const p = new Parameters();
      const [all, size, stride] = p.uints(3);
      const text = lineParameters(p, lines.rank, 3, 'line');
      const value = loadElement('b0', dtype, 'o');
      return kernelSource({
        label: `sort, values of ${dtype}`,
        reads: [storedAs(dtype), 'u32'],
        writes: [narrow ? 'u32' : storedAs(dtype), 'i32'],
        workgroup: WORKGROUP,
        body: `if (id >= ${all}) { return; }
let line = id / ${size};
let j = id % ${size};
${text.bases}
let place = b1[line * ${stride} + j];
let o = ${text.at(0, 'place')};
b2[${text.at(1, 'j')}] = ${narrow ? wordBits(value, dtype) : value};
b3[${text.at(2, 'j')}] = i32(place);`,
      });
    });
    launcher.begin().bind(input.buffer).bind(sorted.places).bind(target.buffer).bind(indices.buffer);
    launcher.word(total).word(length).word(sorted.stride);
    packLines(launcher, lines);
    launcher.launch(pipeline, groupsFor(total));
    if (dense !== null) storeNarrow(context, dense, values);
    context.release();
  };
}

function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}
