/** @file What a program costs, for choices of code and of threads. */
import { OPCODE_SIGNATURES, type Program } from '@tessera/core/backend';

/** The price of one element, where an addition is 1. */
export function priceOf(program: Program): number {
  let price = program.inputs.length + program.outputs.length;
  for (const { op } of program.instructions) price += OPCODE_SIGNATURES[op].price;
  return price;
}

/** How many groups of four elements one round of a loop takes. */
export function unrolling(program: Program): 1 | 2 | 4 {
  const price = priceOf(program);
  return price <= 8 ? 4 : price <= 40 ? 2 : 1;
}

/** What four lanes make of a price, in ns an element, roughly. */
export const NANOSECONDS_A_PRICE = 0.08;
