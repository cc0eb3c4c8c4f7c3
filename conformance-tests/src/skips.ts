/**
 * @file What the kit leaves out on purpose, and where PyTorch is not followed, each with its reason. Cases that cannot be run for want of a
 * function or a dtype are found when they run; nothing else is skipped anywhere.
 */
import type { ErrorCase, OpCase, Refusal } from './fixtures/index.js';

export interface SkipRule {
  /** Ops by their names in the data. */
  readonly op: string | RegExp;
  /** Which cases; all without it. */
  readonly id?: string | RegExp;
  readonly reason: string;
}

/** Cases of ops. */
export const OP_SKIPS: readonly SkipRule[] = [
  { op: 'narrow', id: 'narrow/error/8', reason: 'narrow takes its start as a number, not as a tensor' },
  { op: 'resize_as_', reason: 'a tensor keeps its shape for life: reshape and narrow make others' },
  { op: /^__r\w+__$/, id: /\/error\//, reason: 'Python’s reflected operators, called on what is no tensor: JavaScript has none' },
  { op: 'count_nonzero', id: /\/edge\/[39]$/, reason: 'an option that there is not, which the compiler refuses' },
  { op: /^(lin|log)space/, id: /\/error\/1$/, reason: 'JavaScript cannot tell 1.0 steps from 1' },
];

/**
 * Where Tessera gives something else than PyTorch, on purpose and on every device. Such a case is run, and must not agree: a difference that
 * is gone must go from here.
 */
export const DIFFERENCES: readonly SkipRule[] = [
  {
    op: 'int',
    id: /^int\/special\/[24]$/,
    reason:
      'a float beyond int32 becomes the nearest int32 and NaN becomes 0; in PyTorch it depends on the processor (here: -2147483648 for all)',
  },
];

/** Why a call is not made, if it is not. */
export function skipOf(op: string, { id, kwargs }: OpCase | ErrorCase): string | undefined {
  return 'out' in kwargs ? 'there is no out= argument here' : reasonFor(OP_SKIPS, op, id);
}

/** Why a case is expected not to agree, if it is. */
export const differenceOf = (op: string, { id }: OpCase): string | undefined => reasonFor(DIFFERENCES, op, id);

/** Of layers and optimizers: missing and superfluous arguments, a number where a tensor must be. */
export function pythonSkip({ type }: Refusal): string | undefined {
  return type === 'TypeError' || type === 'AttributeError' ? 'an argument of a wrong type, which the compiler refuses' : undefined;
}

function reasonFor(rules: readonly SkipRule[], op: string, id: string): string | undefined {
  const matches = (pattern: string | RegExp | undefined, text: string): boolean =>
    pattern === undefined || (typeof pattern === 'string' ? pattern === text : pattern.test(text));
  return rules.find((rule) => matches(rule.op, op) && matches(rule.id, id))?.reason;
}
