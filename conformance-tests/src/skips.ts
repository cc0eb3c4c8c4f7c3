/**
 * @file What the kit leaves out on purpose, each with its reason. Cases that cannot be run for want of a function or a dtype are found when
 * they run; nothing else is skipped anywhere.
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
];

/** Calls that PyTorch refuses for reasons that are Python's own. */
export function errorSkip(op: string, { id, kwargs, error }: ErrorCase): string | undefined {
  if ('out' in kwargs) return 'there is no out= argument here';
  return pythonSkip(error) ?? ruleFor(op, id);
}

/** Missing and superfluous arguments, a number where a tensor must be: TypeScript's compiler refuses them. */
export function pythonSkip({ type }: Refusal): string | undefined {
  return type === 'TypeError' || type === 'AttributeError' ? 'an argument of a wrong type, which the compiler refuses' : undefined;
}

export function caseSkip(op: string, { id }: OpCase): string | undefined {
  return ruleFor(op, id);
}

function ruleFor(op: string, id: string): string | undefined {
  const matches = (pattern: string | RegExp | undefined, text: string): boolean =>
    pattern === undefined || (typeof pattern === 'string' ? pattern === text : pattern.test(text));
  return OP_SKIPS.find((rule) => matches(rule.op, op) && matches(rule.id, id))?.reason;
}
