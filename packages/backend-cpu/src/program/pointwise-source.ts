/** @file The text of a pointwise kernel: loops over all dims, the program in the innermost. */
import type { Program } from '@tessera/core';
import { ProgramText } from './codegen.js';

/** `function (scalars, inputs, outputs)` for views of `rank` dims whose inner strides are of the classes given (inputs, then outputs). */
export function pointwiseSource(program: Program, rank: number, strides: readonly number[]): string {
  const text = new ProgramText(program, strides);
  const inner = rank - 1;
  let source = `function(scalars,inputs,outputs){${text.head()}const shape=outputs[0].shape;`;
  for (let d = 0; d < rank; d++) source += `const n${d}=shape[${d}];`;
  for (let d = 0; d < inner; d++) source += text.openLoop(d, d, `n${d}`);
  const { before, inside } = text.body(inner, inner, 'j');
  source += `${text.innerStrides(inner)}${before}for(let j=0;j<n${inner};j++){${inside}`;
  program.outputs.forEach((_, n) => (source += text.store(n, inner, inner)));
  return source + '}'.repeat(rank + 1);
}
