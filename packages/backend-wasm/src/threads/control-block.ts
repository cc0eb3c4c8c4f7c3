/** @file The words by which threads find their work, by their places in the control block. */

/** Which job is the newest: what idle workers wait for. Never 0 once there was one. */
export const NEWEST = 0;
/** The job that may be joined, or 0. */
export const OPEN = 1;
/** Workers between joining a job and leaving it. The caller does not touch the job's words before this is 0. */
export const ACTIVE = 2;
/** The next unit of work that nobody has taken. */
export const NEXT = 3;
export const COUNT = 4;
export const GRAIN = 5;
/** Where the module's bytes are, how many, its number, and the place of the function among its exports. */
export const MODULE_ADDRESS = 6;
export const MODULE_LENGTH = 7;
export const MODULE_ID = 8;
export const EXPORT = 9;
export const ARGUMENTS_AT = 10;
/** Workers that have begun to wait for work. */
export const READY = 11;
/** Not 0: a kernel has thrown on a worker; its message follows, {@link MESSAGE_BYTES} at {@link MESSAGE}. */
export const FAILED = 12;
export const MESSAGE_LENGTH = 13;
/** Not 0: workers are to end. */
export const STOP = 14;
export const MESSAGE = 32;
export const MESSAGE_BYTES = 512;
export const WORDS = 192;
