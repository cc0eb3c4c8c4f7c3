/**
 * @file The shared memory between a caller and the worker that owns the device: a ring of commands, an area for what was read, and a few
 * control words.
 */

/** Commands. Each begins with its code and its length in words. */
export const OP = {
  wrap: 0,
  createPipeline: 1,
  createBuffer: 2,
  destroyBuffer: 3,
  write: 4,
  dispatch: 5,
  read: 6,
  flush: 7,
  close: 8,
  destroyDevice: 9,
  readAsync: 10,
  compileAside: 11,
  beginTiming: 12,
  endTiming: 13,
} as const;

/** Control words. */
export const CONTROL = {
  /** Words written to, and taken from, the ring. */
  head: 0,
  tail: 1,
  /** The worker waits for `head` to move. */
  asleep: 2,
  /** Counts answers to reads; status and length of the last. */
  answer: 3,
  answerStatus: 4,
  answerLength: 5,
  /** The caller waits for `tail` to move. */
  callerWaits: 6,
  state: 7,
  /** The worker is to park. */
  stop: 8,
  /** The last commands are in the ring: no more pacing. */
  closing: 9,
  /** The executor's counters, in their order, from here on. */
  counters: 16,
} as const;

/** Values of the control word `state`. */
export const STATE = { starting: 0, running: 1, parked: 2, closed: 3 } as const;

export const CONTROL_BYTES = 256;
export const FAULT_BYTES = 8192 - CONTROL_BYTES;
const HEADER = 8192;

/** One worker's shared memory. */
export interface Shared {
  readonly buffer: SharedArrayBuffer;
  readonly ringBytes: number;
  readonly resultBytes: number;
}

/** @param ringBytes A power of two. */
export function makeShared(ringBytes = 1 << 23, resultBytes = 1 << 23): Shared {
  return { buffer: new SharedArrayBuffer(HEADER + ringBytes + resultBytes), ringBytes, resultBytes };
}

/** Everything that the worker's code, which imports nothing, has to know. */
export const PROTOCOL = { OP, CONTROL, STATE, CONTROL_BYTES, FAULT_BYTES, HEADER };
export type Protocol = typeof PROTOCOL;
