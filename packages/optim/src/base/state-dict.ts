/**
 * @file An optimizer's state as PyTorch lays it out, so that checkpoints go both ways: state by the number of the parameter, groups with their
 * options, all under PyTorch's names. Counters that are 0-d tensors in PyTorch are numbers here (no step reads a device); PyTorch takes numbers.
 */
import { isTensor, keep, noGrad, type Tensor, TesseraError } from '@tessera/core';
import { toCamelCase, toSnakeCase } from './names.js';
import type { ParamGroup } from './param-groups.js';

/** One entry of a parameter's state. */
export type StateValue = Tensor | number | null | readonly StateValue[];
/** State of one parameter, by PyTorch's names. */
export type ParamState = Record<string, StateValue>;

/** A saved state, under PyTorch's names. */
export interface OptimizerStateDict {
  readonly state: Readonly<Record<number, Readonly<Record<string, StateValue>>>>;
  readonly param_groups: readonly (Record<string, unknown> & { params: number[] })[];
}

/** What is loaded: a state dict, or the same as Maps, as readers of PyTorch's files give Python's dicts. */
export type SavedState = OptimizerStateDict | ReadonlyMap<string, unknown>;

/** Maps as objects, down to the entries of the state. */
export function readSaved(given: SavedState): OptimizerStateDict {
  const { state, param_groups: groups, ...rest } = recordOf(given) as unknown as OptimizerStateDict;
  return {
    ...rest,
    state:
      typeof state === 'object' && state !== null
        ? Object.fromEntries(
            Object.entries(recordOf(state)).map(([number, entry]) => [number, recordOf(entry) as Record<string, StateValue>]),
          )
        : state,
    param_groups: Array.isArray(groups)
      ? groups.map((group: object) => recordOf(group) as OptimizerStateDict['param_groups'][number])
      : groups,
  };
}

const recordOf = (x: unknown): Record<string, unknown> => (x instanceof Map ? Object.fromEntries(x) : x) as Record<string, unknown>;

export function packState<O>(groups: readonly ParamGroup<O>[], states: ReadonlyMap<Tensor, ParamState>): OptimizerStateDict {
  const numbers = new Map<Tensor, number>();
  for (const group of groups) for (const p of group.params) if (!numbers.has(p)) numbers.set(p, numbers.size);
  const state: Record<number, Record<string, StateValue>> = {};
  for (const [p, s] of states) state[numbers.get(p)!] = { ...s };
  const packed = groups.map((group) => {
    const out: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(group))
      if (name !== 'params') out[toSnakeCase(name)] = Array.isArray(value) ? [...(value as unknown[])] : value;
    out['params'] = group.params.map((p) => numbers.get(p)!);
    return out as Record<string, unknown> & { params: number[] };
  });
  return { state, param_groups: packed };
}

/** A saved state that fits, by parameter and by group, its tensors not yet taken over. */
export interface Plan {
  readonly options: readonly Readonly<Record<string, unknown>>[];
  readonly states: readonly (readonly [Tensor, Readonly<Record<string, StateValue>>])[];
}

/** @throws TesseraError `ERR_OPTIM_STATE` where it does not fit */
export function planLoading<O>(typeName: string, groups: readonly ParamGroup<O>[], saved: OptimizerStateDict): Plan {
  const fail = (why: string): never => {
    throw new TesseraError('ERR_OPTIM_STATE', `${typeName}: ${why}`);
  };
  if (!Array.isArray(saved?.param_groups) || typeof saved.state !== 'object' || saved.state === null)
    fail('loaded state dict has no state and param_groups');
  if (saved.param_groups.length !== groups.length) fail('loaded state dict has a different number of parameter groups');
  const states: (readonly [Tensor, Readonly<Record<string, StateValue>>])[] = [];
  saved.param_groups.forEach((group, i) => {
    const own = groups[i]!.params;
    if (group.params.length !== own.length)
      fail("loaded state dict contains a parameter group that doesn't match the size of optimizer's group");
    group.params.forEach((number, k) => {
      const state = saved.state[number];
      if (state !== undefined) states.push([own[k]!, state]);
    });
  });
  const options = saved.param_groups.map(({ params: _, ...rest }) =>
    Object.fromEntries(Object.entries(rest).map(([name, value]) => [toCamelCase(name), value])),
  );
  return { options, states };
}

/** How a saved tensor is taken over: as a number, or as a tensor on its parameter's device. */
export interface Adopter {
  readonly number: (t: Tensor) => number;
  readonly tensor: (t: Tensor, p: Tensor) => Tensor;
}

/** A tensor of the optimizer's own: on the parameter's device, in its dtype. */
const own = (t: Tensor, p: Tensor): Tensor =>
  keep(noGrad(() => (t.isFloatingPoint() && t.dtype !== p.dtype ? t.to({ dtype: p.dtype }) : t.clone()).realize()));

export const adoptNow: Adopter = {
  number: (t) => t.item(),
  tensor: (t, p) => own(t.detach().to({ device: p.device }), p),
};

/** Reads and moves all tensors first, for devices that cannot be waited for. */
export async function adoptLater(plan: Plan, hostState: readonly string[]): Promise<Adopter> {
  const numbers = new Map<Tensor, number>();
  const tensors = new Map<Tensor, Tensor>();
  for (const [p, state] of plan.states) {
    for (const [name, value] of Object.entries(state)) {
      for (const t of tensorsIn(value)) {
        if (hostState.includes(name)) numbers.set(t, await t.itemAsync());
        else tensors.set(t, await t.detach().toAsync({ device: p.device }));
      }
    }
  }
  for (const options of plan.options) {
    for (const value of Object.values(options)) if (isTensor(value)) numbers.set(value, await value.itemAsync());
  }
  return { number: (t) => numbers.get(t)!, tensor: (t, p) => own(tensors.get(t)!, p) };
}

export function* tensorsIn(value: StateValue): Generator<Tensor> {
  if (isTensor(value)) yield value;
  else if (Array.isArray(value)) for (const x of value as readonly StateValue[]) yield* tensorsIn(x);
}

/** Each tensor in a state's entry replaced. */
export function mapState(value: StateValue, fn: (t: Tensor) => StateValue): StateValue {
  if (isTensor(value)) return fn(value);
  return Array.isArray(value) ? (value as readonly StateValue[]).map((x) => mapState(x, fn)) : value;
}
