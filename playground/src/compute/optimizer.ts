/** @file From the form's choice to an optimizer and its schedule. */
import { optim, type Parameter, ValueError } from 'tessera';
import type { OptimizerChoice } from '../shared/settings.js';

type AnyOptimizer = optim.Optimizer<{ lr: number }>;
type OptimizerClass = new (parameters: readonly Parameter[], options: object) => AnyOptimizer;

/** @throws ValueError `ERR_OPTIM_OPTION` for options out of range. */
export function makeOptimizer(parameters: readonly Parameter[], { name, options }: OptimizerChoice): AnyOptimizer {
  const { beta1, beta2, ...rest } = options;
  const found = (optim as unknown as Readonly<Record<string, OptimizerClass | undefined>>)[name];
  if (found === undefined) throw new ValueError('ERR_OPTIM_OPTION', `there is no optimizer '${name}'`);
  return new found(parameters, beta1 === undefined ? rest : { ...rest, betas: [beta1, beta2] });
}

/** Learning rate by step; the cosine falls to a hundredth over so many steps and stays there. */
export function makeSchedule(optimizer: AnyOptimizer, { schedule }: OptimizerChoice, steps: number): optim.lrScheduler.LambdaLR | null {
  if (schedule === 'constant') return null;
  return new optim.lrScheduler.LambdaLR(optimizer, (step) => 0.01 + 0.99 * 0.5 * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps)));
}
