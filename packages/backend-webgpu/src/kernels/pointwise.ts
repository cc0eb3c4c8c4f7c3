/**
 * @file The pointwise kernel. Usually an invocation computes one index; where an output packs elements into words, it computes four and
 * writes whole words. Outputs of narrow dtypes that are not dense from a word's beginning are written through scratch memory.
 */
import { formatProgram, NotSupportedError, type Program, type RequiredKernels } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { isNarrow, loadElement, narrowBits, PER_WORD } from '../wgsl/elements.js';
import { packScalars, programText } from '../wgsl/program.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import {
  coordinates,
  type GpuView,
  isDense,
  MAX_RANK,
  offsetAt,
  packShape,
  packView,
  sizeOf,
  sourceRank,
  viewParameters,
} from '../wgsl/views.js';
import { Bindings } from './bindings.js';
import { type Context, groupsFor, WORKGROUP } from './context.js';
import { ProgramTable } from './program-table.js';
import { storeNarrow } from './store-narrow.js';
import type { PipelineSource } from '../device/launcher.js';

/** How an output is written: a word an element, words of several elements, or bits in scratch memory, a word each. */
type Mode = 'word' | 'packed' | 'scratch';

export function createPointwise(context: Context): RequiredKernels<WebGpuBuffer>['pointwise'] {
  const table = new ProgramTable();
  const { launcher } = context;

  const run = (program: Program, scalars: ArrayLike<number>, inputs: readonly GpuView[], outputs: readonly GpuView[]): void => {
    const { shape } = outputs[0];
    if (shape.length > MAX_RANK) {
      slices(program, scalars, inputs, outputs);
      return;
    }
    const n = sizeOf(shape);
    const rank = sourceRank(shape.length);
    const modes: Mode[] = outputs.map(modeOf);
    const targets = outputs.map((view, i) => (modes[i] === 'scratch' ? context.scratch('int32', n) : view.buffer));
    const bindings = new Bindings(
      inputs.map((view) => view.buffer),
      targets,
      new Set(targets.filter((_, i) => modes[i] === 'scratch')),
    );
    const key = `${rank}:${modes.map((mode) => mode[0]).join('')}:${bindings.key}:${shape.length}`;
    const pipeline = table.find(launcher, program, key, () => source(program, rank, shape.length, modes, bindings));
    launcher.begin();
    for (const buffer of bindings.buffers) launcher.bind(buffer);
    launcher.word(n);
    packShape(launcher, shape, rank);
    for (const view of inputs) packView(launcher, view.offset, view.strides, rank);
    outputs.forEach((view, i) => {
      if (modes[i] === 'word') packView(launcher, view.offset, view.strides, rank);
      else launcher.word(modes[i] === 'packed' ? view.offset / PER_WORD[view.dtype] : 0);
    });
    packScalars(program, scalars, launcher);
    launcher.launch(pipeline, groupsFor(modes.includes('packed') ? Math.ceil(n / 4) : n));
    outputs.forEach((view, i) => {
      if (modes[i] === 'scratch') storeNarrow(context, targets[i], view);
    });
  };

  /** More dims than a launch walks over: one launch for each index of the first. */
  const slices = (program: Program, scalars: ArrayLike<number>, inputs: readonly GpuView[], outputs: readonly GpuView[]): void => {
    if (program.instructions.some(({ op }) => op === 'index'))
      throw new NotSupportedError(
        'ERR_KERNEL_RANK',
        `pointwise: a program that reads indices over ${outputs[0].shape.length} dims, at most ${MAX_RANK}`,
        {
          op: 'pointwise',
          device: 'webgpu',
          shapes: [[...outputs[0].shape]],
        },
      );
    const at = (view: GpuView, index: number): GpuView => ({
      ...view,
      shape: view.shape.slice(1),
      strides: view.strides.slice(1),
      offset: view.offset + index * view.strides[0],
    });
    for (let index = 0; index < outputs[0].shape[0]; index++) {
      run(
        program,
        scalars,
        inputs.map((view) => at(view, index)),
        outputs.map((view) => at(view, index)),
      );
    }
  };

  return (program, scalars, inputs, outputs) => {
    run(program, scalars, inputs, outputs);
    context.release();
  };
}

