/** @file Optimizer: groups of parameters with their options, state by parameter, and the step. PyTorch: torch.optim.Optimizer. */
import {
  checkOptions,
  type OptionNames,
  type Device,
  type DeviceLike,
  enableGrad,
  keep,
  kindOf,
  launchTogether,
  noGrad,
  recordFunction,
  refusePythonNames,
  type RemovableHandle,
  type Tensor,
  toDevice,
  zerosLike,
} from '@tessera/core';
import { type HookOptions, Hooks } from './hooks.js';
import { checkTypes, refuseOption, withOptions } from './options.js';
import { groupsOf, type ParamGroup, type ParamGroupInput, type Params, readGroup } from './param-groups.js';
import { reprOf } from './repr.js';
import {
  type Adopter,
  adoptLater,
  adoptNow,
  mapState,
  type OptimizerStateDict,
  packState,
  type ParamState,
  type Plan,
  planLoading,
  readSaved,
  type SavedState,
  tensorsIn,
} from './state-dict.js';

const ZERO_GRAD_OPTIONS: OptionNames<{ setToNone?: boolean }> = { setToNone: true };

/** Computes the loss and its gradients anew. */
export type Closure = () => Tensor;
/** As {@link Closure}; may be async. */
export type AsyncClosure = () => Tensor | Promise<Tensor>;
/** Called around a step, before a state is taken, or after one was loaded. */
export type OptimizerHook = (optimizer: Optimizer<object>) => void;
/** Sees a state dict that was taken, or that is to be loaded; what it returns takes its place. */
export type StateDictHook = (optimizer: Optimizer<object>, stateDict: OptimizerStateDict) => OptimizerStateDict | void;

/**
 * The base of all optimizers. A subclass gives its defaults, checks options, and updates one parameter, best by one {@link UpdateFamily}: then a
 * step launches one kernel for each parameter, and reads nothing.
 *
 * @example
 * const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
 * optimizer.zeroGrad(); loss.backward(); optimizer.step();
 * @example
 * // Groups: what a group does not say, the options behind them do.
 * new SGD([{ params: model.body.parameters() }, { params: model.head.parameters(), lr: 0.1 }], { lr: 0.01 });
 * @example
 * // An optimizer of one's own: sign descent.
 * const signs = new UpdateFamily('signs', [], 1, (e, _, [p, g], [lr]) => [e.sub(p, e.mul(lr, e.sign(g)))]);
 * class Signs extends Optimizer<{ lr: number }> {
 *   static override readonly typeName = 'Signs';
 *   constructor(params: Params<{ lr: number }>, options: { lr?: number } = {}) {
 *     super(params, { lr: 0.01 }, options);
 *   }
 *   protected override check({ lr }: { lr: number }): void {
 *     this.notNegative(['Invalid learning rate', lr]);
 *   }
 *   protected override update(p: Tensor, grad: Tensor, state: ParamState, { lr }: { lr: number }): void {
 *     signs.pick().run([p, grad], [lr]);
 *   }
 * }
 */
export abstract class Optimizer<O extends object> {
  static readonly typeName: string = 'Optimizer';
  /** Entries of the state that are numbers here and 0-d tensors in PyTorch. */
  static readonly hostState: readonly string[] = ['step'];
  /** Options that PyTorch prints as floats even where they are whole. */
  static readonly floatOptions: readonly string[] = [];

  readonly paramGroups: ParamGroup<O>[] = [];
  readonly state = new Map<Tensor, ParamState>();
  readonly defaults: O;
  /** How many steps were taken by this object. */
  stepsTaken = 0;
  readonly #stepPre = new Hooks<OptimizerHook>();
  readonly #stepPost = new Hooks<OptimizerHook>();
  readonly #savePre = new Hooks<OptimizerHook>();
  readonly #savePost = new Hooks<StateDictHook>();
  readonly #loadPre = new Hooks<StateDictHook>();
  readonly #loadPost = new Hooks<OptimizerHook>();

