/** @file Times a case of one contender, once its result is known to be right. Tessera and its peers are timed by the same lines. */
import { type BenchmarkCase, CASES, check, type Reference } from '../../../benchmarks/cases.mjs';
import type { Adapter } from '../../../benchmarks/lib/adapter.mjs';

export interface Timing {
  /** A backend of Tessera, or a peer. */
  readonly contender: string;
  readonly name: string;
  readonly status: 'ok' | 'wrong' | 'failed';
  /** The least of all runs, in ms. */
  readonly milliseconds?: number;
  readonly runs?: number;
  /** The largest error against float64, relative to 1 + |value|. */
  readonly error?: number;
  readonly message?: string;
}

export interface TimeRequest {
  /** A case of `benchmarks/cases.mjs`. */
  readonly name: string;
  /** The folder of the references, as an address. */
  readonly reference: string;
  readonly seconds: number;
}

export interface Contender extends Adapter {
  readonly id: string;
  /** Waits for a device that computes on its own. Absent where a run of the adapter waits by itself. */
  synchronize?(): Promise<unknown>;
}

/** In ms: what takes longer is run once. */
export const SLOW = 1500;

/** Floats of other engines may round otherwise: as wide as the command's own runs in browsers. */
const TOLERANCE_SCALE = 10;

/** One round of a case: warmed up, then run until the time is over. */
export async function timeCase(contender: Contender, { name, reference, seconds }: TimeRequest): Promise<Timing> {
  const { id } = contender;
  try {
    const response = await fetch(new URL(`${name}.json`, reference));
    const expected = (await response.json()) as Reference;
    const one: BenchmarkCase = CASES[name]!;
    const make = contender.ops[one.op];
    if (make === undefined) throw new Error(`no ${one.op} there`);
    const prepared = make(one.inputs(), one);
    const { ok, err } = check({ ...one, tol: one.tol * TOLERANCE_SCALE }, await prepared.read(), expected);
    let least = Infinity;
    let runs = 0;
    let last = 0;
    for (const end = performance.now() + 1000 * seconds; (runs < 3 && last < SLOW) || performance.now() < end; runs++) {
      const start = performance.now();
      await prepared.run();
      await contender.synchronize?.();
      last = performance.now() - start;
      // The first run compiles, and grows pools: that matters little where a run takes seconds.
      if (runs > 0 || last > SLOW) least = Math.min(least, last);
      // Lets finalizers run.
      await new Promise((resolve) => setTimeout(resolve));
    }
    prepared.dispose?.();
    return { contender: id, name, status: ok ? 'ok' : 'wrong', milliseconds: least, runs, ...(typeof err === 'number' && { error: err }) };
  } catch (error) {
    return { contender: id, name, status: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}
