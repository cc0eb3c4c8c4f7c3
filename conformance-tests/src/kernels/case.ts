/** @file How the suites of kernels are written down: a name, and what is tried on the bench. */
import type { Subject } from '../subject/subject.js';
import type { Case, Suite } from '../suite.js';
import { Bench } from './bench.js';

export type KernelTest = (bench: Bench, subject: Subject) => Promise<void> | void;

/** Named tests, in order. */
export type KernelTests = Iterable<readonly [name: string, test: KernelTest]>;

/** A suite of tests of one kernel, each on a bench of its own. */
export function kernelSuite(name: string, tests: () => KernelTests): Suite {
  return {
    level: 'kernels',
    name,
    // oxlint-disable-next-line typescript/require-await -- suites of fixtures do load something
    async *cases(subject): AsyncGenerator<Case> {
      for (const [test, run] of tests()) yield { id: `${name}/${test}`, run: (stage) => onBench(subject, run, stage) };
    },
  };
}

async function onBench(subject: Subject, test: KernelTest, stage: (name: string) => void): Promise<void> {
  stage('kernel');
  const bench = new Bench(subject.device.backend);
  try {
    await test(bench, subject);
  } finally {
    bench.end();
  }
}
