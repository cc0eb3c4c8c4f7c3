/** @file A result against the expected one, whatever their structure: tensors, numbers, tuples of them. */
import { isTensor, type Tensor } from '@tessera/core';
import type { Value } from '../fixtures/index.js';
import { toleranceFor } from '../tolerances.js';
import { compare } from './compare.js';
import { dtypeOf, expectedTensor, type HostTensor, read } from './host-tensor.js';
import { Mismatch } from './result.js';
import { Skip } from './skip.js';

/** What is compared, and how closely. */
export interface OutputCheck {
  readonly op: string;
  readonly what: string;
  /** PyTorch's own float32 error, one for each tensor. */
  readonly f32err?: readonly (number | null)[];
  /** Elements of the largest tensor of the case. */
  readonly elements: number;
  /** Allowed besides, where PyTorch's own error is not known. */
  readonly absolute?: number;
  /** Indices may name another one of equal elements: does this pair? */
  readonly ties?: (got: HostTensor, expected: HostTensor) => boolean;
}

/** The tensors of a result, in order, however it is nested. */
export function flatTensors(result: unknown): Tensor[] {
  return flatten(result).filter(isTensor);
}

/** A result's tensors, numbers and the like in order. Arrays, iterables and plain objects are looked into. */
function flatten(result: unknown): unknown[] {
  if (typeof result !== 'object' || result === null || isTensor(result)) return [result];
  if (Array.isArray(result)) return result.flatMap(flatten);
  if (Symbol.iterator in result) return [...(result as Iterable<unknown>)].flatMap(flatten);
  return Object.values(result).flatMap(flatten);
}

function flattenExpected(value: Value): Value[] {
  if (value.kind === 'list' || value.kind === 'tuple') return value.items.flatMap(flattenExpected);
  return value.kind === 'dict' ? Object.values(value.entries).flatMap(flattenExpected) : [value];
}

/** @throws Mismatch, Skip */
export async function checkOutputs(result: unknown, expected: Value, check: OutputCheck): Promise<void> {
  const got = flatten(result);
  const wanted = flattenExpected(expected);
  if (got.length !== wanted.length) throw new Mismatch(`${check.what}: ${got.length} results, expected ${wanted.length}`);
  let tensors = 0;
  for (let i = 0; i < wanted.length; i++) {
    const what = wanted.length > 1 ? `${check.what} ${i}` : check.what;
    const value = wanted[i];
    if (value.kind === 'tensor') {
      const f32err = check.f32err?.[tensors++] ?? null;
      const tensor = got[i];
      if (!isTensor(tensor)) throw new Mismatch(`${what}: ${String(tensor)} is no tensor`);
      const host = expectedTensor(value);
      const found = await read(tensor);
      if (host.dtype === 'int32' && found.dtype === 'int32' && check.ties?.(found, host)) continue;
      // An op that gives float64 whatever it gets: the device's widest type has to do.
      if (found.dtype !== host.dtype && !tensor.device.backend.capabilities.dtypes.includes(host.dtype))
        throw new Skip('device', `${tensor.device.id} has no ${host.dtype}`);
      compare(what, found, host, toleranceFor(check.op, 'values', host.dtype, check.elements), f32err, check.absolute);
    } else checkScalar(what, got[i], value, check);
  }
}

function checkScalar(what: string, got: unknown, expected: Value, check: OutputCheck): void {
  if (expected.kind === 'null') {
    if (got !== null && got !== undefined) throw new Mismatch(`${what}: a ${typeof got}, expected null`);
  } else if (expected.kind === 'bool') {
    if (Boolean(got) !== expected.value) throw new Mismatch(`${what}: ${String(got)}, expected ${expected.value}`);
  } else if (expected.kind === 'int' || expected.kind === 'float') {
    const dtype = expected.kind === 'int' ? 'int32' : 'float32';
    const one = (data: number) => ({ dtype, shape: [], data: [data] }) as const;
    compare(what, one(Number(got)), one(Number(expected.value)), toleranceFor(check.op, 'values', dtype, 1), null);
  } else if (expected.kind === 'string') {
    if (got !== expected.value) throw new Mismatch(`${what}: ${String(got)}, expected ${expected.value}`);
  } else if (expected.kind === 'dtype') {
    if (got !== dtypeOf(expected.name)) throw new Mismatch(`${what}: ${String(got)}, expected ${expected.name}`);
  } else throw new Mismatch(`${what}: a result of kind ${expected.kind} cannot be checked`);
}