function modeOf(view: GpuView): Mode {
  if (!isNarrow(view.dtype)) return 'word';
  return view.offset % 4 === 0 && isDense(view) ? 'packed' : 'scratch';
}

function source(program: Program, rank: number, shapeRank: number, modes: readonly Mode[], bindings: Bindings): PipelineSource {
  const p = new Parameters();
  const n = p.u();
  const sizes = p.uints(rank);
  const { places } = bindings;
  const inputs = program.inputs.map((dtype, i) => ({ dtype, binding: `b${places[i]}`, ...viewParameters(p, rank) }));
  const outputs = program.outputs.map(({ dtype }, i) => ({
    dtype,
    mode: modes[i],
    binding: `b${places[inputs.length + i]}`,
    ...(modes[i] === 'word' ? viewParameters(p, rank) : { offset: p.u(), strides: [] as string[] }),
  }));
  const scalars = p.uints(program.scalars.length);
  const shift = rank - shapeRank;
  const text = programText(
    program,
    (i) => loadElement(inputs[i].binding, inputs[i].dtype, `o${i}`),
    (i) => scalars[i],
    (dim) => `i32(c${dim + shift})`,
  );
  const lines = [coordinates('i', sizes, 'c')];
  inputs.forEach(({ offset, strides }, i) => lines.push(`let o${i} = ${offsetAt(offset, strides, 'c')};`));
  lines.push(text.statements);
  const after: string[] = [];
  const before: string[] = [];
  outputs.forEach(({ dtype, mode, binding, offset, strides }, k) => {
    const value = text.outputs[k];
    if (mode === 'word') lines.push(`${binding}[${offsetAt(offset, strides, 'c')}] = ${value};`);
    else if (mode === 'scratch') lines.push(`${binding}[i] = ${narrowBits(value, dtype)};`);
    else if (PER_WORD[dtype] === 4) {
      before.push(`var w${k} = 0u;`);
      lines.push(`w${k} |= ${narrowBits(value, dtype)} << (e * 8u);`);
      after.push(storePart(binding, `${offset} + id`, `w${k}`, '8u', 'left'));
    } else {
      before.push(`var w${k} = vec2u(0u);`);
      lines.push(`w${k}[e >> 1u] |= ${narrowBits(value, dtype)} << ((e & 1u) * 16u);`);
      after.push(storePart(binding, `${offset} + id * 2u`, `w${k}.x`, '16u', 'left'));
      after.push(`if (left > 2u) { ${storePart(binding, `${offset} + id * 2u + 1u`, `w${k}.y`, '16u', '(left - 2u)')} }`);
    }
  });
  const body = modes.includes('packed')
    ? `if (id * 4u >= ${n}) { return; }
let left = min(${n} - id * 4u, 4u);
${before.join('\n')}
for (var e = 0u; e < left; e++) {
let i = id * 4u + e;
${lines.join('\n')}
}
${after.join('\n')}`
    : `if (id >= ${n}) { return; }
let i = id;
${lines.join('\n')}`;
  const ops = program.instructions.map(({ op }) => op);
  return kernelSource({
    label: `pointwise ${ops.length > 4 ? `${ops.slice(0, 4).join(' ')} … (${ops.length})` : ops.join(' ') || 'copy'}`,
    reads: bindings.reads,
    writes: bindings.writes,
    workgroup: WORKGROUP,
    body: `/* ${formatProgram(program).replaceAll('*/', '')} */\n${body}`,
  });
}

/** Stores a word, or its first `count` elements of `bits` bits where there are fewer than fill it. */
function storePart(binding: string, at: string, value: string, bits: string, count: string): string {
  return `{ let at = ${at}; if (${count} * ${bits} >= 32u) { ${binding}[at] = ${value}; } else { let mask = (1u << (${count} * ${bits})) - 1u; ${binding}[at] = (${binding}[at] & ~mask) | (${value} & mask); } }`;
}
