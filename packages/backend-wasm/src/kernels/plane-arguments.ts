/**
 * @file Kernels over two dims at a time: what gather, scatter and sort share. JavaScript walks over the outer dims of merged loops; the compiled code does
 * rows and columns. Arguments are plain words.
 */
import type { Loops } from '@tessera/core/backend';
import { i32, type FunctionBuilder, type Local } from '../assembler/index.js';
import { ARGUMENTS, type LinearMemory } from '../memory/linear-memory.js';

/** Names of words, in order, and access to them from both sides. */
export class Words<N extends string> {
  readonly #place: Readonly<Record<N, number>>;

  constructor(readonly names: readonly N[]) {
    this.#place = Object.fromEntries(names.map((name, i) => [name, i])) as Record<N, number>;
  }

  /** Locals with the words' values. */
  read(f: FunctionBuilder, args: Local<'i32'>): Readonly<Record<N, Local<'i32'>>> {
    return Object.fromEntries(this.names.map((name, i) => [name, f.local('i32', i32.load(args, 4 * i), name)])) as Record<N, Local<'i32'>>;
  }

  write(memory: LinearMemory, values: Readonly<Record<N, number>>): void {
    for (const name of this.names) memory.i32[ARGUMENTS / 4 + this.#place[name]] = values[name];
  }

  set(memory: LinearMemory, name: N, value: number): void {
    memory.i32[ARGUMENTS / 4 + this.#place[name]] = value;
  }
}

/** The last two dims of loops, and the loops over the others. */
export interface Planes {
  readonly rows: number;
  readonly columns: number;
  /** Of each view, its strides over rows and columns. */
  readonly strides: readonly { readonly row: number; readonly column: number }[];
  readonly outer: Loops;
}

export function planesOf({ shape, strides }: Loops): Planes {
  const last = shape.length - 1;
  const cut = Math.max(0, last - 1);
  return {
    rows: last > 0 ? shape[last - 1] : 1,
    columns: shape[last],
    strides: strides.map((s) => ({ row: last > 0 ? s[last - 1] : 0, column: s[last] })),
    // One dim more, of size 1, for walkRows to call back at.
    outer: { shape: [...shape.slice(0, cut), 1], strides: strides.map((s) => [...s.slice(0, cut), 0]) },
  };
}
