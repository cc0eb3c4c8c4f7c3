/** @file The modules level: PyTorch's own samples of each of its layers. */
import type { FixtureSource } from '../fixtures/index.js';
import { describeCall } from '../ops/describe-call.js';
import { pythonSkip } from '../skips.js';
import type { Suite } from '../suite.js';
import { type ModuleContext, runModuleCase, runModuleError } from './run-case.js';

/** One suite for each class in the data. */
export async function moduleSuites(fixtures: FixtureSource): Promise<Suite[]> {
  return (await fixtures.list('modules')).map((name) => moduleSuite(fixtures, name));
}

function moduleSuite(fixtures: FixtureSource, name: string): Suite {
  return {
    level: 'modules',
    name,
    async *cases(subject) {
      const { manifest, tensors } = await fixtures.load('modules', name);
      const context = (stage: ModuleContext['stage']): ModuleContext => ({ name, tensors, subject, stage });
      for (const one of manifest.cases) {
        const inputs = (): string => `${describeCall(`new nn.${name}`, one.ctor, tensors)} ${describeCall('forward', one, tensors)}`;
        yield { id: one.id, inputs, run: (stage) => runModuleCase(one, context(stage)) };
      }
      for (const one of manifest.errors) {
        const skip = pythonSkip(one.error);
        const inputs = (): string => describeCall(`new nn.${name}`, one.ctor, tensors);
        yield { id: one.id, inputs, ...(skip && { skip }), run: (stage) => runModuleError(one, context(stage)) };
      }
    },
  };
}
