/**
 * @file Epilogues: what a pointwise program makes of each element of a product before it is stored, as a result of the product family. So bias,
 * activation, residual and mask cost neither a launch nor a round trip through memory.
 */
import type { Program } from '@tessera/core/backend';
import { isNarrow, loadElement, storedAs } from '../wgsl/elements.js';
import { packScalars, programText } from '../wgsl/program.js';
import { coordinates, type GpuView, MAX_RANK, offsetAt, packShape, packView, sourceRank, viewParameters } from '../wgsl/views.js';
import type { Parameters } from '../wgsl/source.js';
import { PARAMETER_WORDS } from '../device/launcher.js';
import type { Operand } from './operand.js';

/** A program with its arguments; null among the inputs stands for the product. */
export interface Epilogue {
  readonly program: Program;
  readonly scalars: ArrayLike<number>;
  readonly inputs: readonly (GpuView | null)[];
  readonly outputs: readonly GpuView[];
}

/** Where an element of a product belongs: its row-major index in the result, and the column or channel that has a bias of its own. */
export interface Place {
  readonly key: string;
  /** Packs what `text` reads. */
  pack(launcher: { word(value: number): unknown }): void;
  /** Statements that define `at` and `feature` (u32) from `batch`, `row` and `column`. */
  text(p: Parameters): string;
}

/** What operands of a product pack at most. */
const OPERAND_WORDS = 64;

/** Can it run as an epilogue? Elements that share words with others would be written by several invocations; and parameters are limited. */
export function takesEpilogue({ program, inputs, outputs }: Epilogue): boolean {
  const rank = outputs[0].shape.length;
  const views = inputs.length + outputs.length;
  return (
    rank <= MAX_RANK &&
    outputs.every(({ dtype }) => !isNarrow(dtype)) &&
    OPERAND_WORDS + (views + 1) * (sourceRank(rank) + 1) + program.scalars.length <= PARAMETER_WORDS
  );
}

/** The result that runs `epilogue`; `bias` (one value a column or channel) is added before. */
export function epilogueResult(place: Place, bias: GpuView | null, { program, scalars, inputs, outputs }: Epilogue): Operand {
  const { shape } = outputs[0];
  const rank = sourceRank(shape.length);
  const given = inputs.filter((view) => view !== null);
  const reads = bias === null ? given : [bias, ...given];
  return {
    buffers: [...outputs, ...reads].map(({ buffer }) => buffer),
    stored: [...outputs, ...reads].map(({ dtype }) => storedAs(dtype)),
    writes: outputs.length,
    key: `program ${program.id} ${inputs.map((view) => (view === null ? 'p' : 'v')).join('')} ${rank} ${shape.length} ${bias !== null} ${place.key}`,
    pack: (launcher) => {
      place.pack(launcher);
      packShape(launcher, shape, rank);
      if (bias !== null) launcher.word(bias.offset).word(bias.strides[0]);
      for (const view of [...given, ...outputs]) packView(launcher, view.offset, view.strides, rank);
      packScalars(program, scalars, launcher);
    },
    text: (p, bindings) => {
      const where = place.text(p);
      const sizes = p.uints(rank);
      const first = outputs.length;
      const biased = bias === null ? 'value' : `value + ${bindings[first]}[u32(${p.i()} + i32(feature) * ${p.i()})]`;
      const names = bindings.slice(first + (bias === null ? 0 : 1));
      const parameters = [...given, ...outputs].map(() => viewParameters(p, rank));
      const offset = (i: number): string => offsetAt(parameters[i].offset, parameters[i].strides, 'c');
      const words = p.uints(program.scalars.length);
      let next = 0;
      const places = inputs.map((view) => (view === null ? -1 : next++));
      const text = programText(
        program,
        (i) => (places[i] < 0 ? 'product' : loadElement(names[places[i]], program.inputs[i], `o${places[i]}`)),
        (i) => words[i],
        (dim) => `i32(c${dim + rank - shape.length})`,
      );
      return `fn store(batch: u32, row: u32, column: u32, value: f32) {
${where}
let product = ${biased};
${coordinates('at', sizes, 'c')}
${given.map((_, i) => `let o${i} = ${offset(i)};`).join('\n')}
${text.statements}
${outputs.map((_, i) => `${bindings[i]}[${offset(given.length + i)}] = ${text.outputs[i]};`).join('\n')}
}`;
    },
  };
}
