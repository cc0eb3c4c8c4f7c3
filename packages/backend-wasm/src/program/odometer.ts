/** @file Walking over dims in row-major order, with the addresses of views moving along. */
import { type FunctionBuilder, i32, type Label, type Local } from '../assembler/index.js';
import type { ArgumentLayout } from './argument-layout.js';

type I32 = Local<'i32'>;

export class Odometer {
  /** The index along each of the dims, by the dim's number. */
  readonly index = new Map<number, I32>();

  constructor(
    readonly f: FunctionBuilder,
    readonly layout: ArgumentLayout,
    readonly args: I32,
    /** Outermost first. */
    readonly dims: readonly number[],
    /** The views that move, and where their addresses are kept. */
    readonly pointers: ReadonlyMap<number, I32>,
  ) {
    for (const dim of dims) this.index.set(dim, f.local('i32', undefined, `i${dim}`));
  }

  /** Sets out at the row-major place `place` (which is used up): indices and addresses. */
  seek(place: I32): void {
    const { f, layout, args } = this;
    for (const dim of this.dims.toReversed()) {
      const index = this.index.get(dim)!;
      const size = f.local('i32', layout.size(args, dim));
      f.set(index, i32.remU(place, size));
      f.set(place, i32.divU(place, size));
      for (const [view, pointer] of this.pointers) f.increment(pointer, i32.mul(index, layout.stride(args, view, dim)));
    }
  }

  /** Starts at the first place: the addresses must be there already. */
  start(): void {
    for (const index of this.index.values()) this.f.set(index, 0);
  }

  /** Goes on to the next place and jumps to `again`; after the last one it is back at the first and falls through. */
  advance(again: Label): void {
    const { f, layout, args } = this;
    for (const dim of this.dims.toReversed()) {
      const index = this.index.get(dim)!;
      for (const [view, pointer] of this.pointers) f.increment(pointer, layout.stride(args, view, dim));
      f.increment(index, 1);
      f.brIf(again, i32.ltU(index, layout.size(args, dim)));
      for (const [view, pointer] of this.pointers) f.set(pointer, i32.sub(pointer, i32.mul(index, layout.stride(args, view, dim))));
      f.set(index, 0);
    }
  }
}
