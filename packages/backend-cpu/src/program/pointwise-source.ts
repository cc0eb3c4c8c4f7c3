/** @file The text of a pointwise kernel: loops over all dims, the program in the innermost. */
import type { Program } from '@tessera/core/backend';
import { ProgramText } from './codegen.js';

/** Columns of a strip: as many elements as lie in a cache line, and as many streams as the processor fetches ahead. */
const STRIP = 16;

/**
 * `function (scalars, inputs, outputs)` for views of `rank` dims whose inner strides are of the classes given (inputs, then outputs). In
 * strips, the innermost loop runs over a few columns at a time and the one around it over all rows: for views that lie the other way round.
 */
export function pointwiseSource(program: Program, rank: number, strides: readonly number[], strips = false): string {
  const text = new ProgramText(program, strides);
  const inner = rank - 1;
  let source = `function(scalars,inputs,outputs){${text.head()}const shape=outputs[0].shape;`;
  for (let d = 0; d < rank; d++) source += `const n${d}=shape[${d}];`;
  for (let d = 0; d < inner; d++) {
    if (strips && d === inner - 1) source += `for(let k=0;k<n${inner};k+=${STRIP}){const m=Math.min(k+${STRIP},n${inner});`;
    source += text.openLoop(d, d, `n${d}`);
  }
  const { before, inside } = text.body(inner, inner, 'j');
  source += `${text.innerStrides(inner)}${before}for(let j=${strips ? 'k' : '0'};j<${strips ? 'm' : `n${inner}`};j++){${inside}`;
  program.outputs.forEach((_, n) => (source += text.store(n, inner, inner)));
  return source + '}'.repeat(strips ? rank + 2 : rank + 1);
}
