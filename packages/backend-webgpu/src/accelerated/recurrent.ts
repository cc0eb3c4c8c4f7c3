/** @file Steps of LSTM and GRU, and their gradients: an invocation for each unit of the state reads its gates, or writes the gradients of all of them. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import { type Context, groupsFor, WORKGROUP } from '../kernels/context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { kernelSource, Parameters, type Stored } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { viewText } from './rows.js';

type Kernels = AcceleratedKernels<WebGpuBuffer>;

const SIGMOID = 'fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + k_exp(k_neg(x))); }';

/** Are the views float32, and is each written one in a buffer of its own? */
const takes = (reads: readonly GpuView[], writes: readonly GpuView[]): boolean =>
  [...reads, ...writes].every(({ dtype }) => dtype === 'float32') &&
  new Set([...reads, ...writes].map(({ buffer }) => buffer)).size === new Set(reads.map(({ buffer }) => buffer)).size + writes.length;

/** Views of rank 2 as a kernel sees them: `at(view, row, column)` is the element. */
type Elements = (view: number, row: string, column: string) => string;

/** Runs `body` for each `row` and `j` of the state's shape, which is that of the last view. */
function launchUnits(
  { launcher }: Context,
  label: string,
  key: string,
  reads: readonly GpuView[],
  writes: readonly GpuView[],
  body: (at: Elements, hidden: string) => string,
): void {
  const views = [...reads, ...writes];
  const [rows, hidden] = views[views.length - 1].shape;
  const pipeline = launcher.pipeline(key, () => {
    const p = new Parameters();
    const [count, width] = p.uints(2);
    const texts = views.map(() => viewText(p, 2));
    const at: Elements = (view, row, column) => `b${view}[${texts[view](row, column)}]`;
    const floats = (list: readonly GpuView[]): Stored[] => list.map(() => 'f32');
    return kernelSource({
      label,
      reads: floats(reads),
      writes: floats(writes),
      workgroup: WORKGROUP,
      head: SIGMOID,
      body: `if (id >= ${count}) { return; }
let row = id / ${width};
let j = id % ${width};
${body(at, width)}`,
    });
  });
  launcher.begin();
  for (const view of views) launcher.bind(view.buffer);
  launcher.word(rows * hidden).word(hidden);
  for (const view of views) launcher.word(view.offset).list(view.strides);
  launcher.launch(pipeline, groupsFor(rows * hidden));
}

export function createRecurrent(context: Context): Pick<Kernels, 'lstmStep' | 'lstmStepGrad' | 'gruStep' | 'gruStepGrad'> {
  return {
    lstmStep(gates, cell, newHidden, newCell) {
      const [reads, writes] = [
        [gates, cell],
        [newHidden, newCell],
      ];
      if (!takes(reads, writes)) return false;
      launchUnits(context, 'lstmStep', 'lstmStep', reads, writes, (at, hidden) => {
        const gate = (k: number): string => at(0, 'row', `(j + ${k}u * ${hidden})`);
        return `let c = sigmoid(${gate(1)}) * ${at(1, 'row', 'j')} + sigmoid(${gate(0)}) * k_tanh(${gate(2)});
${at(2, 'row', 'j')} = sigmoid(${gate(3)}) * k_tanh(c);
${at(3, 'row', 'j')} = c;`;
      });
      return true;
    },

    lstmStepGrad(gradHidden, gradNewCell, gates, cell, newCell, gradGates, gradCell) {
      const given = [gradHidden, gradNewCell].filter((view) => view !== null);
      const reads = [gates, cell, newCell, ...given];
      if (given.length === 0 || !takes(reads, [gradGates, gradCell])) return false;
      const key = `lstmStepGrad ${gradHidden !== null} ${gradNewCell !== null}`;
      launchUnits(context, 'lstmStepGrad', key, reads, [gradGates, gradCell], (at, hidden) => {
        const gate = (view: number, k: number): string => at(view, 'row', `(j + ${k}u * ${hidden})`);
        const out = reads.length;
        return `let i = sigmoid(${gate(0, 0)}); let f = sigmoid(${gate(0, 1)}); let g = k_tanh(${gate(0, 2)}); let o = sigmoid(${gate(0, 3)});
let squashed = k_tanh(${at(2, 'row', 'j')});
let h = ${gradHidden === null ? '0.0' : at(3, 'row', 'j')};
let c = ${gradNewCell === null ? '' : `${at(out - 1, 'row', 'j')} + `}h * o * (1.0 - squashed * squashed);
${gate(out, 0)} = c * g * i * (1.0 - i);
${gate(out, 1)} = c * ${at(1, 'row', 'j')} * f * (1.0 - f);
${gate(out, 2)} = c * i * (1.0 - g * g);
${gate(out, 3)} = h * squashed * o * (1.0 - o);
${at(out + 1, 'row', 'j')} = c * f;`;
      });
      return true;
    },

    gruStep(inputGates, stateGates, hidden, out) {
      const reads = [inputGates, stateGates, hidden];
      if (!takes(reads, [out])) return false;
      launchUnits(context, 'gruStep', 'gruStep', reads, [out], (at, width) => {
        const gate = (view: number, k: number): string => at(view, 'row', `(j + ${k}u * ${width})`);
        return `let r = sigmoid(${gate(0, 0)} + ${gate(1, 0)}); let keep = sigmoid(${gate(0, 1)} + ${gate(1, 1)});
let n = k_tanh(${gate(0, 2)} + r * ${gate(1, 2)});
${at(3, 'row', 'j')} = n + keep * (${at(2, 'row', 'j')} - n);`;
      });
      return true;
    },

    gruStepGrad(gradOut, inputGates, stateGates, hidden, gradInputGates, gradStateGates, gradHidden) {
      const reads = [gradOut, inputGates, stateGates, hidden];
      const writes = [gradInputGates, gradStateGates, gradHidden];
      if (!takes(reads, writes)) return false;
      launchUnits(context, 'gruStepGrad', 'gruStepGrad', reads, writes, (at, width) => {
        const gate = (view: number, k: number): string => at(view, 'row', `(j + ${k}u * ${width})`);
        return `let grad = ${at(0, 'row', 'j')};
let r = sigmoid(${gate(1, 0)} + ${gate(2, 0)}); let keep = sigmoid(${gate(1, 1)} + ${gate(2, 1)});
let state = ${gate(2, 2)};
let n = k_tanh(${gate(1, 2)} + r * state);
let fresh = grad * (1.0 - keep) * (1.0 - n * n);
let update = grad * (${at(3, 'row', 'j')} - n) * keep * (1.0 - keep);
let reset = fresh * state * r * (1.0 - r);
${gate(4, 0)} = reset; ${gate(4, 1)} = update; ${gate(4, 2)} = fresh;
${gate(5, 0)} = reset; ${gate(5, 1)} = update; ${gate(5, 2)} = fresh * r;
${at(6, 'row', 'j')} = grad * keep;`;
      });
      return true;
    },
  };
}
