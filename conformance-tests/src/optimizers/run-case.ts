/** @file One case of an optimizer: twenty steps on a small network, losses and parameters against PyTorch's. */
import { isTesseraError, type Tensor } from '@tessera/core';
import { compare } from '../check/compare.js';
import { expectedTensor, read } from '../check/host-tensor.js';
import { Mismatch } from '../check/result.js';
import { Skip } from '../check/skip.js';
import {
  decodeOptimizerCase,
  decodeRecord,
  type OptimizerCase,
  type OptimizerErrorCase,
  type TensorTable,
  type ValueRecord,
} from '../fixtures/index.js';
import { type AnyModule, callModule, constructModule, disposeModule } from '../modules/construct.js';
import { makeArguments, placeTensor } from '../ops/arguments.js';
import { camelCase } from '../ops/signature.js';
import type { Library } from '../subject/library.js';
import type { Subject } from '../subject/subject.js';
import { parametersFrom } from './parameters.js';
import { type AnyOptimizer, checkLoss, disposeOptimizer, dropGradients, PATH_FLOOR, pathTolerance } from './trajectory.js';

export interface OptimizerContext {
  readonly name: string;
  readonly closure: boolean;
  readonly tensors: TensorTable;
  readonly subject: Subject;
  readonly stage: (name: string) => void;
}

/** @throws Mismatch, Skip, and whatever the optimizer throws */
export async function runOptimizerCase(one: OptimizerCase, context: OptimizerContext): Promise<void> {
  const { subject, name, stage } = context;
  const decoded = decodeOptimizerCase(one, context.tensors);
  stage('constructor');
  const network = mlp(subject.library, one);
  let optimizer: AnyOptimizer | undefined;
  try {
    network.loadStateDict(Object.fromEntries(Object.entries(decoded.init).map(([key, value]) => [key, placeTensor(value, subject)])));
    optimizer = construct(
      subject.library,
      name,
      [...network.namedParameters()].map(([, parameter]) => parameter),
      optionsOf(decoded.kwargs, subject),
    );
    const [x, y] = [placeTensor(decoded.x, subject), placeTensor(decoded.y, subject)];
    const mseLoss = subject.library.fn('F.mseLoss', 'mseLoss');
    for (let step = 0; step < one.losses.length; step++) {
      stage(`step ${step + 1}`);
      const loss = await takeStep(optimizer, context.closure, () => {
        dropGradients(network);
        const current = mseLoss(callModule(network, 'Sequential', [x], {}), y) as Tensor;
        current.backward();
        return current;
      });
      checkLoss(step, await loss.itemAsync(), one.losses[step], name);
      const after = decoded.after.find((entry) => entry.step === step + 1);
      for (const [key, value] of Object.entries(after?.state ?? {})) {
        const parameter = [...network.namedParameters()].find(([own]) => own === key)?.[1];
        if (!parameter) throw new Mismatch(`the network has no ${key}`);
        compare(
          `${key} after step ${step + 1}`,
          await read(parameter),
          expectedTensor(value),
          pathTolerance(step + 1, name),
          null,
          PATH_FLOOR,
        );
      }
    }
  } finally {
    if (optimizer) disposeOptimizer(optimizer);
    dropGradients(network);
    disposeModule(network);
  }
}

/** The loss before the step. With a closure, the optimizer calls it as often as it wants; the first one counts. */
async function takeStep(optimizer: AnyOptimizer, closure: boolean, compute: () => Tensor): Promise<Tensor> {
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

/** Linear → Tanh → Linear. */
function mlp(library: Library, { sizes: [inputs, hidden, outputs], problem }: OptimizerCase): AnyModule {
  const bias = problem === 'mlp' ? {} : { bias: false };
  const layers = [
    constructModule(library, 'Linear', [inputs, hidden], bias),
    constructModule(library, 'Tanh', [], {}),
    constructModule(library, 'Linear', [hidden, outputs], bias),
  ];
  return new (library.cls('nn.Sequential'))(...layers) as unknown as AnyModule;
}

export function construct(
  library: Library,
  name: string,
  parameters: readonly Tensor[],
  options: Readonly<Record<string, unknown>>,
): AnyOptimizer {
  return new (library.cls(`optim.${name}`))(parameters, options) as unknown as AnyOptimizer;
}

function optionsOf(kwargs: ValueRecord, subject: Subject): Record<string, unknown> {
  const { kwargs: plain } = makeArguments({ args: [], kwargs, leaves: [] }, subject);
  return Object.fromEntries(Object.entries(plain).map(([key, value]) => [camelCase(key), value]));
}

/** Options that PyTorch refuses must be refused with a coded error. @throws Mismatch, Skip */
export function runOptimizerError(
  { kwargs, params_repr: parameters, error }: OptimizerErrorCase,
  context: OptimizerContext,
): Promise<void> {
  const { subject, name, stage, tensors } = context;
  stage('error');
  const decoded = decodeRecord(kwargs, tensors);
  const parameter = constructModule(subject.library, 'Linear', [2, 3], {});
  try {
    construct(
      subject.library,
      name,
      // Without a list in the data it was a plain parameter.
      parameters === null || parameters === 'None'
        ? [...parameter.namedParameters()].slice(0, 1).map(([, tensor]) => tensor)
        : (parametersFrom(parameters, subject) as readonly Tensor[]),
      optionsOf(decoded, subject),
    );
  } catch (thrown) {
    if (thrown instanceof Skip) throw thrown;
    if (isTesseraError(thrown)) return Promise.resolve();
    throw new Mismatch('it is no TesseraError with a code', `${error.type}: ${error.message}`, String(thrown));
  } finally {
    disposeModule(parameter);
  }
  throw new Mismatch('it went through', `${error.type}: ${error.message}`);
}
