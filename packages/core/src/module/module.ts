/** @file Module: the base of all layers and models. What it does stands in the files beside this one; here is what people call. */
import { checkOptions, type OptionNames, refuseMore } from '../options.js';
import { refuseNames, refusePythonNames } from '../renamed.js';
import { ModuleError } from '../errors.js';
import { nearest } from '../suggest.js';
import type { TesseraError } from '../errors.js';
import type { DType } from '../tensor/dtype.js';
import type { DeviceLike } from '../plugin/runtime.js';
import type { RemovableHandle, Tensor } from '../tensor/tensor.js';
import { observed, observing } from '../inspect/observing.js';
import { Callable, type CallRoute, type ModuleState, STATE } from './callable.js';
import { convert, moveTo, moveToAsync, type ToTarget } from './convert.js';
import { leaving } from './error-path.js';
import {
  type BackwardHook,
  type BackwardPreHook,
  callWithHooks,
  type ForwardHook,
  type ForwardHookOptions,
  type ForwardPreHook,
  type HookOptions,
  type LoadPostHook,
  type LoadPreHook,
  ModuleHooks,
  type StateDictHook,
} from './hooks.js';
import { getBuffer, getParameter, getSubmodule, setSubmodule } from './lookup.js';
import { brandModule, ownBuffers, ownChildren, ownParameters } from './members.js';
import type { Parameter } from './parameter.js';
import { registerBuffer, registerModule, registerParameter } from './register.js';
import { repr, typeNameOf } from './repr.js';
import {
  beginLoading,
  type IncompatibleKeys,
  type Loading,
  type LoadOptions,
  type StateDict,
  type StateDictLike,
  type StateDictOptions,
  takeState,
} from './state-dict.js';
import { namedModules, namedTensors, type TraversalOptions } from './traversal.js';

/** What `console.log` of Node asks for. */
const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** What a call does: hooks when there are any, and the way to the module in the message of an error. */
const route: CallRoute = (self, state, args) => {
  const module = self as Module;
  const observer = observing.current;
  return observer === null
    ? called(module, state, args)
    : observed(observer, 'module', typeNameOf(module), module, () => called(module, state, args));
};

function called(module: Module, state: ModuleState, args: readonly unknown[]): unknown {
  try {
    const { hooks } = state;
    const output = hooks === null ? (module.forward as (...a: readonly unknown[]) => unknown)(...args) : callWithHooks(module, hooks, args);
    if (output === undefined) missingOutput(module);
    if (output instanceof Promise) {
      return output.catch((error: unknown) => {
        throw leaving(module, error, args);
      });
    }
    return output;
  } catch (error) {
    throw leaving(module, error, args);
  }
}

/** @throws ModuleError `ERR_NO_FORWARD` */
export function missingForward(module: Module): never {
  const { prototype } = module.constructor as { prototype: object };
  const name = nearest('forward', Object.getOwnPropertyNames(prototype));
  const hint = name === null ? '' : `. Is it '${name}'?`;
  throw new ModuleError('ERR_NO_FORWARD', `Module [${typeNameOf(module)}] is missing the required "forward" function${hint}`);
}

const PERSISTENT: OptionNames<{ persistent?: boolean }> = { persistent: true };
const NAMING: OptionNames<{ prefix?: string; removeDuplicate?: boolean }> = { prefix: true, removeDuplicate: true };
const STRICT: OptionNames<{ strict?: boolean }> = { strict: true };
const SET_TO_NONE: OptionNames<{ setToNone?: boolean }> = { setToNone: true };
const TO_EMPTY: OptionNames<{ device: DeviceLike; recurse?: boolean }> = { device: true, recurse: true };

/** @throws ModuleError `ERR_NO_OUTPUT` */
function missingOutput(module: Module): never {
  throw new ModuleError(
    'ERR_NO_OUTPUT',
    `${typeNameOf(module)}: forward returned nothing; it lacks a return (null says that there is no output)`,
  );
}

const hooksOf = (module: Module): ModuleHooks => (module[STATE].hooks ??= new ModuleHooks());