  /**
   * @param defaults All options.
   * @param options Those that were given; undefined means not given.
   * @throws ValueError `ERR_OPTIM_PARAMS`, `ERR_OPTIM_OPTION`.
   */
  constructor(params: Params<O>, defaults: O, options: Partial<O> = {}) {
    this.defaults = withOptions(this.typeName, defaults, options);
    checkTypes(this.typeName, this.defaults, defaults);
    this.check(this.defaults);
    try {
      for (const group of groupsOf(this.typeName, params)) this.addParamGroup(group);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  get typeName(): string {
    return (this.constructor as typeof Optimizer).typeName;
  }

  /** Adds parameters, as for layers that are trained from some epoch on. PyTorch: add_param_group. */
  addParamGroup(group: ParamGroupInput<O>): void {
    const read = readGroup(this.typeName, group, this.paramGroups);
    const options = Object.fromEntries(Object.entries(group).filter(([name, value]) => name !== 'params' && value !== undefined));
    const full = { ...this.defaults, ...options, ...read } as ParamGroup<O>;
    checkTypes(this.typeName, full, this.defaults);
    this.check(full);
    this.paramGroups.push(full);
  }

  // ── for subclasses ──

  /** Throws where options are out of range. */
  protected abstract check(options: O): void;

  /** Updates one parameter in place; `state` starts empty. `grad` may be freed by `zeroGrad()`: keep a clone of it, not itself. */
  protected abstract update(p: Tensor, grad: Tensor, state: ParamState, options: O): void;

  /** A complaint about an option, in PyTorch's words. @throws ValueError `ERR_OPTIM_OPTION` */
  protected refuse(why: string): never {
    return refuseOption(this.typeName, why);
  }

  /** Each value must be ≥ 0. The text is that of PyTorch's message, in front of the value. */
  protected notNegative(...values: readonly (readonly [text: string, value: number])[]): void {
    for (const [text, value] of values) if (!(value >= 0)) this.refuse(`${text}: ${value}`);
  }

  /** Each decay rate must be in [0, 1). */
  protected checkBetas(betas: readonly [number, number]): void {
    betas.forEach((beta, i) => {
      if (!(beta >= 0 && beta < 1)) this.refuse(`Invalid beta parameter at index ${i}: ${beta}`);
    });
  }

  /** Zeros like a parameter, that live as long as the optimizer. */
  protected zerosFor(p: Tensor): Tensor {
    return keep(noGrad(() => zerosLike(p).realize()));
  }

  // ── the step ──

  /**
   * Does {@link update} run one `Update` on the parameter, its gradient and its state, and nothing else? Then all are launched together. A subclass with
   * an `update` of its own may do more around it, so that an optimizer speaks for its own alone.
   */
  protected get updatesApart(): boolean {
    return false;
  }

  /**
   * Updates all parameters that have a gradient. With a closure, it is called first, with recording on, to compute the loss again.
   * @returns the closure's loss, or null.
   * @example optimizer.step();
   */
  step(closure?: Closure): Tensor | null {
    if (closure !== undefined && typeof closure !== 'function')
      this.refuse(
        `step takes a function that computes the loss, or nothing, not ${kindOf(closure)}: call loss.backward() first, then step()`,
      );
    for (const hook of this.#stepPre) hook(this);
    const loss = recordFunction(`${this.typeName}.step`, () => this.takeStep(closure));
    this.stepsTaken++;
    for (const hook of this.#stepPost) hook(this);
    return loss;
  }

  /** As {@link step}, for closures that are async, and for optimizers that read a device which cannot be waited for (LBFGS). */
  async stepAsync(closure?: AsyncClosure): Promise<Tensor | null> {
    for (const hook of this.#stepPre) hook(this);
    const loss = await recordFunction(`${this.typeName}.step`, () => this.takeStepAsync(closure));
    this.stepsTaken++;
    for (const hook of this.#stepPost) hook(this);
    return loss;
  }

  protected takeStep(closure?: Closure): Tensor | null {
    const loss = closure === undefined ? null : enableGrad(closure);
    noGrad(() => this.#updateAll());
    return loss;
  }

  protected async takeStepAsync(closure?: AsyncClosure): Promise<Tensor | null> {
    const loss = closure === undefined ? null : await closure();
    noGrad(() => this.#updateAll());
    return loss;
  }

  #updateAll(): void {
    if (this.updatesApart) launchTogether(() => this.#updateEach());
    else this.#updateEach();
  }

  #updateEach(): void {
    for (const group of this.paramGroups) {
      for (const p of group.params) {
        const grad = p.ownGrad;
        if (grad === null) continue;
        const known = this.state.get(p);
        const state = known ?? {};
        this.update(p, grad, state, group);
        if (known === undefined && Object.keys(state).length > 0) this.state.set(p, state);
      }
    }
  }

  /** Drops all gradients, or sets them to zero in place. PyTorch: zero_grad. */
  zeroGrad(options: { readonly setToNone?: boolean } = {}): void {
    const { setToNone = true } = checkOptions('zeroGrad', options, ZERO_GRAD_OPTIONS);
    for (const group of this.paramGroups) {
      for (const p of group.params) {
        const grad = p.ownGrad;
        if (grad === null) continue;
        if (setToNone) p.dropGrad();
        else {
          if (grad.isLeaf) grad.requiresGrad_(false);
          else grad.detach_();
          noGrad(() => grad.zero_());
        }
      }
    }
  }

  // ── its state ──

  /**
   * State and options, under PyTorch's names; parameters by number. Tensors are the optimizer's own: clone what you change.
   * @example optimizer.stateDict().state[0] // { step: 3, exp_avg: Tensor, exp_avg_sq: Tensor }
   */
  stateDict(): OptimizerStateDict {
    for (const hook of this.#savePre) hook(this);
    let dict = packState(this.paramGroups, this.state);
    for (const hook of this.#savePost) dict = hook(this, dict) ?? dict;
    return dict;
  }

  /**
   * Takes over a saved state, of ours or of PyTorch's. Tensors are copied, onto each parameter's device and in its dtype. Nothing changes when it
   * does not fit.
   * @throws TesseraError `ERR_OPTIM_STATE`; NotSupportedError `ERR_SYNC_READ` where a counter is on a device that cannot be waited for.
   */
  loadStateDict(saved: SavedState): void {
    this.#load(this.#plan(saved), adoptNow);
  }

  /** As {@link loadStateDict}, on every device. */
  async loadStateDictAsync(saved: SavedState): Promise<void> {
    const plan = this.#plan(saved);
    this.#load(plan, await adoptLater(plan, this.#hostState));
  }

  get #hostState(): readonly string[] {
    return (this.constructor as typeof Optimizer).hostState;
  }

  #plan(given: SavedState): Plan {
    let saved = readSaved(given);
    for (const hook of this.#loadPre) saved = hook(this, saved) ?? saved;
    return planLoading(this.typeName, this.paramGroups, saved);
  }

  #load({ options, states }: Plan, adopter: Adopter): void {
    const taken = states.map(([p, saved]) => {
      const state: ParamState = {};
      for (const [name, value] of Object.entries(saved)) {
        const host = this.#hostState.includes(name);
        state[name] = mapState(value, (t) => (host ? adopter.number(t) : adopter.tensor(t, p)));
      }
      return [p, state] as const;
    });
    const numbers = options.map((group) => mapOptions(group, adopter));
    this.paramGroups.forEach((group, i) => Object.assign(group, numbers[i]));
    this.state.clear();
    for (const [p, s] of taken) this.state.set(p, s);
    for (const hook of this.#loadPost) hook(this);
  }

  /**
   * Brings the state to where the parameters are now, or to a device. For after `model.to(device)`, which keeps the parameters' identity.
   * @example model.to('wasm'); optimizer.to();
   */
  to(device?: DeviceLike): this {
    for (const [t, target] of this.#misplaced(device)) move(t, t.detach().to({ device: target }));
    return this;
  }

  /** As {@link to}, on every device. */
  async toAsync(device?: DeviceLike): Promise<this> {
    // All are read before one changes: a device that fails half-way leaves the state whole.
    const moved: [Tensor, Tensor][] = [];
    for (const [t, target] of this.#misplaced(device)) moved.push([t, await t.detach().toAsync({ device: target })]);
    for (const [t, there] of moved) move(t, there);
    return this;
  }

  /** The state's tensors that are not where they are to be, and where that is. */
  *#misplaced(device?: DeviceLike): Generator<[Tensor, Device]> {
    const target = device === undefined ? null : toDevice(device);
    for (const [p, state] of this.state) {
      for (const value of Object.values(state)) {
        for (const t of tensorsIn(value)) if (t.device !== (target ?? p.device)) yield [t, target ?? p.device];
      }
    }
  }

  /** Gives back the memory of the state at once. The optimizer starts anew at its next step. */
  dispose(): void {
    for (const state of this.state.values()) for (const value of Object.values(state)) for (const t of tensorsIn(value)) t.dispose();
    this.state.clear();
  }

  // ── hooks ──

  /** Calls `hook` before each step. PyTorch: register_step_pre_hook. */
  registerStepPreHook(hook: OptimizerHook): RemovableHandle {
    return this.#stepPre.add(hook);
  }

  /** Calls `hook` after each step. PyTorch: register_step_post_hook. */
  registerStepPostHook(hook: OptimizerHook): RemovableHandle {
    return this.#stepPost.add(hook);
  }

  /** Calls `hook` before a state is taken. PyTorch: register_state_dict_pre_hook. */
  registerStateDictPreHook(hook: OptimizerHook, options?: HookOptions): RemovableHandle {
    return this.#savePre.add(hook, options);
  }

  /** Gives `hook` each state that is taken. PyTorch: register_state_dict_post_hook. */
  registerStateDictPostHook(hook: StateDictHook, options?: HookOptions): RemovableHandle {
    return this.#savePost.add(hook, options);
  }

  /** Gives `hook` each state before it is loaded. PyTorch: register_load_state_dict_pre_hook. */
  registerLoadStateDictPreHook(hook: StateDictHook, options?: HookOptions): RemovableHandle {
    return this.#loadPre.add(hook, options);
  }

  /** Calls `hook` after a state was loaded. PyTorch: register_load_state_dict_post_hook. */
  registerLoadStateDictPostHook(hook: OptimizerHook, options?: HookOptions): RemovableHandle {
    return this.#loadPost.add(hook, options);
  }

  /** As PyTorch prints it. */
  toString(): string {
    return reprOf(this.typeName, this.paramGroups, (this.constructor as typeof Optimizer).floatOptions);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

refusePythonNames(Optimizer.prototype, 'optimizer', { fields: ['paramGroups'] });

/** PyTorch's learning rates may be 0-d tensors; here they are numbers. */
function mapOptions(options: Readonly<Record<string, unknown>>, adopter: Adopter): Record<string, unknown> {
  const host = (value: unknown): unknown => (Array.isArray(value) ? value.map(host) : mapState(value as null, (t) => adopter.number(t)));
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, host(value)]));
}

/** The same tensor, elsewhere: state dicts that were taken hold it, too. */
function move(t: Tensor, there: Tensor): void {
  t.become(there.realize());
  there.dispose();
}
