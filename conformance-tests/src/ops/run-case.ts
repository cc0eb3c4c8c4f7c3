/** @file One case of an op: the call, its gradients, its other forms. */
import { type DType, grad, isTensor, isTesseraError, noGrad, setGradEnabled, type Tensor } from '@tessera/core';
import { compare } from '../check/compare.js';
import { expectedTensor, type HostTensor, read } from '../check/host-tensor.js';
import { checkOutputs, flatTensors } from '../check/outputs.js';
import { Mismatch } from '../check/result.js';
import { Skip } from '../check/skip.js';
import {
  type DecodedOpCase,
  decodeCall,
  decodeOpCase,
  type ErrorCase,
  type OpCase,
  tensorsIn,
  type TensorTable,
  type TensorValue,
} from '../fixtures/index.js';
import { unseenOf } from '../skips.js';
import { seed, type Subject } from '../subject/subject.js';
import { toleranceFor } from '../tolerances.js';
import { type Arguments, makeArguments, placeTensor } from './arguments.js';
import type { Form, OpForms } from './resolve.js';
import { tiesOf } from './ties.js';

/** What a case is run with. */
export interface OpContext {
  readonly op: string;
  readonly forms: OpForms;
  readonly tensors: TensorTable;
  readonly subject: Subject;
  /** Says which part of a case runs now, for the report of a failure. */
  readonly stage: (name: string) => void;
}

/** @throws Mismatch, Skip, and whatever the call throws */
export async function runOpCase(opCase: OpCase, context: OpContext): Promise<void> {
  const decoded = decodeOpCase(opCase, context.tensors);
  const { forms } = context;
  context.stage(forms.name);
  await runForm(forms.call, opCase, decoded, context, decoded.backward !== undefined);
  // A number in the first place, as in div(1, x), has no methods.
  if (forms.method && decoded.args[0]?.kind === 'tensor') {
    context.stage('as a method');
    await runForm(forms.method, opCase, decoded, context, false);
  }
  if (forms.inPlace) {
    context.stage('in place');
    await runInPlace(forms.inPlace, opCase, decoded, context);
  }
}

async function runForm(form: Form, opCase: OpCase, decoded: DecodedOpCase, context: OpContext, backward: boolean): Promise<void> {
  const given = makeArguments(decoded, context.subject, context.forms.operands);
  const out = await call(form, given, opCase, backward, context);
  await checkResult(out, opCase, decoded, context);
  if (backward) await checkGradients(out, given.leaves, opCase, decoded, context);
}

/** Calls it, with the random numbers that PyTorch had. Without a backward to come, nothing is recorded. */
async function call(form: Form, given: Arguments, opCase: OpCase, backward: boolean, { forms }: OpContext): Promise<unknown> {
  const value = forms.seed ?? opCase.seed;
  if (value !== undefined) seed(value);
  return backward ? form(given) : unrecorded(() => form(given));
}

/** As noGrad, which ends before a promise does: a form that reads may answer one. The kit runs one case at a time. */
async function unrecorded(body: () => unknown): Promise<unknown> {
  const was = setGradEnabled(false);
  try {
    return await body();
  } finally {
    setGradEnabled(was);
  }
}

async function checkResult(out: unknown, opCase: OpCase, decoded: DecodedOpCase, { op }: OpContext): Promise<void> {
  if (decoded.out) {
    const check = { op, what: 'output', elements: largest(decoded), ...(opCase.f32err && { f32err: opCase.f32err }) };
    const ties = tiesOf(op, decoded);
    await checkOutputs(out, decoded.out, { ...check, ...(ties && { ties: ties.same }) });
    return;
  }
  // Contents are not defined: the shape is.
  const shape = flatTensors(out)[0]?.shape;
  if (String(shape) !== String(opCase.out_shape))
    throw new Mismatch(`output: shape [${String(shape)}], expected [${String(opCase.out_shape)}]`);
}

async function checkGradients(
  out: unknown,
  leaves: readonly Tensor[],
  opCase: OpCase,
  { backward, ...rest }: DecodedOpCase,
  { op, subject, stage }: OpContext,
): Promise<void> {
  stage('gradients');
  const { cotangents, grads } = backward!;
  const outputs = flatTensors(out);
  const roots = cotangents.map(({ output }) => outputs[output]);
  // Zeros say the same as none.
  if (roots.every((root) => !root.requiresGrad) && grads.every((expected) => expected === null || expectsZero(expected))) return;
  const gradOutputs = cotangents.map(({ value }) => placeTensor(value, subject));
  const incoming = Math.max(0, ...cotangents.map(({ value }) => largestOf(expectedTensor(value))));
  const got = grad(roots, leaves, { gradOutputs, allowUnused: true });
  const elements = largest(rest);
  // The gradient goes to the element that was named.
  const ties = tiesOf(op, { ...rest, backward });
  const merged = (gradient: HostTensor): HostTensor => ties?.merged(gradient) ?? gradient;
  for (let i = 0; i < grads.length; i++) {
    const expected = grads[i];
    const what = `gradient ${i}`;
    const given = got[i];
    if (expected === null) {
      // A gradient of zeros says the same as none.
      if (given !== null && !(await isZero(given))) throw new Mismatch(`${what}: there is one, and PyTorch has none`);
    } else if (given === null) throw new Mismatch(`${what}: there is none`, 'a gradient', 'null');
    else {
      const host = merged(expectedTensor(expected));
      const tolerance = toleranceFor(op, 'grads', host.dtype, elements);
      compare(what, merged(await read(given)), host, tolerance, opCase.f32err_grads?.[i] ?? null, incoming * ROUNDINGS[host.dtype]);
    }
  }
}