/** Modules are called as functions, with the arguments and the result of their `forward`. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- only an interface can say that instances are called; it declares no property
export interface Module {
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
}

/**
 * The base class of all layers and models. PyTorch: nn.Module.
 *
 * Write a class with `forward`; call its instances. Parameters, buffers and modules in its fields are found by themselves, in the order in which
 * the fields came to be: `weight = new Parameter(…)` is in `parameters()`, and its name is its key in `stateDict()`. What is not found: a plain
 * Tensor, what stands in a JavaScript `#private` field (TypeScript's `private` is fine), and arrays of modules, for which there is `ModuleList`.
 *
 * Things to know
 * - A module is a function. `useState(model)` of React calls functions that it is given, so write `useState(() => model)`; the same goes for
 *   other libraries that take "a value, or a function that makes one".
 * - `model(x)` is typed from `forward`, so `forward` needs no overloads (only the last one would be seen) and no type parameters of its own.
 * - `forward` is a method: called alone as `model.forward(x)` it runs no hooks. `const f = model` is the model, `const f = model.forward` is not.
 * - `forward` may be async; the call then gives a promise, and hooks see what it resolves to.
 *
 * @example
 * class Net extends nn.Module {
 *   fc1 = new nn.Linear(10, 50);
 *   fc2 = new nn.Linear(50, 1);
 *   forward(x: Tensor): Tensor {
 *     return this.fc2(this.fc1(x).relu());
 *   }
 * }
 * const net = new Net();
 * net(randn(4, 10)).shape // [4, 1]
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- only an interface can say that instances are called; it declares no property
export abstract class Module extends Callable {
  /** Shown in place of the class's name, which minifying may change. Taken from the class itself, never from the one that it extends. */
  static readonly typeName: string = 'Module';
  /** The version of its state_dict entries. PyTorch: Module._version. */
  static readonly stateVersion: number = 1;

  /** Does it train, or infer? Dropout, batch norm and their like ask. Set by `train()` and `eval()`. */
  training = true;
  /** Functions have `call` and `bind`; modules do not. @internal */
  declare readonly call: never;
  /** @internal */
  declare readonly bind: never;

  /** Takes no arguments, whatever a class without a constructor of its own is given. @throws ValueError `ERR_OPTION` */
  constructor() {
    super(route);
    // oxlint-disable-next-line prefer-rest-params -- rest parameters would be part of the type
    if (arguments.length > 0) refuseMore(typeNameOf(this), arguments[0]);
  }

  /** What the module computes: to be written by each class. */
  abstract forward(...args: never[]): unknown;

  // ── members ──

  /**
   * Puts a parameter under a name that is computed, or null, which keeps the name free for one. PyTorch: register_parameter.
   * @throws ModuleError `ERR_MEMBER_NAME`, `ERR_MEMBER_TYPE`.
   */
  registerParameter(name: string, parameter: Parameter | null): void {
    registerParameter(this, name, parameter);
  }

  /** Makes a tensor part of the module's state that is not learnt; `persistent: false` keeps it out of `stateDict()`. PyTorch: register_buffer. */
  registerBuffer(name: string, tensor: Tensor | null, options: { readonly persistent?: boolean } = {}): void {
    registerBuffer(this, name, tensor, checkOptions('registerBuffer', options, PERSISTENT).persistent ?? true);
  }

  /** Puts a child under a name that is computed. PyTorch: register_module. */
  registerModule(name: string, module: Module | null): void {
    registerModule(this, name, module);
  }

  /** PyTorch: add_module. */
  addModule(name: string, module: Module | null): void {
    registerModule(this, name, module);
  }

  /** Each parameter once, its own first, then those of the modules below. PyTorch: parameters(). */
  parameters(recurse = true): Parameter[] {
    return namedTensors(this, ownParameters, { recurse }).map(([, p]) => p);
  }

  /** PyTorch: named_parameters(). @example for (const [name, p] of model.namedParameters()) … */
  namedParameters(options: TraversalOptions = {}): [string, Parameter][] {
    return namedTensors(this, ownParameters, options);
  }

  buffers(recurse = true): Tensor[] {
    return namedTensors(this, ownBuffers, { recurse }).map(([, b]) => b);
  }

  /** PyTorch: named_buffers(). */
  namedBuffers(options: TraversalOptions = {}): [string, Tensor][] {
    return namedTensors(this, ownBuffers, options);
  }

  /** The modules directly below, each once. PyTorch: children(). */
  children(): Module[] {
    return [...new Set(ownChildren(this).map(([, m]) => m))];
  }

  /** PyTorch: named_children(). */
  namedChildren(): [string, Module][] {
    const seen = new Set<Module>();
    return ownChildren(this).filter(([, m]) => !seen.has(m) && seen.add(m));
  }

  /** Itself and all modules below, each once. PyTorch: modules(). */
  modules(): Module[] {
    return namedModules(this).map(([, m]) => m);
  }

  /** PyTorch: named_modules(). */
  namedModules(options: { readonly prefix?: string; readonly removeDuplicate?: boolean } = {}): [string, Module][] {
    const { prefix, removeDuplicate } = checkOptions('namedModules', options, NAMING);
    return namedModules(this, prefix, removeDuplicate);
  }

  /** The module of a dotted path. PyTorch: get_submodule. @throws ModuleError `ERR_NO_MEMBER`. @example model.getSubmodule('layers.0.conv') */
  getSubmodule(target: string): Module {
    return getSubmodule(this, target);
  }

  /** Puts a module at a dotted path; with `strict` only where there is one. PyTorch: set_submodule. */
  setSubmodule(target: string, module: Module, options: { readonly strict?: boolean } = {}): void {
    setSubmodule(this, target, module, checkOptions('setSubmodule', options, STRICT).strict ?? false);
  }

  /** PyTorch: get_parameter. @throws ModuleError `ERR_NO_MEMBER`. */
  getParameter(target: string): Parameter {
    return getParameter(this, target);
  }

  /** PyTorch: get_buffer. @throws ModuleError `ERR_NO_MEMBER`. */
  getBuffer(target: string): Tensor {
    return getBuffer(this, target);
  }

  // ── modes ──

  /** Sets `training` of itself and all below. PyTorch: train(). */
  train(mode = true): this {
    for (const m of this.modules()) m.training = mode;
    return this;
  }

  /** Dropout passes, batch norm uses its running statistics, … PyTorch: eval(). */
  eval(): this {
    return this.train(false);
  }

  /** Calls `fn` with each module below and then itself, to initialise them for example. PyTorch: apply(). */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Do all parameters get gradients? PyTorch: requires_grad_(). */
  requiresGrad_(on = true): this {
    for (const p of this.parameters()) p.requiresGrad_(on);
    return this;
  }

  /** Forgets the gradients, or fills them with 0 when `setToNone` is false. PyTorch: zero_grad(). */
  zeroGrad(options: { readonly setToNone?: boolean } = {}): void {
    const { setToNone = true } = checkOptions('zeroGrad', options, SET_TO_NONE);
    for (const p of this.parameters()) {
      if (setToNone) p.dropGrad();
      else p.ownGrad?.detach_().zero_();
    }
  }

  // ── moving and converting ──

  /**
   * Moves all parameters, gradients and buffers to a device, and floats among them to a dtype; the handles stay, so optimizers need not know.
   * PyTorch: to().
   * @throws DTypeError `ERR_DTYPE` for a dtype that is no float; NotSupportedError `ERR_SYNC_READ` where the device cannot be read at once.
   */
  to(target: ToTarget): this {
    moveTo(this, target);
    return this;
  }

  /** As {@link to}, from every device. */
  async toAsync(target: ToTarget): Promise<this> {
    await moveToAsync(this, target);
    return this;
  }

  float(): this {
    return this.to('float32');
  }

  double(): this {
    return this.to('float64');
  }

  half(): this {
    return this.to('float16');
  }

  bfloat16(): this {
    return this.to('bfloat16');
  }

  /** All parameters and buffers, integers too, to one dtype. PyTorch: type(). */
  type(dtype: DType): this {
    convert(this, (t) => t.to(dtype));
    return this;
  }

  /** Puts tensors without defined contents in the place of all parameters and buffers. PyTorch: to_empty(). */
  toEmpty(options: { readonly device: DeviceLike; readonly recurse?: boolean }): this {
    const { device, recurse = true } = checkOptions('toEmpty', options, TO_EMPTY);
    convert(this, (t) => t.newEmpty(t.shape, { device }), recurse);
    return this;
  }

  // ── state ──

  /**
   * Its parameters and persistent buffers by name, and those of all below: detached tensors that share memory with them. PyTorch: state_dict().
   * @example [...model.stateDict().keys()] // ['fc1.weight', 'fc1.bias', …]
   */
  stateDict(options: StateDictOptions = {}): StateDict {
    return takeState(this, options);
  }

  /**
   * Copies tensors into the parameters and buffers of the same names. When anything does not fit, nothing is changed. PyTorch: load_state_dict().
   * @throws ModuleError `ERR_STATE_DICT` with all missing and unexpected keys (unless `strict` is false) and sizes that differ.
   */
  loadStateDict(stateDict: StateDictLike, options: LoadOptions = {}): IncompatibleKeys {
    const loading = beginLoading(this, stateDict, options);
    loading.check(this);
    loading.apply();
    return { missingKeys: loading.missingKeys, unexpectedKeys: loading.unexpectedKeys };
  }

  /** As {@link loadStateDict}, for tensors on a device that cannot be read synchronously. */
  async loadStateDictAsync(stateDict: StateDictLike, options: LoadOptions = {}): Promise<IncompatibleKeys> {
    const loading = beginLoading(this, stateDict, options);
    loading.check(this);
    await loading.move();
    loading.apply();
    return { missingKeys: loading.missingKeys, unexpectedKeys: loading.unexpectedKeys };
  }

  /** Reads its own entries of a state_dict. Classes whose state had other forms before override it. PyTorch: _load_from_state_dict. */
  loadFromStateDict(loading: Loading, prefix: string): void {
    loading.readOwn(this, prefix);
  }

  /** More of its state than parameters and buffers, as one tensor; null for none. PyTorch: get_extra_state(). */
  getExtraState(): Tensor | null {
    return null;
  }

  /** Takes back what {@link getExtraState} gave. PyTorch: set_extra_state(). */
  setExtraState(_state: Tensor): void {
    throw new ModuleError('ERR_EXTRA_STATE', `${typeNameOf(this)}: override setExtraState to read what getExtraState gives`);
  }

  // ── hooks ──

  /** PyTorch: register_forward_pre_hook(). */
  registerForwardPreHook(hook: ForwardPreHook<this>, options?: HookOptions): RemovableHandle {
    return hooksOf(this).forwardPre.add(hook as ForwardPreHook, options);
  }

  /** PyTorch: register_forward_hook(). */
  registerForwardHook(hook: ForwardHook<this>, options?: ForwardHookOptions): RemovableHandle {
    return hooksOf(this).forward.add(hook as ForwardHook, options);
  }

  /** PyTorch: register_full_backward_pre_hook(). */
  registerFullBackwardPreHook(hook: BackwardPreHook<this>, options?: HookOptions): RemovableHandle {
    return hooksOf(this).backwardPre.add(hook as BackwardPreHook, options);
  }

  /** PyTorch: register_full_backward_hook(). */
  registerFullBackwardHook(hook: BackwardHook<this>, options?: HookOptions): RemovableHandle {
    return hooksOf(this).backward.add(hook as BackwardHook, options);
  }

  /** PyTorch: register_state_dict_pre_hook(). */
  registerStateDictPreHook(hook: (module: this, prefix: string, keepVars: boolean) => void): RemovableHandle {
    return hooksOf(this).stateDictPre.add(hook as (module: Module, prefix: string, keepVars: boolean) => void);
  }

  /** PyTorch: register_state_dict_post_hook(). */
  registerStateDictPostHook(hook: StateDictHook<this>): RemovableHandle {
    return hooksOf(this).stateDictPost.add(hook as StateDictHook);
  }

  /** PyTorch: register_load_state_dict_pre_hook(). */
  registerLoadStateDictPreHook(hook: LoadPreHook<this>): RemovableHandle {
    return hooksOf(this).loadPre.add(hook as LoadPreHook);
  }

  /** PyTorch: register_load_state_dict_post_hook(). */
  registerLoadStateDictPostHook(hook: LoadPostHook<this>): RemovableHandle {
    return hooksOf(this).loadPost.add(hook as LoadPostHook);
  }

  // ── texts ──

  /** What stands between the brackets of its text: options, in one line or several. PyTorch: extra_repr(). */
  extraRepr(): string {
    return '';
  }

  /** A line for the message of an error that came from its `forward`, for whoever has to understand it; null for none. */
  explainError(_error: TesseraError, _args: readonly unknown[]): string | null {
    return null;
  }

  /** As PyTorch prints it. */
  override toString(): string {
    return repr(this);
  }

  [INSPECT](): string {
    return repr(this);
  }

  get [Symbol.toStringTag](): string {
    return 'Module';
  }
}
brandModule(Module.prototype);
refusePythonNames(Module.prototype, 'module', { open: true });
refuseNames(Module.prototype, 'module', { cuda: "to('webgpu')", cpu: "to('cpu')" });
// For classes that are no TypeScript, and for what only holds other modules.
Object.defineProperty(Module.prototype, 'forward', {
  value(this: Module): never {
    return missingForward(this);
  },
  writable: true,
  configurable: true,
});

/**
 * Any module whose `forward` takes these and gives that, tensors by default: the type of a field or an argument that holds one. A plain
 * `Module` says nothing of its `forward`, so that it cannot be called.
 *
 * @example
 * class Residual extends nn.Module {
 *   constructor(readonly inner: nn.ModuleOf) {
 *     super();
 *   }
 *   forward(x: Tensor): Tensor {
 *     return x.add(this.inner(x));
 *   }
 * }
 * @example const distance: nn.ModuleOf<[Tensor, Tensor]> = new nn.PairwiseDistance();
 */
export interface ModuleOf<I extends readonly unknown[] = [Tensor], O = Tensor> extends Module {
  forward(...inputs: I): O;
}
