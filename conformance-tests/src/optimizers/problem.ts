/** @file The problem that optimizers are tried on: a small network, all of its data in each step. */
import type { Tensor } from '@tessera/core';
import { Mismatch } from '../check/result.js';
import type { OptimizerCase } from '../fixtures/index.js';
import { type AnyModule, callModule, constructModule } from '../modules/construct.js';
import type { Library } from '../subject/library.js';
import { type AnyOptimizer, dropGradients } from './trajectory.js';

/** Linear → Tanh → Linear. */
export function mlp(library: Library, { sizes: [inputs, hidden, outputs], problem }: OptimizerCase): AnyModule {
  const bias = problem === 'mlp' ? {} : { bias: false };
  const layers = [
    constructModule(library, 'Linear', [inputs, hidden], bias),
    constructModule(library, 'Tanh', [], {}),
    constructModule(library, 'Linear', [hidden, outputs], bias),
  ];
  return new (library.cls('nn.Sequential'))(...layers) as unknown as AnyModule;
}

/** The mean squared error, with its gradients in the parameters. */
export function lossOf(library: Library, network: AnyModule, x: Tensor, y: Tensor): Tensor {
  dropGradients(network);
  const loss = library.fn('F.mseLoss', 'mseLoss')(callModule(network, 'Sequential', [x], {}), y) as Tensor;
  loss.backward();
  return loss;
}

export function construct(library: Library, name: string, parameters: unknown, options: Readonly<Record<string, unknown>>): AnyOptimizer {
  return new (library.cls(`optim.${name}`))(parameters, options) as unknown as AnyOptimizer;
}

/** The loss before the step. With a closure, the optimizer calls it as often as it wants; the first one counts. */
export async function takeStep(optimizer: AnyOptimizer, closure: boolean, compute: () => Tensor): Promise<Tensor> {
  if (!closure) {
    const loss = compute();
    optimizer.step();
    return loss;
  }
  let first: Tensor | undefined;
  const counted = (): Tensor => {
    const loss = compute();
    first ??= loss;
    return loss;
  };
  await (optimizer.stepAsync ? optimizer.stepAsync(counted) : optimizer.step(counted));
  if (!first) throw new Mismatch('the closure was not called');
  return first;
}
