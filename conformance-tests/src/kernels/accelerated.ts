/** @file Tests of kernels that a backend may have or not, and may decline. */
import type { AcceleratedKernels } from '@tessera/core';
import { Mismatch } from '../check/result.js';
import { Skip } from '../check/skip.js';
import type { Subject } from '../subject/subject.js';
import type { Suite } from '../suite.js';
import type { Bench } from './bench.js';
import { kernelSuite } from './case.js';

export type Kernel<K extends keyof AcceleratedKernels> = AcceleratedKernels[K];

/** Calls the kernel and checks its result; false where the kernel declined. */
export type AcceleratedTest<K extends keyof AcceleratedKernels> = (bench: Bench, kernel: Kernel<K>, subject: Subject) => Promise<boolean>;

/** How many tests of each kernel are tried on float64 as well. */
const FLOAT64_TESTS = 5;

/** A suite that is skipped where the backend has no such kernel. */
export function accelerated<K extends keyof AcceleratedKernels>(
  name: K,
  tests: () => Iterable<readonly [string, AcceleratedTest<K>]>,
): Suite {
  return kernelSuite(name, function* () {
    let others = 0;
    for (const [test, run] of tests()) {
      yield [test, (bench, subject) => onKernel(bench, name, run, subject)];
      // float64 is declined, or done as well.
      if (others++ < FLOAT64_TESTS)
        yield [
          `float64/${test}`,
          async (bench, subject) => {
            bench.useFloat('float64');
            await onKernel(bench, name, run, subject);
          },
        ];
    }
  });
}

async function onKernel<K extends keyof AcceleratedKernels>(
  bench: Bench,
  name: K,
  run: AcceleratedTest<K>,
  subject: Subject,
): Promise<void> {
  const { kernels } = bench;
  const kernel = kernels[name] as Kernel<K> | undefined;
  if (kernel === undefined) throw new Skip('optional', `it has no kernel of its own for ${name}`);
  const answered = await run(bench, kernel.bind(kernels) as Kernel<K>, subject);
  if (answered) return;
  try {
    await bench.checkUntouched();
  } catch (error) {
    throw error instanceof Mismatch ? new Mismatch(`${name} declined the call after it had written`, error.expected, error.got) : error;
  }
  throw new Skip('optional', `${name} declines this call`);
}
