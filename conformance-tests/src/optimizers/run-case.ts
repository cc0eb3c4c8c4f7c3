/** @file One case of an optimizer: twenty steps on a small network, losses and parameters against PyTorch's. */
import { isTesseraError } from '@tessera/core';
import { compare } from '../check/compare.js';
import { expectedTensor, read } from '../check/host-tensor.js';
import { flatTensors } from '../check/outputs.js';
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
import { disposeModule } from '../modules/construct.js';
import { makeArguments, placeTensor } from '../ops/arguments.js';
import { camelCase } from '../ops/signature.js';
import type { Subject } from '../subject/subject.js';
import { driftOf, NO_DRIFT } from './drift.js';
import { construct, lossOf, mlp, takeStep } from './problem.js';
import { paramsFrom } from './python-params.js';
import {
  type AnyOptimizer,
  checkLoss,
  disposeOptimizer,
  dropGradients,
  PATH_FLOOR,
  pathTolerance,
  quasiNewtonTolerance,
} from './trajectory.js';

export interface OptimizerContext {
  readonly name: string;
  readonly closure: boolean;
  readonly tensors: TensorTable;
  readonly subject: Subject;
  readonly stage: (name: string) => void;
}

/** After so many steps a second optimizer takes over the first one's state: a stop, and a start from a checkpoint. */
const RESUME_AFTER = 10;

/** Muon rounds its steps to bfloat16: where float32 sums lie on two sides of a tie, a step of length lr differs by a unit in the last place of that. */
const BFLOAT16_ULP = 2 ** -8;

/** @throws Mismatch, Skip, and whatever the optimizer throws */
export async function runOptimizerCase(one: OptimizerCase, context: OptimizerContext): Promise<void> {
  const { subject, name, stage } = context;
  const decoded = decodeOptimizerCase(one, context.tensors);
  stage('constructor');
  const network = mlp(subject.library, one);
  let optimizer: AnyOptimizer | undefined;
  try {
    network.loadStateDict(Object.fromEntries(Object.entries(decoded.init).map(([key, value]) => [key, placeTensor(value, subject)])));
    const parameters = [...network.namedParameters()].map(([, parameter]) => parameter);
    const options = optionsOf(decoded.kwargs, subject);
    optimizer = construct(subject.library, name, parameters, options);
    checkDefaults(optimizer, optionsOf(decoded.defaults, subject));
    const [x, y] = [placeTensor(decoded.x, subject), placeTensor(decoded.y, subject)];
    const tolerance = context.closure ? quasiNewtonTolerance : pathTolerance;
    const drift = context.closure ? await driftOf(name, one, decoded, options) : NO_DRIFT;
    const coarse = name === 'Muon' ? BFLOAT16_ULP * (optimizer.paramGroups[0]?.lr ?? 0) : 0;
    for (let step = 0; step < one.losses.length; step++) {
      if (step === RESUME_AFTER) {
        stage('resume');
        checkStateKeys(optimizer, one.state_keys);
        const next = construct(subject.library, name, parameters, options);
        const fresh = [...next.state.values()].flatMap((entry) => flatTensors(entry));
        await next.loadStateDictAsync(optimizer.stateDict());
        for (const tensor of fresh) tensor.dispose();
        disposeOptimizer(optimizer);
        optimizer = next;
      }
      stage(`step ${step + 1}`);
      const loss = await takeStep(optimizer, context.closure, () => lossOf(subject.library, network, x, y));
      checkLoss(step, await loss.itemAsync(), one.losses[step], tolerance, drift.loss(step) + coarse);
      const after = decoded.after.find((entry) => entry.step === step + 1);
      for (const [key, value] of Object.entries(after?.state ?? {})) {
        const parameter = [...network.namedParameters()].find(([own]) => own === key)?.[1];
        if (!parameter) throw new Mismatch(`the network has no ${key}`);
        const what = `${key} after step ${step + 1}`;
        compare(
          what,
          await read(parameter),
          expectedTensor(value),
          tolerance(step + 1),
          drift.parameter(step, key),
          PATH_FLOOR + coarse * Math.sqrt(step + 1),
        );
      }
    }
  } finally {
    if (optimizer) disposeOptimizer(optimizer);
    dropGradients(network);
    disposeModule(network);
  }
}

function optionsOf(kwargs: ValueRecord, subject: Subject): Record<string, unknown> {
  const { kwargs: plain } = makeArguments({ args: [], kwargs, leaves: [] }, subject);
  return Object.fromEntries(Object.entries(plain).map(([key, value]) => [camelCase(key), value]));
}

/** All options and their values, as PyTorch's optimizer reports them. @throws Mismatch */
function checkDefaults({ defaults }: AnyOptimizer, expected: Readonly<Record<string, unknown>>): void {
  const names = [...new Set([...Object.keys(defaults), ...Object.keys(expected)])];
  const wrong = names.filter((name) => JSON.stringify(defaults[name]) !== JSON.stringify(expected[name]));
  if (wrong.length > 0)
    throw new Mismatch(`the defaults of ${wrong.join(', ')} differ`, JSON.stringify(expected), JSON.stringify(defaults));
}

/** Scratch of PyTorch's that is made anew in each step. */
const SCRATCH = new Set(['al']);

/** The first parameter has PyTorch's entries in a checkpoint. @throws Mismatch */
function checkStateKeys(optimizer: AnyOptimizer, expected: readonly string[]): void {
  const own = new Set(Object.keys(optimizer.stateDict().state[0] ?? {}));
  const names = [...new Set([...own, ...expected])].filter((name) => !SCRATCH.has(name));
  const wrong = names.filter((name) => own.has(name) !== expected.includes(name));
  if (wrong.length > 0) throw new Mismatch(`the state's entries ${wrong.join(', ')} differ`, expected.join(', '), [...own].join(', '));
}

/** Where the data name no parameters. */
const PLAIN = '[Parameter containing:\ntensor([[0.5]], requires_grad=True)]';

/** What PyTorch refuses must be refused with a coded error. @throws Mismatch, Skip */
export function runOptimizerError({ kwargs, params_repr: printed, error }: OptimizerErrorCase, context: OptimizerContext): Promise<void> {
  const { subject, name, stage, tensors } = context;
  stage('error');
  const { params, made } = paramsFrom(printed === 'None' ? PLAIN : printed, subject);
  try {
    construct(subject.library, name, params, optionsOf(decodeRecord(kwargs, tensors), subject));
  } catch (thrown) {
    if (thrown instanceof Skip) throw thrown;
    if (isTesseraError(thrown)) return Promise.resolve();
    throw new Mismatch('it is no TesseraError with a code', `${error.type}: ${error.message}`, String(thrown));
  } finally {
    for (const parameter of made) parameter.dispose();
  }
  throw new Mismatch('it went through', `${error.type}: ${error.message}`);
}
