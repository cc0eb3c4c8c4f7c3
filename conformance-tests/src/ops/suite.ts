/** @file The ops level: PyTorch's own samples of each of its ops, and calls that it refuses. */
import type { Suite } from '../suite.js';
import type { FixtureKind, FixtureSource } from '../fixtures/index.js';
import { differenceOf, skipOf } from '../skips.js';
import { resolve } from './resolve.js';
import { describeCall } from './describe-call.js';
import { type OpContext, runErrorCase, runOpCase } from './run-case.js';

/** One suite for each op in the data. */
export async function opSuites(fixtures: FixtureSource): Promise<Suite[]> {
  const suites: Suite[] = [];
  for (const kind of ['ops', 'extra_ops'] as const satisfies readonly FixtureKind[]) {
    for (const name of await fixtures.list(kind)) suites.push(opSuite(fixtures, kind, name));
  }
  return suites.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function opSuite(fixtures: FixtureSource, kind: 'ops' | 'extra_ops', name: string): Suite {
  return {
    level: 'ops',
    name,
    async *cases(subject) {
      const { manifest, tensors } = await fixtures.load(kind, name);
      const forms = resolve(manifest, subject);
      const context = (stage: OpContext['stage']): OpContext => ({ op: manifest.op, forms, tensors, subject, stage });
      for (const opCase of manifest.cases) {
        const skip = skipOf(manifest.op, opCase, tensors);
        const difference = differenceOf(manifest.op, opCase, tensors);
        yield {
          id: opCase.id,
          inputs: () => describeCall(forms.name, opCase, tensors),
          ...(skip && { skip }),
          ...(difference && { difference }),
          run: (stage) => runOpCase(opCase, context(stage)),
        };
      }
      for (const errorCase of manifest.errors) {
        const skip = skipOf(manifest.op, errorCase, tensors);
        yield {
          id: errorCase.id,
          inputs: () => describeCall(forms.name, errorCase, tensors),
          ...(skip && { skip }),
          run: (stage) => runErrorCase(errorCase, context(stage)),
        };
      }
    },
  };
}
