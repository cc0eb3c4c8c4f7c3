/**
 * @file Kernels as generated JavaScript: what all of them share. Sizes, strides and scalars are read from the views when a kernel runs; only
 * the program, the rank and which inner strides are 0 or 1 are in the text.
 */
import { type Program, registerDTypes } from '@tessera/core/backend';
import { ELEMENT_FUNCTIONS, loadText, scalarText, storeText } from '../scalar/elements.js';
import { ENVIRONMENT, operationOf } from '../scalar/operations.js';

/** The inner stride of a view, as far as kernels are specialised by it. */
export const STRIDE_ZERO = 0;
export const STRIDE_ONE = 1;
export const STRIDE_ANY = 2;

/** Whether this page allows code from text (a Content-Security-Policy may not). */
export const canGenerateCode = ((): boolean => {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- kernels are generated code; pages that forbid it run the interpreter
    return new Function('return true')() === true;
  } catch {
    return false;
  }
})();

const names: Readonly<Record<string, unknown>> = { ...ENVIRONMENT, ...ELEMENT_FUNCTIONS };

/** Makes the function that `source`, the text of a function expression, describes. */
export function compile<F>(source: string, extra: Readonly<Record<string, unknown>> = {}): F {
  const environment = { ...names, ...extra };
  const used = Object.keys(environment).filter((name) => new RegExp(`\\b${name}\\b`).test(source));
  // oxlint-disable-next-line typescript/no-implied-eval -- kernels are generated code; pages that forbid it run the interpreter
  const make = new Function(...used, `'use strict';return ${source}`) as (...values: unknown[]) => F;
  return make(...used.map((name) => environment[name]));
}

/** The text of a program's parts. View number v has the array `p{v}` and, in loop level d, the element offset `o{v}_{d}`; register n is `r{n}`. */
export class ProgramText {
  readonly #types;
  readonly #firstInstruction: number;

  constructor(
    readonly program: Program,
    /** Of each view (inputs, then outputs) the class of its inner stride. */
    readonly strides: readonly number[],
  ) {
    this.#types = registerDTypes(program);
    this.#firstInstruction = program.inputs.length + program.scalars.length;
  }

  get viewCount(): number {
    return this.strides.length;
  }

  /** Arrays and first offsets of all views; the outputs follow the inputs. */
  head(): string {
    let text = '';
    for (let v = 0; v < this.viewCount; v++) {
      const inputs = this.program.inputs.length;
      const view = v < inputs ? `inputs[${v}]` : `outputs[${v - inputs}]`;
      text += `const v${v}=${view},p${v}=v${v}.buffer.data,q${v}=v${v}.strides,o${v}_0=v${v}.offset+v${v}.buffer.base;`;
    }
    this.program.scalars.forEach((dtype, i) => (text += `const r${this.program.inputs.length + i}=${scalarText(dtype, `scalars[${i}]`)};`));
    return text;
  }

  /** Opens the loop over dim `dim` at nesting level `level`: the views' offsets move on with it. */
  openLoop(level: number, dim: number, size: string, views = this.viewCount): string {
    let strides = '';
    let start = `let i${dim}=0`;
    let step = `i${dim}++`;
    for (let v = 0; v < views; v++) {
      strides += `const s${v}_${dim}=q${v}[${dim}];`;
      start += `,o${v}_${level + 1}=o${v}_${level}`;
      step += `,o${v}_${level + 1}+=s${v}_${dim}`;
    }
    return `${strides}for(${start};i${dim}<${size};${step}){`;
  }

  /** The strides along the innermost dim, where they are not in the text. */
  innerStrides(dim: number): string {
    let text = '';
    for (let v = 0; v < this.viewCount; v++) if (this.strides[v] === STRIDE_ANY) text += `const s${v}_${dim}=q${v}[${dim}];`;
    return text;
  }

  /** An element of view `v` in the innermost loop over `dim`, with counter `j`, inside `level` other loops. */
  element(v: number, level: number, dim: number): string {
    const c = this.strides[v];
    return `p${v}[o${v}_${level}${c === STRIDE_ZERO ? '' : c === STRIDE_ONE ? '+j' : `+j*s${v}_${dim}`}]`;
  }

  /**
   * The program's loads and instructions, in two parts: what is the same along the innermost dim, and what is not. Counters are `i{dim}`, the
   * innermost one `inner`.
   */
  body(level: number, dim: number, inner: string): { readonly before: string; readonly inside: string } {
    const constant = new Set<number>();
    let before = '';
    let inside = '';
    const emit = (register: number, expression: string, isConstant: boolean): void => {
      const line = `const r${register}=${expression};`;
      if (isConstant) constant.add(register);
      if (isConstant) before += line;
      else inside += line;
    };
    this.program.inputs.forEach((dtype, v) => emit(v, loadText(dtype, this.element(v, level, dim)), this.strides[v] === STRIDE_ZERO));
    for (let r = this.program.inputs.length; r < this.#firstInstruction; r++) constant.add(r);
    this.program.instructions.forEach((instruction, i) => {
      const { op, args } = instruction;
      const register = this.#firstInstruction + i;
      if (op === 'index') emit(register, instruction.dim === dim ? inner : `i${instruction.dim}`, instruction.dim !== dim);
      else
        emit(
          register,
          this.#expression(i),
          args.every((r) => constant.has(r)),
        );
    });
    return { before, inside };
  }

  #expression(i: number): string {
    const { op, args, dtype } = this.program.instructions[i];
    const operation = operationOf(op, this.#types[args[op === 'where' ? 1 : 0]], dtype)!;
    return operation.text.replace(/\b[abc]\b/g, (name) => `r${args[name.charCodeAt(0) - 97]}`);
  }

  /** Stores output `n` of the program. */
  store(n: number, level: number, dim: number): string {
    const output = this.program.outputs[n];
    return `${this.element(this.program.inputs.length + n, level, dim)}=${storeText(output.dtype, `r${output.register}`)};`;
  }
}
