/** @file The gather kernel: an invocation for each element of the result. */
import type { RequiredKernels } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { isNarrow, loadElement, storedAs, wordBits } from '../wgsl/elements.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import { collapse, coordinates, offsetAt, packShape, packView, sizeOf, sourceRank, viewParameters } from '../wgsl/views.js';
import { type Context, groupsFor, WORKGROUP } from './context.js';
import { flagFunction } from './flags.js';
import { storeNarrow } from './store-narrow.js';

export function createGather(context: Context): RequiredKernels<WebGpuBuffer>['gather'] {
  const { launcher } = context;
  return (input, indices, dim, out) => {
    const { dtype } = input;
    const narrow = isNarrow(dtype);
    // The input moves along `dim` by the index alone.
    const still = input.strides.map((stride, d) => (d === dim ? 0 : stride));
    const { shape, strides } = collapse(out.shape, still, indices.strides, out.strides);
    const rank = sourceRank(shape.length);
    const n = sizeOf(shape);
    const target = narrow ? context.scratch('int32', n) : out.buffer;
    const pipeline = launcher.pipeline(`gather ${dtype} ${rank}`, () => {
      const p = new Parameters();
      const [count, size] = p.uints(2);
      const step = p.i();
      const sizes = p.uints(rank);
      const from = viewParameters(p, rank);
      const which = viewParameters(p, rank);
      const to = viewParameters(p, rank);
      const value = loadElement('b0', dtype, 'o');
      return kernelSource({
        label: `gather ${dtype}`,
        reads: [storedAs(dtype), 'i32'],
        writes: [narrow ? 'u32' : storedAs(dtype), 'atomic'],
        workgroup: WORKGROUP,
        head: flagFunction('gather', 'b3'),
        body: `if (id >= ${count}) { return; }
${coordinates('id', sizes, 'c')}
let index = max(checked(b1[${offsetAt(which.offset, which.strides, 'c')}], i32(${size})), 0);
let o = ${offsetAt(`${from.offset} + index * ${step}`, from.strides, 'c')};
b2[${narrow ? 'id' : offsetAt(to.offset, to.strides, 'c')}] = ${narrow ? wordBits(value, dtype) : value};`,
      });
    });
    launcher.begin().bind(input.buffer).bind(indices.buffer).bind(target).bindFlags();
    launcher.word(n).word(input.shape[dim]).word(input.strides[dim]);
    packShape(launcher, shape, rank);
    packView(launcher, input.offset, strides[0], rank);
    packView(launcher, indices.offset, strides[1], rank);
    packView(launcher, out.offset, strides[2], rank);
    launcher.launch(pipeline, groupsFor(n));
    if (narrow) storeNarrow(context, target, out);
    context.release();
  };
}
