/** @file How large a linearised program may be. */

/** Registers of the linear form: inputs from 0, scalars from 64, instructions from 128. */
export const MAX_INPUTS = 64;
export const MAX_INSTRUCTIONS = 127;
export const MAX_OUTPUTS = 8;
