/**
 * @file What the kit leaves out on purpose, and where PyTorch is not followed, each with its reason. Cases that cannot be run for want of a
 * function or a dtype are found when they run; nothing else is skipped anywhere.
 *
 * A rule knows its cases by their arguments, never by their place: other data of the same form have other cases there.
 */
import { expectedTensor } from './check/host-tensor.js';
import { decodeCall } from './fixtures/index.js';
import type { DecodedCall, EncodedCall, Refusal, TensorTable, Value } from './fixtures/index.js';

export interface SkipRule {
  /** Ops by their names in the data. */
  readonly op: string | RegExp;
  /** Which calls, by their arguments; all without it. */
  readonly when?: (call: DecodedCall) => boolean;
  readonly reason: string;
}

/** Cases of ops. */
export const OP_SKIPS: readonly SkipRule[] = [
  {
    op: 'narrow',
    when: ({ args }) => args[2]?.kind === 'tensor' && !isIntegerScalar(args[2]),
    reason: 'narrow takes its start as a number, not as a tensor',
  },
  { op: 'resize_as_', reason: 'a tensor keeps its shape for life: reshape and narrow make others' },
  {
    op: /^__r\w+__$/,
    when: ({ args }) => args[0]?.kind !== 'tensor',
    reason: 'Python’s reflected operators, called on what is no tensor: JavaScript has none',
  },
  { op: 'count_nonzero', when: ({ kwargs }) => 'keepdim' in kwargs, reason: 'an option that there is not, which the compiler refuses' },
  {
    op: /^(lin|log)space(\.|$)/,
    when: ({ args, kwargs }) => (args[2] ?? kwargs['steps'])?.kind === 'float',
    reason: 'JavaScript cannot tell 1.0 steps from 1',
  },
];

/**
 * Where Tessera gives something else than PyTorch, on purpose and on every device. Such a case is run, and must not agree: a difference that
 * is gone must go from here.
 */
export const DIFFERENCES: readonly SkipRule[] = [
  {
    op: 'int',
    when: ({ args }) => isFloatTensor(args[0]) && hasNumber(args[0], (x) => Number.isNaN(x) || x >= 2 ** 31), // below -(2^31), both give that
    reason:
      'a float beyond int32 becomes the nearest int32 and NaN becomes 0; in PyTorch it depends on the processor (here: -2147483648 for all)',
  },
];

/** Calls that are refused for what stands in a tensor. A device without synchronous reads cannot look, and takes them. */
const REFUSED_BY_VALUE: readonly SkipRule[] = [
  {
    op: 'cov',
    when: ({ kwargs }) => hasNumber(kwargs['aweights'], (x) => x < 0) || hasNumber(kwargs['fweights'], (x) => x < 0),
    reason: 'negative weights are seen by reading them, and it cannot be read synchronously',
  },
];

/** Why a call that PyTorch refuses may go through on a device without synchronous reads, if it may. */
export const unseenOf = (op: string, call: EncodedCall, tensors: TensorTable): string | undefined =>
  reasonFor(REFUSED_BY_VALUE, op, call, tensors);

/** Why a call is not made, if it is not. */
export function skipOf(op: string, call: EncodedCall, tensors: TensorTable): string | undefined {
  return 'out' in call.kwargs ? 'there is no out= argument here' : reasonFor(OP_SKIPS, op, call, tensors);
}

/** Why a case is expected not to agree, if it is. */
export const differenceOf = (op: string, call: EncodedCall, tensors: TensorTable): string | undefined =>
  reasonFor(DIFFERENCES, op, call, tensors);

/** Of layers and optimizers: missing and superfluous arguments, a number where a tensor must be. */
export function pythonSkip({ type }: Refusal): string | undefined {
  return type === 'TypeError' || type === 'AttributeError' ? 'an argument of a wrong type, which the compiler refuses' : undefined;
}

function reasonFor(rules: readonly SkipRule[], op: string, call: EncodedCall, tensors: TensorTable): string | undefined {
  const ofOp = rules.filter((rule) => (typeof rule.op === 'string' ? rule.op === op : rule.op.test(op)));
  return ofOp.find(({ when }) => when === undefined || when(decodeCall(call, tensors)))?.reason;
}

const isIntegerScalar = (value: Value): boolean => value.kind === 'tensor' && value.shape.length === 0 && /^u?int/.test(value.dtype);

const isFloatTensor = (value: Value | undefined): boolean => value?.kind === 'tensor' && value.dtype.startsWith('float');

/** Whether a tensor has such an element. */
function hasNumber(value: Value | undefined, test: (x: number) => boolean): boolean {
  return value?.kind === 'tensor' && Array.from(expectedTensor(value).data).some(test);
}
