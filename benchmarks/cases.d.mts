/** The cases, as TypeScript reads them. */
export type BenchmarkInputs = Readonly<
  Record<string, { readonly data: Float32Array | Int32Array; readonly shape: readonly number[]; readonly int?: boolean }>
>;

export interface BenchmarkCase {
  readonly op: string;
  readonly tol: number;
  readonly flops?: number;
  /** Of what is shown; ms where it is absent. */
  readonly unit?: string;
  readonly eps?: number;
  readonly axis?: number;
  readonly lr?: number;
  readonly dims?: readonly number[];
  inputs(): BenchmarkInputs;
}

/** Sampled values of a float64 computation. */
export interface Reference {
  readonly n: number;
  readonly idx: readonly number[];
  readonly val: readonly number[];
}

export declare const CASES: Readonly<Record<string, BenchmarkCase>>;
/** How many first losses are the result of a training case. */
export declare const TRAIN_CHECK: number;
export declare function check(
  one: BenchmarkCase,
  got: ArrayLike<number>,
  reference: Reference,
): { readonly ok: boolean; readonly err: number | string };
