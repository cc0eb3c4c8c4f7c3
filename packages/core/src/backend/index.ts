/** @file The kernel contract and what belongs to it. */
export * from './contract.js';
export * from './opcode-signatures.js';
export * from './opcodes.js';
export * from './program.js';
export * as scalarFunctions from './special.js';
