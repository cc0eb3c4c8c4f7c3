/** @file What an adapter is: how to call ours where a signature cannot say it. */
import type { Library } from '../../subject/library.js';
import type { Subject } from '../../subject/subject.js';

/** A call to make. Tensors are on the device; Python's other values are JavaScript's. */
export interface AdapterCall {
  readonly library: Library;
  readonly subject: Subject;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** Makes the call. @throws Skip where something that it needs does not exist. */
export type Adapter = (call: AdapterCall) => unknown;

/** Adapters by the op's name in the data, or by PyTorch's name without a variant's ending. */
export type Adapters = Readonly<Record<string, Adapter | undefined>>;
