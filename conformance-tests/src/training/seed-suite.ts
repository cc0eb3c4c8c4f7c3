/** @file Whole small models: built from a seed, their output, loss and every gradient, and ten steps of three optimizers. */
import { noGrad, type Tensor } from '@tessera/core';
import { compare } from '../check/compare.js';
import { expectedTensor, read } from '../check/host-tensor.js';
import { Mismatch } from '../check/result.js';
import { Skip } from '../check/skip.js';
import type { FixtureSource, SeedManifest, TensorTable } from '../fixtures/index.js';
import { type AnyModule, callModule, disposeModule } from '../modules/construct.js';
import { placeTensor } from '../ops/arguments.js';
import { construct } from '../optimizers/problem.js';
import { type AnyOptimizer, checkLoss, disposeOptimizer, dropGradients, PATH_FLOOR, pathTolerance } from '../optimizers/trajectory.js';
import { seed, type Subject } from '../subject/subject.js';
import type { Suite } from '../suite.js';
import { SEED_MODELS } from './models.js';
import { namedTensor } from './named-tensor.js';

export async function seedSuites(fixtures: FixtureSource): Promise<Suite[]> {
  return (await fixtures.list('seed_examples')).map((name) => seedSuite(fixtures, name));
}

interface Problem {
  readonly name: string;
  readonly manifest: SeedManifest;
  readonly tensors: TensorTable;
  readonly subject: Subject;
  readonly stage: (name: string) => void;
}

function seedSuite(fixtures: FixtureSource, name: string): Suite {
  return {
    level: 'training',
    name,
    async *cases(subject) {
      const { manifest, tensors } = await fixtures.load('seed_examples', name);
      const problem = (stage: Problem['stage']): Problem => ({ name, manifest, tensors, subject, stage });
      yield { id: `${name}/init`, run: (stage) => withModel(problem(stage), checkInit) };
      yield { id: `${name}/gradients`, run: (stage) => withModel(problem(stage), checkGradients) };
      for (const run of Object.keys(manifest.runs))
        yield { id: `${name}/${run}`, run: (stage) => withModel(problem(stage), (model, one) => checkRun(model, one, run)) };
    },
  };
}

async function withModel(problem: Problem, body: (model: AnyModule, problem: Problem) => Promise<void>): Promise<void> {
  const make = SEED_MODELS[problem.name];
  if (make === undefined) throw new Skip('missing', `the kit has no model ${problem.name}`);
  problem.stage('constructor');
  seed(problem.manifest.seed);
  const model = make() as unknown as AnyModule;
  try {
    await body(model, problem);
  } finally {
    dropGradients(model);
    disposeModule(model);
  }
}

/** The same weights as PyTorch's from the same seed, under the same names; and it prints the same. */
async function checkInit(model: AnyModule, { manifest, tensors, stage }: Problem): Promise<void> {
  stage('init');
  const state = new Map(model.stateDict());
  const same = (what: string, got: readonly string[], expected: readonly string[]): void => {
    if (String(got) !== String(expected)) throw new Mismatch(what, expected.join(', '), got.join(', '));
  };
  same('the names of the state differ', [...state.keys()], manifest.state_dict_keys);
  same(
    'the names of the parameters differ',
    [...model.namedParameters()].map(([name]) => name),
    manifest.param_order,
  );
  for (const [name, tensor] of state) await check(name, tensor, tensors, `param.${name}`, 1);
  const repr = model.toString();
  if (repr !== manifest.repr) throw new Mismatch('it prints otherwise', manifest.repr, repr);
}

async function checkGradients(model: AnyModule, { manifest, tensors, subject, stage }: Problem): Promise<void> {
  stage('forward');
  const inputs = inputsOf(tensors, subject).map((input) => input.requiresGrad_());
  const output = callModule(model, '', inputs, {}) as Tensor;
  await check('output', output, tensors, 'output', 1);
  const loss = lossOf(output, manifest, tensors, subject);
  await check('loss', loss, tensors, 'loss', 1);
  stage('gradients');
  loss.backward();
  for (const [name, parameter] of model.namedParameters())
    await check(`gradient of ${name}`, gradientOf(parameter, name), tensors, `grad.${name}`, 4);
  for (const [i, input] of inputs.entries()) {
    await check(`gradient of input ${i}`, gradientOf(input, `input ${i}`), tensors, `grad_input.${i}`, 4);
    input.grad?.dispose();
  }
}

function gradientOf(tensor: Tensor, name: string): Tensor {
  if (tensor.grad === null) throw new Mismatch(`${name} has no gradient`);
  return tensor.grad;
}

/** Ten steps, from the loss before the first to the parameters after the last. */
async function checkRun(model: AnyModule, { manifest, tensors, subject, stage }: Problem, run: string): Promise<void> {
  const { optimizer: name, kwargs, losses, final_loss: final } = manifest.runs[run];
  const options = Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [key.replace('weight_decay', 'weightDecay'), value]));
  const optimizer: AnyOptimizer = construct(
    subject.library,
    name,
    [...model.namedParameters()].map(([, parameter]) => parameter),
    options,
  );
  try {
    const inputs = inputsOf(tensors, subject);
    const compute = (): Tensor => lossOf(callModule(model, '', inputs, {}) as Tensor, manifest, tensors, subject);
    for (let step = 0; step < losses.length; step++) {
      stage(`step ${step + 1}`);
      dropGradients(model);
      const loss = compute();
      loss.backward();
      optimizer.step();
      checkLoss(step, await loss.itemAsync(), losses[step]);
    }
    stage('after the last step');
    checkLoss(losses.length, await noGrad(compute).itemAsync(), final);
    for (const [key, tensor] of model.stateDict())
      if (tensors.has(`${run}.${key}`)) await check(key, tensor, tensors, `${run}.${key}`, losses.length * 4);
  } finally {
    disposeOptimizer(optimizer);
  }
}

function inputsOf(tensors: TensorTable, subject: Subject): Tensor[] {
  const names = [...tensors.keys()].filter((name) => name.startsWith('input.')).toSorted();
  return names.map((name) => placeTensor(namedTensor(name, tensors), subject));
}

function lossOf(output: Tensor, { loss }: SeedManifest, tensors: TensorTable, subject: Subject): Tensor {
  const target = placeTensor(namedTensor('target', tensors), subject);
  const { library } = subject;
  return (loss === 'mse' ? library.fn('F.mseLoss', 'mseLoss') : library.fn('F.crossEntropy'))(output, target) as Tensor;
}

async function check(what: string, tensor: Tensor, tensors: TensorTable, name: string, steps: number): Promise<void> {
  compare(what, await read(tensor), expectedTensor(namedTensor(name, tensors)), pathTolerance(steps), null, PATH_FLOOR);
}
