/** @file One case of a layer: constructor, state, forward, gradients of inputs and parameters, buffers afterwards, how it prints. */
import { grad, isTesseraError, type Tensor } from '@tessera/core';
import { compare } from '../check/compare.js';
import { expectedTensor, read } from '../check/host-tensor.js';
import { checkOutputs, flatTensors } from '../check/outputs.js';
import { Mismatch } from '../check/result.js';
import { Skip } from '../check/skip.js';
import {
  decodeCall,
  type DecodedModuleCase,
  decodeModuleCase,
  type ModuleCase,
  type ModuleErrorCase,
  type TensorTable,
  type TensorValue,
} from '../fixtures/index.js';
import { makeArguments, placeTensor } from '../ops/arguments.js';
import { seed, type Subject } from '../subject/subject.js';
import { toleranceFor } from '../tolerances.js';
import { type AnyModule, callOn, constructModule, disposeModule } from './construct.js';

export interface ModuleContext {
  /** The class's name. */
  readonly name: string;
  readonly tensors: TensorTable;
  readonly subject: Subject;
  readonly stage: (name: string) => void;
}

/** Outputs and gradients go through several ops, each with its rounding. */
const FLOOR = 1e-6;

/** @throws Mismatch, Skip, and whatever the layer throws */
export async function runModuleCase(moduleCase: ModuleCase, context: ModuleContext): Promise<void> {
  const decoded = decodeModuleCase(moduleCase, context.tensors);
  await withModule(decoded.ctor, context, async (module) => {
    context.stage('state');
    const state = Object.entries(decoded.state).map(([name, value]) => [name, placeTensor(value, context.subject)] as const);
    module.loadStateDict(Object.fromEntries(state));
    module.train(moduleCase.training);
    context.stage('forward');
    const given = makeArguments(decoded, context.subject);
    seed(moduleCase.fwd_seed);
    const out = await callOn(context.subject.device, module, context.name, given.args, given.kwargs);
    await checkOutputs(out, decoded.out, { op: `nn.${context.name}`, what: 'output', elements: 1, absolute: FLOOR });
    if (decoded.backward) await checkGradients(module, out, given.leaves, decoded, context);
    context.stage('buffers');
    const buffers = new Map(module.namedBuffers());
    for (const [name, value] of Object.entries(decoded.buffersAfter)) {
      const buffer = buffers.get(name);
      if (!buffer) throw new Mismatch(`there is no buffer ${name}`);
      await check(name, buffer, value, context);
    }
    context.stage('repr');
    const repr = module.toString();
    if (withoutFractions(repr) !== withoutFractions(moduleCase.repr)) throw new Mismatch('it prints otherwise', moduleCase.repr, repr);
  });
}

/** `beta=2.0` as `beta=2`: JavaScript cannot tell which of the two was given. */
const withoutFractions = (text: string): string => text.replaceAll(/(?<=\d)\.0(?!\d)/g, '');

/** A constructor or a forward that PyTorch refuses must be refused with a coded error. @throws Mismatch, Skip */
export async function runModuleError(errorCase: ModuleErrorCase, context: ModuleContext): Promise<void> {
  context.stage('error');
  try {
    await withModule(decodeCall(errorCase.ctor, context.tensors), context, async (module) => {
      if (errorCase.on === 'CONSTRUCTION_ERROR') return;
      const given = makeArguments(
        decodeCall({ args: errorCase.args ?? [], kwargs: errorCase.kwargs ?? {} }, context.tensors),
        context.subject,
      );
      const out = await callOn(context.subject.device, module, context.name, given.args, given.kwargs);
      for (const tensor of flatTensors(out)) await tensor.dataAsync();
    });
  } catch (error) {
    if (error instanceof Skip) throw error;
    if (isTesseraError(error)) return;
    throw new Mismatch('it is no TesseraError with a code', `${errorCase.error.type}: ${errorCase.error.message}`, String(error));
  }
  throw new Mismatch('it went through', `${errorCase.error.type}: ${errorCase.error.message}`);
}

async function withModule(
  ctor: DecodedModuleCase['ctor'],
  { name, subject, stage }: ModuleContext,
  body: (module: AnyModule) => Promise<void>,
): Promise<void> {
  stage('constructor');
  const { args, kwargs, modules } = makeArguments(ctor, subject);
  const module = constructModule(subject.library, name, args, kwargs);
  try {
    await body(module);
  } finally {
    [module, ...modules].forEach(disposeModule);
  }
}

async function checkGradients(
  module: AnyModule,
  out: unknown,
  leaves: readonly Tensor[],
  { backward, paramGrads }: DecodedModuleCase,
  context: ModuleContext,
): Promise<void> {
  context.stage('gradients');
  const { cotangents, grads } = backward!;
  const outputs = flatTensors(out);
  const parameters = new Map(module.namedParameters());
  const wanted: { what: string; tensor: Tensor; expected: TensorValue | null }[] = leaves.map((tensor, i) => ({
    what: `gradient of input ${i}`,
    tensor,
    expected: grads[i],
  }));
  for (const [name, expected] of Object.entries(paramGrads)) {
    const tensor = parameters.get(name);
    if (!tensor) throw new Mismatch(`there is no parameter ${name}`);
    wanted.push({ what: `gradient of ${name}`, tensor, expected });
  }
  if (wanted.length === 0) return;
  const gradOutputs = cotangents.map(({ value }) => placeTensor(value, context.subject));
  const got = grad(
    cotangents.map(({ output }) => outputs[output]),
    wanted.map(({ tensor }) => tensor),
    { gradOutputs, allowUnused: true },
  );
  for (let i = 0; i < wanted.length; i++) {
    const { what, expected } = wanted[i];
    const given = got[i];
    if (expected === null) {
      if (given !== null && !(await given.dataAsync()).every((x) => x === 0))
        throw new Mismatch(`${what}: there is one, and PyTorch has none`);
    } else if (given === null) throw new Mismatch(`${what}: there is none`);
    else await check(what, given, expected, context, 'grads');
  }
}

async function check(
  what: string,
  tensor: Tensor,
  value: TensorValue,
  { name }: ModuleContext,
  part: 'values' | 'grads' = 'values',
): Promise<void> {
  const expected = expectedTensor(value);
  compare(what, await read(tensor), expected, toleranceFor(`nn.${name}`, part, expected.dtype, 1), null, FLOOR);
}
