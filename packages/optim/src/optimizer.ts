/** @file Optimizer: groups of parameters with their options, state by parameter, and the step. PyTorch: torch.optim.Optimizer. */
import { isTensor, keep, noGrad, type RemovableHandle, type Tensor, TesseraError, ValueError } from '@tessera/core';
import { toCamelCase, toSnakeCase } from './names.js';

/** Parameters that share options; what a group does not say, the optimizer's defaults do. */
export type ParamGroupInput<O> = { params: Iterable<Tensor> | Tensor } & Partial<O>;
/** A group in use. PyTorch: an entry of optimizer.param_groups. */
export type ParamGroup<O> = { params: Tensor[] } & O;
/** What an optimizer takes as parameters: tensors, `[name, tensor]` pairs (as `model.namedParameters()` gives), or groups. */
export type Params<O> = Iterable<Tensor> | Iterable<readonly [string, Tensor]> | Iterable<ParamGroupInput<O>>;

/** State of one parameter, by PyTorch's names. */
export type ParamState = Record<string, Tensor | number>;

/** A saved state, under PyTorch's names. */
export interface OptimizerStateDict {
  readonly state: Record<number, Record<string, Tensor | number>>;
  readonly param_groups: readonly (Record<string, unknown> & { params: number[] })[];
}

/** An optimizer's step hook. */
export type StepHook = (optimizer: Optimizer<object>) => void;

/**
 * The base of all optimizers. A subclass gives its defaults, checks options, and updates one parameter.
 *
 * @example
 * const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
 * optimizer.zeroGrad(); loss.backward(); optimizer.step();
 */
export abstract class Optimizer<O extends object> {
  static readonly typeName: string = 'Optimizer';
  readonly paramGroups: ParamGroup<O>[] = [];
  readonly state = new Map<Tensor, ParamState>();
  readonly defaults: O;
  readonly #preHooks = new Set<StepHook>();
  readonly #postHooks = new Set<StepHook>();

  constructor(params: Params<O>, defaults: O) {
    this.defaults = defaults;
    if (isTensor(params)) {
      throw new ValueError(
        'ERR_OPTIM_PARAMS',
        `${this.typeName}: params argument given to the optimizer should be an iterable of Tensors or of groups, but got a Tensor`,
      );
    }
    const entries = [...params];
    if (entries.length === 0) throw new ValueError('ERR_OPTIM_PARAMS', `${this.typeName}: optimizer got an empty parameter list`);
    const tensors = entries.map((entry) => (Array.isArray(entry) ? (entry[1] as Tensor) : (entry as Tensor | ParamGroupInput<O>)));
    if (tensors.every((t) => !isTensor(t))) for (const group of tensors) this.addParamGroup(group as ParamGroupInput<O>);
    else this.addParamGroup({ params: tensors as Tensor[] } as unknown as ParamGroupInput<O>);
  }

  get typeName(): string {
    return (this.constructor as typeof Optimizer).typeName;
  }

  /** Adds parameters, as for layers that are trained from some epoch on. PyTorch: add_param_group. */
  addParamGroup(group: ParamGroupInput<O>): void {
    const fail = (why: string): never => {
      throw new ValueError('ERR_OPTIM_PARAMS', `${this.typeName}: ${why}`);
    };
    if (typeof group !== 'object' || group === null || !('params' in group)) fail('a param group must have params');
    const params = isTensor(group.params) ? [group.params] : [...(group.params as Iterable<Tensor>)];
    const known = new Set(this.paramGroups.flatMap((g) => g.params));
    for (const p of params) {
      if (!isTensor(p)) fail(`optimizer can only optimize Tensors, but one of the params is ${p === null ? 'null' : typeof p}`);
      if (!p.isLeaf) fail("can't optimize a non-leaf Tensor");
      if (known.has(p)) fail('some parameters appear in more than one parameter group');
    }
    if (new Set(params).size !== params.length) fail('a parameter appears twice in one group');
    const { params: _, ...options } = group;
    const full = { ...this.defaults, ...options, params } as ParamGroup<O>;
    this.check(full);
    this.paramGroups.push(full);
  }

  /** Throws where options are out of range. */
  protected abstract check(options: O): void;

  /** Updates one parameter in place; `state` starts empty. */
  protected abstract update(p: Tensor, grad: Tensor, state: ParamState, options: O): void;

  /** A complaint about an option, in PyTorch's words. */
  protected invalid(name: string, value: unknown): never {
    throw new ValueError('ERR_OPTIM_OPTION', `${this.typeName}: Invalid ${name} value: ${String(value)}`);
  }

  /** Zeros like a parameter, that live as long as the optimizer. */
  protected zerosFor(p: Tensor): Tensor {
    return keep(noGrad(() => p.detach().mul(0).fill_(0).realize()));
  }

