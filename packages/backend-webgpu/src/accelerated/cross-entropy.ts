/** @file Cross-entropy of logits and class indices, and its gradient. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import { type Context, groupsFor, WORKGROUP } from '../kernels/context.js';
import { flagFunction } from '../kernels/flags.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import { lanesFor, rowGroups, rowKernel, viewText } from './rows.js';

type Kernels = AcceleratedKernels<WebGpuBuffer>;

export function createCrossEntropy({ launcher }: Context): Pick<Kernels, 'crossEntropy' | 'crossEntropyGrad'> {
  return {
    crossEntropy(logits, targets, losses, logsumexp, ignoreIndex) {
      if (logits.dtype !== 'float32') return false;
      const [rows, columns] = logits.shape;
      const lanes = lanesFor(rows, columns);
      const pipeline = launcher.pipeline(`crossEntropy ${lanes}`, () => {
        const p = new Parameters();
        const [m, n] = p.uints(2);
        const ignored = p.i();
        const x = viewText(p, 2);
        const [t, loss, total] = [viewText(p, 1), viewText(p, 1), viewText(p, 1)];
        const at = `b0[${x('row', 'j')}]`;
        const kernel = {
          label: 'crossEntropy',
          reads: ['f32', 'i32'],
          writes: ['f32', 'f32', 'atomic'],
          head: flagFunction('crossEntropy', 'b4'),
          subgroups: launcher.subgroups,
        } as const;
        return rowKernel(
          kernel,
          lanes,
          m,
          n,
          (row) => `var most = k_neg(k_inf());
${row.each(`most = k_max(most, ${at});`)}
${row.max('most')}
var sum = 0.0;
${row.each(`sum += k_exp(${at} - most);`)}
${row.sum('sum')}
${row.once(`let lse = select(most + k_log(sum), most, k_isinf(most) && most < 0.0);
b3[${total('row')}] = lse;
let target_ = b1[${t('row')}];
var result = 0.0;
if (target_ != ${ignored}) { let class_ = max(checked(target_, i32(${n})), 0); result = lse - b0[${x('row', 'class_')}]; }
b2[${loss('row')}] = result;`)}`,
        );
      });
      launcher.begin().bind(logits.buffer).bind(targets.buffer).bind(losses.buffer).bind(logsumexp.buffer).bindFlags();
      launcher.word(rows).word(columns).word(ignoreIndex);
      for (const view of [logits, targets, losses, logsumexp]) launcher.word(view.offset).list(view.strides);
      launcher.launch(pipeline, rowGroups(rows, lanes));
      return true;
    },

    crossEntropyGrad(gradLosses, logits, targets, logsumexp, gradLogits, ignoreIndex) {
      if (logits.dtype !== 'float32' || gradLogits.buffer === logits.buffer) return false;
      const [rows, columns] = logits.shape;
      const pipeline = launcher.pipeline('crossEntropyGrad', () => {
        const p = new Parameters();
        const [all, n] = p.uints(2);
        const ignored = p.i();
        const g = viewText(p, 1);
        const x = viewText(p, 2);
        const [t, total] = [viewText(p, 1), viewText(p, 1)];
        const out = viewText(p, 2);
        return kernelSource({
          label: 'crossEntropyGrad',
          reads: ['f32', 'f32', 'i32', 'f32'],
          writes: ['f32'],
          workgroup: WORKGROUP,
          body: `if (id >= ${all}) { return; }
let row = id / ${n};
let j = id % ${n};
let target_ = b2[${t('row')}];
var result = 0.0;
if (target_ != ${ignored}) { result = b0[${g('row')}] * (k_exp(b1[${x('row', 'j')}] - b3[${total('row')}]) - select(0.0, 1.0, i32(j) == target_)); }
b4[${out('row', 'j')}] = result;`,
        });
      });
      const n = rows * columns;
      launcher.begin().bind(gradLosses.buffer).bind(logits.buffer).bind(targets.buffer).bind(logsumexp.buffer).bind(gradLogits.buffer);
      launcher.word(n).word(columns).word(ignoreIndex);
      for (const view of [gradLosses, logits, targets, logsumexp, gradLogits]) launcher.word(view.offset).list(view.strides);
      launcher.launch(pipeline, groupsFor(n));
      return true;
    },
  };
}
