/** @file softmax, its logarithm, and their gradients, a row at a time. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import type { Context } from '../kernels/context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { Parameters } from '../wgsl/source.js';
import { lanesFor, rowGroups, rowKernel, viewText } from './rows.js';

type Kernels = AcceleratedKernels<WebGpuBuffer>;

export function createSoftmax({ launcher }: Context): Pick<Kernels, 'softmax' | 'softmaxGrad'> {
  return {
    softmax(input, out, log) {
      if (input.dtype !== 'float32' || input.buffer === out.buffer) return false;
      const [rows, columns] = input.shape;
      const lanes = lanesFor(rows, columns);
      const pipeline = launcher.pipeline(`softmax ${lanes} ${log}`, () => {
        const p = new Parameters();
        const [m, n] = p.uints(2);
        const x = viewText(p, 2);
        const y = viewText(p, 2);
        const at = `b0[${x('row', 'j')}]`;
        return rowKernel(
          { label: log ? 'logSoftmax' : 'softmax', reads: ['f32'], writes: ['f32'], subgroups: launcher.subgroups },
          lanes,
          m,
          n,
          (row) => `var most = k_neg(k_inf());
${row.each(`most = k_max(most, ${at});`)}
${row.max('most')}
var sum = 0.0;
${row.each(`sum += k_exp(${at} - most);`)}
${row.sum('sum')}
${log ? 'let shift = k_log(sum);' : ''}
${row.each(`b1[${y('row', 'j')}] = ${log ? `(${at} - most) - shift` : `k_exp(${at} - most) / sum`};`)}`,
        );
      });
      launcher.begin().bind(input.buffer).bind(out.buffer).word(rows).word(columns);
      for (const view of [input, out]) launcher.word(view.offset).list(view.strides);
      launcher.launch(pipeline, rowGroups(rows, lanes));
      return true;
    },

    softmaxGrad(gradOut, out, gradInput, log) {
      if (out.dtype !== 'float32' || gradInput.buffer === out.buffer || gradInput.buffer === gradOut.buffer) return false;
      const [rows, columns] = out.shape;
      const lanes = lanesFor(rows, columns);
      const pipeline = launcher.pipeline(`softmaxGrad ${lanes} ${log}`, () => {
        const p = new Parameters();
        const [m, n] = p.uints(2);
        const [g, y, x] = [viewText(p, 2), viewText(p, 2), viewText(p, 2)];
        const grad = `b0[${g('row', 'j')}]`;
        const value = `b1[${y('row', 'j')}]`;
        return rowKernel(
          { label: log ? 'logSoftmaxGrad' : 'softmaxGrad', reads: ['f32', 'f32'], writes: ['f32'], subgroups: launcher.subgroups },
          lanes,
          m,
          n,
          (row) => `var sum = 0.0;
${row.each(`sum += ${log ? grad : `${grad} * ${value}`};`)}
${row.sum('sum')}
${row.each(`b2[${x('row', 'j')}] = ${log ? `${grad} - k_exp(${value}) * sum` : `${value} * (${grad} - sum)`};`)}`,
        );
      });
      launcher.begin().bind(gradOut.buffer).bind(out.buffer).bind(gradInput.buffer).word(rows).word(columns);
      for (const view of [gradOut, out, gradInput]) launcher.word(view.offset).list(view.strides);
      launcher.launch(pipeline, rowGroups(rows, lanes));
      return true;
    },
  };
}
