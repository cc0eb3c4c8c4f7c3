/** @file A module as a function of its parameters. PyTorch: torch.func.functional_call, stack_module_state. */
import { ModuleError, ValueError } from '../errors.js';
import { getSubmodule } from '../module/lookup.js';
import { memberOf, setMember } from '../module/members.js';
import type { Module } from '../module/module.js';
import { stack } from '../ops/cat.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkOptions, type OptionNames } from '../options.js';

const FUNCTIONAL_CALL_OPTIONS: OptionNames<FunctionalCallOptions> = { tieWeights: true, strict: true };

/** Tensors by the names that `namedParameters()` and `namedBuffers()` give. */
export type NamedTensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

export interface FunctionalCallOptions {
  /** What the module has under several names is replaced under all of them, though one is given. Default true. */
  readonly tieWeights?: boolean;
  /** All parameters and buffers must be given. Default false. */
  readonly strict?: boolean;
}

const entriesOf = (named: NamedTensors): [string, Tensor][] => (named instanceof Map ? [...named] : Object.entries(named));

/** One place in a module, and what it holds. */
interface Place {
  readonly owner: Module;
  readonly name: string;
  readonly member: Tensor | null;
}

function placeOf(module: Module, path: string): Place {
  const dot = path.lastIndexOf('.');
  const owner = getSubmodule(module, path.slice(0, Math.max(dot, 0)));
  const name = path.slice(dot + 1);
  const member = memberOf(owner, name);
  return { owner, name, member: isTensor(member) ? member : null };
}

/**
 * Calls a module with other tensors in the place of its parameters and buffers, which come back when the call ends. What is not given stays. The
 * result depends on the given tensors, so they can be differentiated by. PyTorch: torch.func.functional_call.
 *
 * An async `forward` holds them until its promise is settled: do not call the module in between.
 *
 * @param args The module's arguments.
 * @example
 * const params = new Map(model.namedParameters());
 * const y = func.functionalCall(model, params, [x]);
 * const grads = func.grad((p) => func.functionalCall(model, p, [x]).square().mean())(params);
 * @throws ModuleError `ERR_NO_MEMBER` for a name that the module does not have (which PyTorch ignores); `ERR_STATE_DICT` with `strict`.
 */
export function functionalCall<M extends Module>(
  module: M,
  tensors: NamedTensors | readonly NamedTensors[],
  args: Parameters<M['forward']>,
  options: FunctionalCallOptions = {},
): ReturnType<M['forward']> {
  const { tieWeights = true, strict = false } = checkOptions('functionalCall', options, FUNCTIONAL_CALL_OPTIONS);
  const given = new Map((Array.isArray(tensors) ? (tensors as readonly NamedTensors[]) : [tensors as NamedTensors]).flatMap(entriesOf));
  const all = [...module.namedParameters({ removeDuplicate: false }), ...module.namedBuffers({ removeDuplicate: false })];
  const known = new Map(all);
  const byTensor = new Map<Tensor, string[]>();
  for (const [name, t] of all) byTensor.set(t, [...(byTensor.get(t) ?? []), name]);
  const values = new Map<string, Tensor>();
  for (const [name, value] of given) {
    const own = known.get(name);
    if (own === undefined)
      throw new ModuleError(
        'ERR_NO_MEMBER',
        `functionalCall: the module has no parameter or buffer \`${name}\`; it has ${[...known.keys()].join(', ')}`,
        {
          target: name,
        },
      );
    values.set(name, value);
    if (tieWeights) for (const other of byTensor.get(own)!) if (!given.has(other)) values.set(other, value);
  }
  if (strict) {
    const missing = [...known.keys()].filter((name) => !values.has(name));
    if (missing.length > 0) throw new ModuleError('ERR_STATE_DICT', `functionalCall: missing keys: ${missing.join(', ')}`, { missing });
  }
  const places = [...values].map(([path, value]) => [placeOf(module, path), value] as const);
  const restore = (): void => {
    for (const [{ owner, name, member }] of places) setMember(owner, name, member);
  };
  let pending = false;
  try {
    for (const [{ owner, name }, value] of places) setMember(owner, name, value);
    const result = module(...args) as ReturnType<M['forward']>;
    if (result instanceof Promise) {
      pending = true;
      return result.finally(restore) as ReturnType<M['forward']>;
    }
    return result;
  } finally {
    if (!pending) restore();
  }
}

/**
 * The parameters and the buffers of several modules of one class, each stacked along a new first dim: what an ensemble is mapped over.
 * PyTorch: torch.func.stack_module_state.
 * @example
 * const [params, buffers] = func.stackModuleState(models);
 * const ys = func.vmap((p, b) => func.functionalCall(models[0], [p, b], [x]))(params, buffers);
 */
export function stackModuleState(models: readonly Module[]): [parameters: Map<string, Tensor>, buffers: Map<string, Tensor>] {
  const [first] = models;
  if (first === undefined) throw new ValueError('ERR_ARGUMENT', 'stackModuleState: Expected at least one model, got 0.');
  const joined = (lists: readonly (readonly [string, Tensor][])[], leaf: boolean): Map<string, Tensor> =>
    new Map(
      lists[0]!.map(([name, own]) => {
        const tensors = lists.map((list) => {
          const found = list.find(([other]) => other === name)?.[1];
          if (found === undefined)
            throw new ModuleError('ERR_NO_MEMBER', `stackModuleState: one of the models has no \`${name}\``, { target: name });
          return found.detach();
        });
        return [
          name,
          stack(tensors)
            .detach()
            .requiresGrad_(leaf && own.requiresGrad),
        ];
      }),
    );
  return [
    joined(
      models.map((m) => m.namedParameters()),
      true,
    ),
    joined(
      models.map((m) => m.namedBuffers()),
      false,
    ),
  ];
}
