/** @file What the code of a reduction is chosen by, and the words of its arguments. */
import type { StrideClass } from './storage.js';

/** Words of the head. */
export const SCRATCH = 0;
export const SCRATCH_STRIDE = 1;
export const BLOCKS = 2;
/** Columns that one unit of work has. */
export const COLUMN_BLOCK = 3;

/** What the code of a reduction is chosen by. */
export interface ReduceForm {
  readonly rank: number;
  /** The reduced dims, outermost first; the last of them is walked along innermost. */
  readonly reduced: readonly number[];
  /** The kept dim that lanes run along, or −1: lanes run along the last reduced dim. */
  readonly column: number;
  /** Of each input, along the dim of the lanes. */
  readonly classes: readonly StrideClass[];
}
