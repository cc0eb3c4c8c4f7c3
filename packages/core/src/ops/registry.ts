/** @file What is known of each op beside its function: for the tables in the docs and the conformance kit. */
export interface OpInfo {
  readonly name: string;
  readonly inputs: number;
  readonly differentiable: boolean;
}

/** All declared ops by name. */
export const OPS = new Map<string, OpInfo>();
