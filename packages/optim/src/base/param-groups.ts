/** @file Groups of parameters: what optimizers take, and what they make of it. PyTorch: Optimizer.add_param_group. */
import { isTensor, type Tensor, ValueError } from '@tessera/core';

/** One parameter, alone or with its name, as `model.namedParameters()` gives it. */
export type ParamEntry = Tensor | readonly [string, Tensor];
/** Parameters that share options; what a group does not say, the optimizer's defaults do. */
export type ParamGroupInput<O> = { params: Iterable<ParamEntry> | Tensor } & Partial<O>;
/** A group in use. PyTorch: an entry of optimizer.param_groups. */
export type ParamGroup<O> = {
  params: Tensor[];
  /** The names, where the parameters were given with names. */
  paramNames?: string[];
} & O;
/** What an optimizer takes as parameters: tensors, `[name, tensor]` pairs, or groups of them. */
export type Params<O> = Iterable<Tensor> | Iterable<readonly [string, Tensor]> | Iterable<ParamGroupInput<O>>;

/** @throws ValueError `ERR_OPTIM_PARAMS` */
export function refuseParams(typeName: string, why: string): never {
  throw new ValueError('ERR_OPTIM_PARAMS', `${typeName}: ${why}`);
}

const kindOf = (x: unknown): string => (x === null ? 'null' : isTensor(x) ? 'a Tensor' : Array.isArray(x) ? 'an array' : typeof x);

/** The first entry tells what they are: groups, or parameters of one group. */
export function groupsOf<O>(typeName: string, params: Params<O>): ParamGroupInput<O>[] {
  if (isTensor(params) || typeof (params as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== 'function') {
    const model = typeof (params as { parameters?: unknown } | null)?.parameters === 'function';
    const kind = typeof params === 'function' ? 'a function: call it, model.parameters()' : kindOf(params);
    refuseParams(
      typeName,
      `params argument given to the optimizer should be an iterable of Tensors or of groups, but got ${model ? 'a Module: give it model.parameters()' : kind}`,
    );
  }
  const entries = [...params] as (ParamEntry | ParamGroupInput<O>)[];
  if (entries.length === 0)
    refuseParams(typeName, 'optimizer got an empty parameter list (modules in an array are not found: use nn.ModuleList)');
  const first = entries[0]!;
  const grouped = typeof first === 'object' && !isTensor(first) && !Array.isArray(first);
  return grouped ? (entries as ParamGroupInput<O>[]) : [{ params: entries as ParamEntry[] } as unknown as ParamGroupInput<O>];
}

/** Parameters and names of one group, checked against those that the optimizer has. @throws ValueError `ERR_OPTIM_PARAMS` */
export function readGroup<O>(
  typeName: string,
  group: ParamGroupInput<O>,
  others: readonly ParamGroup<O>[],
): { params: Tensor[]; paramNames?: string[] } {
  if (typeof group !== 'object' || group === null || isTensor(group))
    refuseParams(typeName, `param_group must be an object, but got ${kindOf(group)}`);
  if (!('params' in group)) refuseParams(typeName, 'a param group must have params');
  const entries = isTensor(group.params) ? [group.params] : [...(group.params as Iterable<ParamEntry>)];
  const params: Tensor[] = [];
  const names: string[] = [];
  for (const entry of entries) {
    if (Array.isArray(entry)) {
      names.push((entry as [string, Tensor])[0]);
      params.push((entry as [string, Tensor])[1]);
    } else params.push(entry as Tensor);
  }
  if (names.length > 0 && names.length !== params.length)
    refuseParams(typeName, 'all optimizer params should be with/without names. Some param names are missing');
  for (const p of params) {
    if (!isTensor(p)) refuseParams(typeName, `optimizer can only optimize Tensors, but one of the params is ${kindOf(p)}`);
    if (!p.isLeaf) refuseParams(typeName, "can't optimize a non-leaf Tensor");
  }
  if (new Set(params).size !== params.length) refuseParams(typeName, 'a parameter appears twice in one group');
  const known = new Set<Tensor>();
  for (const other of others) {
    if (names.length > 0 !== (other.paramNames !== undefined)) {
      const kind = names.length > 0 ? 'with names' : 'without names';
      refuseParams(typeName, `all optimizer param groups should be with/without names. cannot add param group ${kind} to the optimizer`);
    }
    for (const p of other.params) known.add(p);
  }
  if (params.some((p) => known.has(p))) refuseParams(typeName, 'some parameters appear in more than one parameter group');
  return names.length > 0 ? { params, paramNames: names } : { params };
}
