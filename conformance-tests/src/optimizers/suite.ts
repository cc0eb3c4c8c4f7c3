/** @file The optimizers level: each optimizer's twenty steps, each scheduler's twelve. */
import type { FixtureSource } from '../fixtures/index.js';
import type { Suite } from '../suite.js';
import { type OptimizerContext, runOptimizerCase, runOptimizerError } from './run-case.js';
import { runScheduler } from './schedulers.js';

export async function optimizerSuites(fixtures: FixtureSource): Promise<Suite[]> {
  const optimizers = (await fixtures.list('optim')).map((name) => optimizerSuite(fixtures, name));
  return [...optimizers, ...(await fixtures.list('schedulers')).map((name) => schedulerSuite(fixtures, name))];
}

function optimizerSuite(fixtures: FixtureSource, name: string): Suite {
  return {
    level: 'optimizers',
    name,
    async *cases(subject) {
      const { manifest, tensors } = await fixtures.load('optim', name);
      const context = (stage: OptimizerContext['stage']): OptimizerContext => ({
        name,
        closure: manifest.step_requires_closure,
        tensors,
        subject,
        stage,
      });
      for (const one of manifest.cases)
        yield {
          id: one.id,
          inputs: () => `new optim.${name}(parameters, ${JSON.stringify(one.kwargs)})`,
          run: (stage) => runOptimizerCase(one, context(stage)),
        };
      for (const one of manifest.errors) {
        const inputs = (): string => `new optim.${name}(parameters, ${JSON.stringify(one.kwargs)})`;
        yield { id: one.id, inputs, run: async (stage) => runOptimizerError(one, context(stage)) };
      }
    },
  };
}

function schedulerSuite(fixtures: FixtureSource, name: string): Suite {
  return {
    level: 'optimizers',
    name,
    async *cases(subject) {
      const { manifest } = await fixtures.load('schedulers', name);
      yield {
        id: `${name}/lrs`,
        inputs: () => `new optim.lrScheduler.${name}(${JSON.stringify(manifest.kwargs ?? manifest.of)})`,
        run: (stage) => runScheduler(name, manifest, subject, stage),
      };
    },
  };
}
