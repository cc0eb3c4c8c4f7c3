/**
 * @file One pointwise program on several sets of views in one launch: invocations are numbered through, and each range of them runs the program on a
 * set. As many sets go together as the adapter binds buffers.
 */
import type { AcceleratedKernels, Program } from '@tessera/core/backend';
import type { PipelineSource } from '../device/launcher.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { isNarrow, loadElement } from '../wgsl/elements.js';
import { packScalars, programText } from '../wgsl/program.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { Bindings } from './bindings.js';
import { type Context, groupsFor, WORKGROUP } from './context.js';
import { ProgramTable } from './program-table.js';

/** Longer sources compile slowly, and gain little. */
const MOST_SETS = 8;
const MOST_INSTRUCTIONS = 160;

interface ViewSet {
  readonly scalars: ArrayLike<number>;
  readonly inputs: readonly GpuView[];
  readonly outputs: readonly GpuView[];
}

/** Words, one after the other. */
const isFlat = ({ dtype, shape, strides }: GpuView): boolean => !isNarrow(dtype) && shape.length === 1 && strides[0] === 1;

export function createPointwiseEach(context: Context): AcceleratedKernels<WebGpuBuffer>['pointwiseEach'] {
  const table = new ProgramTable();
  const { launcher } = context;

  const launch = (program: Program, sets: readonly ViewSet[]): void => {
    const inputs = sets.flatMap((set) => set.inputs);
    const outputs = sets.flatMap((set) => set.outputs);
    const bindings = new Bindings(
      inputs.map(({ buffer }) => buffer),
      outputs.map(({ buffer }) => buffer),
    );
    const pipeline = table.find(launcher, program, `each ${sets.length}:${bindings.key}`, () => source(program, sets.length, bindings));
    launcher.begin();
    for (const buffer of bindings.buffers) launcher.bind(buffer);
    let end = 0;
    for (const set of sets) {
      end += set.outputs[0].shape[0];
      launcher.word(end);
      for (const view of [...set.inputs, ...set.outputs]) launcher.word(view.offset);
      packScalars(program, set.scalars, launcher);
    }
    launcher.launch(pipeline, groupsFor(end));
  };

  return (program, scalars, inputs, outputs) => {
    const sets = scalars.map((list, i): ViewSet => ({ scalars: list, inputs: inputs[i], outputs: outputs[i] }));
    if (program.instructions.some(({ op }) => op === 'index')) return false;
    if (!sets.every((set) => [...set.inputs, ...set.outputs].every(isFlat))) return false;
    const most = Math.max(1, Math.min(MOST_SETS, Math.floor(MOST_INSTRUCTIONS / Math.max(1, program.instructions.length))));
    const limit = launcher.queue.facts.limits.maxStorageBuffersPerShaderStage;
    let together: ViewSet[] = [];
    let buffers = new Set<WebGpuBuffer>();
    for (const set of sets) {
      const own = [...set.inputs, ...set.outputs].map(({ buffer }) => buffer);
      const all = new Set([...buffers, ...own]);
      if (together.length === most || (together.length > 0 && all.size > limit)) {
        launch(program, together);
        together = [];
        buffers = new Set(own);
      } else buffers = all;
      together.push(set);
    }
    launch(program, together);
    return true;
  };
}

function source(program: Program, count: number, bindings: Bindings): PipelineSource {
  const p = new Parameters();
  const each = program.inputs.length;
  const branches: string[] = [];
  let begin = '0u';
  for (let s = 0; s < count; s++) {
    const end = p.u();
    const offsets = p.ints(each + program.outputs.length);
    const scalars = p.uints(program.scalars.length);
    const input = (i: number): string => `b${bindings.places[s * each + i]}`;
    const output = (k: number): string => `b${bindings.places[count * each + s * program.outputs.length + k]}`;
    const at = (i: number): string => `u32(${offsets[i]}) + i`;
    const text = programText(
      program,
      (i) => loadElement(input(i), program.inputs[i], at(i)),
      (i) => scalars[i],
      () => '0',
    );
    branches.push(`if (id < ${end}) {
let i = id - ${begin};
${text.statements}
${text.outputs.map((value, k) => `${output(k)}[${at(each + k)}] = ${value};`).join('\n')}
}`);
    begin = end;
  }
  return kernelSource({
    label: `pointwise of ${count}`,
    reads: bindings.reads,
    writes: bindings.writes,
    workgroup: WORKGROUP,
    body: branches.join(' else '),
  });
}