  /**
   * Updates all parameters that have a gradient. With a closure, it is called first, with recording on, to compute the loss again.
   * @returns the closure's loss, or null.
   */
  step(closure?: () => Tensor): Tensor | null {
    for (const hook of this.#preHooks) hook(this as unknown as Optimizer<object>);
    const loss = closure === undefined ? null : closure();
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const p of group.params) {
          const { grad } = p;
          if (grad === null) continue;
          let state = this.state.get(p);
          if (state === undefined) this.state.set(p, (state = {}));
          this.update(p, grad, state, group);
        }
      }
    });
    for (const hook of this.#postHooks) hook(this as unknown as Optimizer<object>);
    return loss;
  }

  /** Drops all gradients, or sets them to zero. PyTorch: zero_grad. */
  zeroGrad(options: { readonly setToNone?: boolean } = {}): void {
    for (const group of this.paramGroups) {
      for (const p of group.params) {
        if (p.grad === null) continue;
        if (options.setToNone ?? true) p.grad = null;
        else p.grad = keep(noGrad(() => p.grad!.detach().mul(0).fill_(0)));
      }
    }
  }

  /** State and options, under PyTorch's names; parameters by number. Tensors are the optimizer's own: clone what you change. */
  stateDict(): OptimizerStateDict {
    const numbers = new Map<Tensor, number>();
    for (const group of this.paramGroups) for (const p of group.params) numbers.set(p, numbers.size);
    const state: Record<number, Record<string, Tensor | number>> = {};
    for (const [p, s] of this.state) state[numbers.get(p)!] = { ...s };
    const groups = this.paramGroups.map(({ params, ...options }) => {
      const out: Record<string, unknown> & { params: number[] } = { params: params.map((p) => numbers.get(p)!) };
      for (const [name, value] of Object.entries(options)) out[toSnakeCase(name)] = value;
      return out;
    });
    return { state, param_groups: groups };
  }

  /**
   * Takes over a saved state. Nothing changes when it does not fit.
   * @throws TesseraError `ERR_OPTIM_STATE`.
   */
  loadStateDict(saved: OptimizerStateDict): void {
    const fail = (why: string): never => {
      throw new TesseraError('ERR_OPTIM_STATE', `${this.typeName}: ${why}`);
    };
    const groups = saved.param_groups;
    if (groups.length !== this.paramGroups.length) fail('loaded state dict has a different number of parameter groups');
    groups.forEach((g, i) => {
      if (g.params.length !== this.paramGroups[i]!.params.length)
        fail("loaded state dict contains a parameter group that doesn't match the size of optimizer's group");
    });
    const options = groups.map(({ params: _, ...rest }) =>
      Object.fromEntries(Object.entries(rest).map(([name, value]) => [toCamelCase(name), value])),
    );
    const states = new Map<Tensor, ParamState>();
    groups.forEach((g, i) => {
      g.params.forEach((number, k) => {
        const p = this.paramGroups[i]!.params[k]!;
        const s = saved.state[number];
        if (s === undefined) return;
        const own: ParamState = {};
        for (const [name, value] of Object.entries(s)) own[name] = isTensor(value) ? this.#adopt(name, value, p) : value;
        states.set(p, own);
      });
    });
    this.paramGroups.forEach((group, i) => Object.assign(group, options[i]));
    this.state.clear();
    for (const [p, s] of states) this.state.set(p, s);
  }

  /** A copy of a saved state tensor, on the parameter's device and in its dtype (a step counter stays what it is: a number). */
  #adopt(name: string, value: Tensor, p: Tensor): Tensor | number {
    if (name === 'step') return value.item();
    return keep(
      noGrad(() =>
        value
          .detach()
          .to({ device: p.device, dtype: value.isFloatingPoint() ? p.dtype : value.dtype })
          .clone()
          .realize(),
      ),
    );
  }

  /** Calls `hook` before each step. PyTorch: register_step_pre_hook. */
  registerStepPreHook(hook: StepHook): RemovableHandle {
    this.#preHooks.add(hook);
    return { remove: () => void this.#preHooks.delete(hook) };
  }

  /** Calls `hook` after each step. PyTorch: register_step_post_hook. */
  registerStepPostHook(hook: StepHook): RemovableHandle {
    this.#postHooks.add(hook);
    return { remove: () => void this.#postHooks.delete(hook) };
  }

  /** As PyTorch prints it. */
  toString(): string {
    const groups = this.paramGroups.map(({ params: _, ...options }, i) => {
      const lines = Object.entries(options)
        .map(([name, value]) => [toSnakeCase(name), value] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1));
      return `Parameter Group ${i}\n${lines.map(([name, value]) => `    ${name}: ${Array.isArray(value) ? `(${value.join(', ')})` : value === null ? 'None' : typeof value === 'boolean' ? (value ? 'True' : 'False') : typeof value === 'number' ? value : JSON.stringify(value)}\n`).join('')}`;
    });
    return `${this.typeName} (\n${groups.join('\n')})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