/**
 * Some gradients are differences of equal terms, such as that of a norm of one element: PyTorch's may happen to be 0, and so its own error. Four
 * roundings of what comes in are allowed.
 */
const ROUNDINGS: Readonly<Record<DType, number>> = {
  float32: 2 ** -22,
  float64: 2 ** -51,
  float16: 2 ** -9,
  bfloat16: 2 ** -6,
  int32: 0,
  uint8: 0,
  bool: 0,
};
const largestOf = ({ data }: HostTensor): number => Math.max(0, ...Array.from(data, Math.abs).filter(Number.isFinite));

const expectsZero = (value: TensorValue): boolean => Array.from(expectedTensor(value).data).every((x) => x === 0);
const isZero = async (tensor: Tensor): Promise<boolean> => (await tensor.dataAsync()).every((x) => x === 0);

/** `x.op_()` on a copy of the first argument gives what `op` gives, or refuses to change its shape. */
async function runInPlace(form: Form, opCase: OpCase, decoded: DecodedOpCase, context: OpContext): Promise<void> {
  const [expected] = decoded.out ? [...tensorsIn(decoded.out)] : [];
  const given = makeArguments(decoded, context.subject, context.forms.operands);
  const [first, ...rest] = given.args;
  if (!isTensor(first) || !expected) return;
  const recorded = decoded.backward !== undefined && first.requiresGrad;
  const copy = (): Tensor => first.clone();
  const target = recorded ? copy() : noGrad(copy);
  const { dtype, shape } = expectedTensor(expected);
  if (String(shape) !== String(first.shape)) {
    const error = await thrownBy(() => noGrad(() => form({ args: [target, ...rest], kwargs: given.kwargs })));
    if (!isTesseraError(error)) throw new Mismatch('in place: it must refuse to change its shape', 'a TesseraError', showThrown(error));
    return;
  }
  // PyTorch refuses a result of another dtype; whether it does is checked by hand-written tests.
  if (dtype !== first.dtype) return;
  const out = await call(form, { ...given, args: [target, ...rest] }, opCase, recorded, context);
  if (out !== target) throw new Mismatch('in place: it must answer the tensor itself');
  await checkResult(target, opCase, decoded, context);
  if (recorded) await checkGradients(target, given.leaves, opCase, decoded, context);
}

/** A call that PyTorch refuses must be refused with a coded error. @throws Mismatch, Skip */
export async function runErrorCase({ error, ...encoded }: ErrorCase, { op, tensors, subject, forms, stage }: OpContext): Promise<void> {
  stage('error');
  const given = makeArguments(decodeCall(encoded, tensors), subject, forms.operands);
  const thrown = await thrownBy(async () => {
    const out = await unrecorded(() => forms.call(given));
    // A bad index may show at the next read only.
    for (const tensor of flatTensors(out)) await tensor.dataAsync();
    return out;
  });
  if (thrown instanceof Skip) throw thrown;
  const unseen = subject.device.syncRead ? undefined : unseenOf(op, encoded, tensors);
  if (thrown === undefined && unseen !== undefined) throw new Skip('device', unseen);
  if (thrown === undefined) throw new Mismatch('error: the call went through', `${error.type}: ${error.message}`);
  if (!isTesseraError(thrown) || !/^ERR_[A-Z0-9_]+$/.test(thrown.code)) {
    throw new Mismatch('error: it is no TesseraError with a code', `${error.type}: ${error.message}`, showThrown(thrown));
  }
}

function showThrown(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : typeof thrown;
}

async function thrownBy(body: () => unknown): Promise<unknown> {
  try {
    await body();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Elements of the largest tensor of a call. */
function largest({ args, kwargs }: Pick<DecodedOpCase, 'args' | 'kwargs'>): number {
  const values = [...args, ...Object.values(kwargs)];
  return Math.max(1, ...values.flatMap((value) => [...tensorsIn(value)]).map(({ shape }) => shape.reduce((n, size) => n * size, 1)));
}
