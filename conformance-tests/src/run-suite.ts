/** @file Runs a suite: each case with a leak check, whatever happens in it. */
import { isTesseraError } from '@tessera/core';
import { leakFree } from './check/leaks.js';
import { type CaseResult, Mismatch } from './check/result.js';
import { Skip } from './check/skip.js';
import type { Subject } from './subject/subject.js';
import type { Case, Suite } from './suite.js';

/** Runs the cases whose id `wanted` accepts. Reference data that cannot be read are a failure of one case, `NAME/data`, and the rest goes on. */
export async function* runSuite(suite: Suite, subject: Subject, wanted: (id: string) => boolean = () => true): AsyncGenerator<CaseResult> {
  try {
    for await (const one of suite.cases(subject)) if (wanted(one.id)) yield await runCase(one, subject);
  } catch (error) {
    yield { id: `${suite.name}/data`, status: 'failed', failure: { stage: 'reference data', message: messageOf(error) } };
  }
}

async function runCase(one: Case, subject: Subject): Promise<CaseResult> {
  const { id, skip, difference } = one;
  if (skip !== undefined) return { id, status: 'skipped', kind: 'scope', reason: skip };
  let stage = '';
  try {
    await leakFree(subject.device, () => one.run((name) => (stage = name)));
    if (difference === undefined) return { id, status: 'passed' };
    return { id, status: 'failed', failure: { stage, message: `it agrees with PyTorch, and is listed as different: ${difference}` } };
  } catch (error) {
    if (difference !== undefined && error instanceof Mismatch) return { id, status: 'skipped', kind: 'difference', reason: difference };
    const lacking = lackedBy(subject, error);
    if (lacking !== undefined) return { id, status: 'skipped', kind: 'device', reason: `${subject.name} ${lacking}` };
    if (error instanceof Skip) return { id, status: 'skipped', kind: error.kind, reason: error.reason };
    return { id, status: 'failed', failure: { stage, message: messageOf(error), ...inputsOf(one), ...comparison(error) } };
  }
}

/**
 * What an op needs by its definition and the device, as it says itself, does not have: a dtype (`double()`), or reads at once, where values say
 * which shape there is to be (`nonzero`; a program awaits the form whose name ends in Async).
 */
function lackedBy({ device }: Subject, error: unknown): string | undefined {
  if (!isTesseraError(error)) return undefined;
  const { dtypes, syncRead } = device.backend.capabilities;
  if (error.code === 'ERR_SYNC_READ' && !syncRead) return 'cannot be read synchronously';
  const dtype = error.code === 'ERR_DTYPE_DEVICE' ? error.details.dtypes?.find((one) => !dtypes.includes(one)) : undefined;
  return dtype === undefined ? undefined : `has no ${dtype}`;
}

function messageOf(error: unknown): string {
  if (error instanceof Mismatch) return error.message;
  if (isTesseraError(error)) return `threw ${error.toString()}`;
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const frame = /^ {4}at .*$/m.exec(error.stack ?? '')?.[0].trim();
  return `threw ${error.name}: ${error.message}${frame === undefined ? '' : ` (${frame})`}`;
}

function inputsOf(one: Case): { inputs?: string } {
  const inputs = one.inputs?.();
  return inputs === undefined ? {} : { inputs };
}

function comparison(error: unknown): { expected?: string; got?: string } {
  if (!(error instanceof Mismatch)) return {};
  return { ...(error.expected !== undefined && { expected: error.expected }), ...(error.got !== undefined && { got: error.got }) };
}
