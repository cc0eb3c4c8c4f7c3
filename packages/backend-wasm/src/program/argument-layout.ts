/** @file Where a compiled program finds its arguments: sizes, then of each view its address and strides (in bytes), then the scalars. */
import { DTYPE_INFO, type Program, type View } from '@tessera/core/backend';
import { i32, type Expr, type Local } from '../assembler/index.js';
import { ARGUMENTS, type LinearMemory } from '../memory/linear-memory.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';

type WasmView = View<WasmBuffer>;

/** Words before the sizes, for each kind of kernel to use. */
export const HEAD_WORDS = 6;

export class ArgumentLayout {
  /** Byte offsets from the start of the arguments. */
  readonly #views: number;
  readonly scalars: number;
  readonly #elementSizes: readonly number[];

  constructor(
    readonly program: Program,
    readonly rank: number,
    /** The views after the program's inputs, by the sizes of their elements. */
    outputs: readonly number[],
  ) {
    this.#elementSizes = [...program.inputs.map((dtype) => DTYPE_INFO[dtype].size), ...outputs];
    this.#views = 4 * (HEAD_WORDS + rank);
    const end = this.#views + 4 * (rank + 1) * this.viewCount;
    this.scalars = Math.ceil(end / 8) * 8;
  }

  get viewCount(): number {
    return this.#elementSizes.length;
  }

  elementSize(view: number): number {
    return this.#elementSizes[view];
  }

  /** A word of the head. */
  head(args: Local<'i32'>, word: number): Expr<'i32'> {
    return i32.load(args, 4 * word);
  }

  size(args: Local<'i32'>, dim: number): Expr<'i32'> {
    return i32.load(args, 4 * (HEAD_WORDS + dim));
  }

  address(args: Local<'i32'>, view: number): Expr<'i32'> {
    return i32.load(args, this.#views + 4 * (this.rank + 1) * view);
  }

  /** In bytes. */
  stride(args: Local<'i32'>, view: number, dim: number): Expr<'i32'> {
    return i32.load(args, this.#views + 4 * ((this.rank + 1) * view + 1 + dim));
  }

  /** Writes the sizes of `shape`. */
  writeShape(memory: LinearMemory, shape: readonly number[]): void {
    const { i32: words } = memory;
    for (let d = 0, at = ARGUMENTS / 4 + HEAD_WORDS; d < shape.length; d++) words[at++] = shape[d];
  }

  writeView(memory: LinearMemory, view: number, { buffer, offset, strides }: WasmView): void {
    const { i32: words } = memory;
    const size = this.#elementSizes[view];
    let at = (ARGUMENTS + this.#views) / 4 + (this.rank + 1) * view;
    words[at++] = buffer.address + offset * size;
    for (let d = 0; d < strides.length; d++) words[at++] = strides[d] * size;
  }

  writeScalars(memory: LinearMemory, values: ArrayLike<number>): void {
    const { scalars } = this.program;
    let at = ARGUMENTS + this.scalars;
    for (let i = 0; i < scalars.length; i++, at += 8) {
      switch (scalars[i]) {
        case 'float32':
          memory.f32[at >>> 2] = values[i];
          break;
        case 'float64':
          memory.f64[at >>> 3] = values[i];
          break;
        case 'int32':
          memory.i32[at >>> 2] = values[i];
          break;
        default:
          memory.i32[at >>> 2] = values[i] !== 0 ? -1 : 0;
      }
    }
  }
}
