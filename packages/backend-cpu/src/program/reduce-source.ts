/**
 * @file The text of a reduction kernel, in two forms: *inner*, whose innermost loop runs along the last reduced dim into one accumulator, and
 * *columns*, whose innermost loop runs along a kept dim over a row of accumulators, for reductions over leading dims.
 */
import type { Program } from '@tessera/core/backend';
import { ProgramText } from './codegen.js';
import type { Reduction } from './reduction.js';

/** What the form of a reduction is chosen by. */
export interface ReduceForm {
  readonly rank: number;
  /** Bit d: dim d is reduced. */
  readonly axes: number;
  /** The kept dim that a row of accumulators runs along, or −1 for one accumulator. */
  readonly column: number;
  /** Of each input, the class of its stride along the innermost dim. */
  readonly strides: readonly number[];
}

/** Accumulators of the columns form. Kernels do not nest, so all share it. */
export const COLUMN_BLOCK = 1024;
export const COLUMN_SCRATCH = { accumulators: new Float64Array(COLUMN_BLOCK), extras: new Float64Array(COLUMN_BLOCK) };

/** `function (scalars, inputs, output)`. Reduced dims are traversed in row-major order in both forms. */
export function reduceSource(program: Program, reduction: Reduction, form: ReduceForm): string {
  return form.column < 0 ? innerSource(program, reduction, form) : columnsSource(program, reduction, form);
}

function dimsOf(form: ReduceForm, reduced: boolean): number[] {
  return Array.from({ length: form.rank }, (_, d) => d).filter((d) => ((form.axes >> d) & 1) === (reduced ? 1 : 0));
}

function head(text: ProgramText, form: ReduceForm): string {
  let source = `function(scalars,inputs,output){${text.head()}`;
  source += 'const po=output.buffer.data,qo=output.strides;let oo_0=output.offset+output.buffer.base;const shape=inputs[0].shape;';
  for (let d = 0; d < form.rank; d++) source += `const n${d}=shape[${d}];`;
  return source;
}

/** The loops over kept dims, outermost first, that also move the output's offset. */
function openKept(text: ProgramText, dims: readonly number[]): string {
  return dims.map((d, level) => `const so_${d}=qo[${d}];let oo_${level + 1}=oo_${level};${text.openLoop(level, d, `n${d}`)}`).join('');
}

function closeKept(dims: readonly number[]): string {
  return dims
    .map((d, level) => `oo_${level + 1}+=so_${d};}`)
    .reverse()
    .join('');
}

function innerSource(program: Program, reduction: Reduction, form: ReduceForm): string {
  const text = new ProgramText(program, form.strides);
  const kept = dimsOf(form, false);
  const reduced = dimsOf(form, true);
  const last = reduced.pop()!;
  const level = kept.length + reduced.length;
  const { before, inside } = text.body(level, last, 'j');
  let source = head(text, form) + openKept(text, kept);
  source += `let acc=${reduction.start}${reduction.extra === null ? '' : `,${reduction.extra}=0`}${reduction.extra === 'at' ? ',r=0' : ''};`;
  reduced.forEach((d, i) => (source += text.openLoop(kept.length + i, d, `n${d}`)));
  source += `${text.innerStrides(last)}${before}for(let j=0;j<n${last};j++){${inside}const v=r${program.outputs[0].register};${reduction.take}`;
  source += reduction.extra === 'at' ? 'r++;}' : '}';
  source += '}'.repeat(reduced.length);
  return `${source}po[oo_${kept.length}]=${reduction.result};${closeKept(kept)}}`;
}

function columnsSource(program: Program, reduction: Reduction, form: ReduceForm): string {
  const text = new ProgramText(program, form.strides);
  const column = form.column;
  const kept = dimsOf(form, false).filter((d) => d !== column);
  const reduced = dimsOf(form, true);
  const level = kept.length + 1 + reduced.length;
  const { extra } = reduction;
  const int = reduction.integer ? '|0' : '';
  let source = head(text, form) + openKept(text, kept);
  // One block of columns at a time, so that the accumulators stay in the nearest cache.
  source += `const so_${column}=qo[${column}];for(let k=0;k<n${column};k+=${COLUMN_BLOCK}){const m=Math.min(${COLUMN_BLOCK},n${column}-k);`;
  for (let v = 0; v < text.viewCount; v++) source += `const o${v}_${kept.length + 1}=o${v}_${kept.length}+k*q${v}[${column}];`;
  source += `A.fill(${reduction.start},0,m);${extra === null ? '' : 'B.fill(0,0,m);'}${extra === 'at' ? 'let r=0;' : ''}`;
  reduced.forEach((d, i) => (source += text.openLoop(kept.length + 1 + i, d, `n${d}`)));
  const { before, inside } = text.body(level, column, 'k+j');
  source += `${text.innerStrides(column)}${before}for(let j=0;j<m;j++){let acc=A[j]${int}${extra === null ? '' : `,${extra}=B[j]`};`;
  source += `${inside}const v=r${program.outputs[0].register};${reduction.take}A[j]=acc;${extra === null ? '' : `B[j]=${extra};`}}`;
  source += extra === 'at' ? 'r++;' : '';
  source += '}'.repeat(reduced.length);
  source += `for(let j=0;j<m;j++){const acc=A[j]${extra === null ? '' : `,${extra}=B[j]`};po[oo_${kept.length}+(k+j)*so_${column}]=${reduction.result};}}`;
  return `${source}${closeKept(kept)}}`;
}
