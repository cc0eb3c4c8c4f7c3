/** @file Hooks of modules, and the call of a module that has some. PyTorch: nn.Module._call_impl. */
import { ValueError } from '../errors.js';
import { checkOptions, kindOf, type OptionNames } from '../options.js';
import type { RemovableHandle, Tensor } from '../tensor/tensor.js';
import { watchInputs, watchOutput } from './backward-hooks.js';
import type { Module } from './module.js';

/** Sees a module's arguments before `forward`; an array that it returns takes their place, anything else but undefined is the one argument. */
export type ForwardPreHook<M = Module> = (module: M, args: readonly unknown[]) => unknown;
/** Sees what `forward` returned; what it returns itself, unless undefined, takes its place. */
export type ForwardHook<M = Module> = (module: M, args: readonly unknown[], output: unknown) => unknown;
/** One gradient for each tensor among the arguments (or outputs); null where there is none. */
export type Gradients = readonly (Tensor | null)[];
/** Sees the gradients of a module's outputs before they enter it; an array that it returns takes their place. */
export type BackwardPreHook<M = Module> = (module: M, gradOutput: Gradients) => Gradients | null | undefined | void;
/** Sees the gradients of a module's arguments; an array that it returns takes the place of `gradInput`. */
export type BackwardHook<M = Module> = (module: M, gradInput: Gradients, gradOutput: Gradients) => Gradients | null | undefined | void;

export interface HookOptions {
  /** Before the hooks that are there already. */
  readonly prepend?: boolean;
}
export interface ForwardHookOptions extends HookOptions {
  /** Call the hook, with undefined for the output, when `forward` or another hook throws. */
  readonly alwaysCall?: boolean;
}

interface Entry<H> {
  readonly hook: H;
  readonly always: boolean;
}

const HOOK_OPTIONS: OptionNames<ForwardHookOptions> = { prepend: true, alwaysCall: true };

/** Hooks of one kind, in the order of their calls. */
export class HookList<H> {
  entries: readonly Entry<H>[] = [];

  add(hook: H, options: ForwardHookOptions = {}): RemovableHandle {
    const { prepend = false, alwaysCall = false } = checkOptions('register…Hook', options, HOOK_OPTIONS);
    if (typeof hook !== 'function') throw new ValueError('ERR_ARGUMENT', `register…Hook: the hook must be a function, not ${kindOf(hook)}`);
    const entry: Entry<H> = { hook, always: alwaysCall };
    this.entries = prepend ? [entry, ...this.entries] : [...this.entries, entry];
    return { remove: () => void (this.entries = this.entries.filter((e) => e !== entry)) };
  }

  get size(): number {
    return this.entries.length;
  }
}

export class ModuleHooks {
  readonly forwardPre = new HookList<ForwardPreHook>();
  readonly forward = new HookList<ForwardHook>();
  readonly backwardPre = new HookList<BackwardPreHook>();
  readonly backward = new HookList<BackwardHook>();
  readonly stateDictPre = new HookList<(module: Module, prefix: string, keepVars: boolean) => void>();
  readonly stateDictPost = new HookList<StateDictHook>();
  readonly loadPre = new HookList<LoadPreHook>();
  readonly loadPost = new HookList<LoadPostHook>();
}

/** Called with the entries made so far, this module's last; may change them. PyTorch: register_state_dict_post_hook. */
export type StateDictHook<M = Module> = (module: M, stateDict: Map<string, Tensor>, prefix: string) => void;
/** Called with a copy of the entries before a module reads its own; may change them, and the lists of what is wrong. */
export type LoadPreHook<M = Module> = (
  module: M,
  stateDict: Map<string, Tensor>,
  prefix: string,
  report: { readonly strict: boolean; readonly missingKeys: string[]; readonly unexpectedKeys: string[]; readonly errors: string[] },
) => void;
/** Called when a module's entries were read; may change the lists, so that a key is no error. */
export type LoadPostHook<M = Module> = (
  module: M,
  incompatible: { readonly missingKeys: string[]; readonly unexpectedKeys: string[] },
) => void;

const then = <T>(x: T, fn: (x: Awaited<T>) => unknown): unknown => (x instanceof Promise ? x.then(fn) : fn(x as Awaited<T>));

/** Runs `forward` with the hooks around it. */
export function callWithHooks(module: Module, hooks: ModuleHooks, given: readonly unknown[]): unknown {
  let args = given;
  for (const { hook } of hooks.forwardPre.entries) {
    const result = hook(module, args);
    if (result !== undefined && result !== null) args = Array.isArray(result) ? (result as unknown[]) : [result];
  }
  const called = new Set<Entry<ForwardHook>>();
  const failed = (error: unknown): never => {
    for (const entry of hooks.forward.entries) if (entry.always && !called.has(entry)) entry.hook(module, args, undefined);
    throw error;
  };
  const backward = hooks.backward.size > 0 || hooks.backwardPre.size > 0;
  const after = (output: unknown): unknown => {
    for (const entry of hooks.forward.entries) {
      called.add(entry);
      const result = entry.hook(module, args, output);
      if (result !== undefined && result !== null) output = result;
    }
    return backward ? watchOutput(module, hooks, watched!, output) : output;
  };
  const watched = backward ? watchInputs(module, hooks, args) : null;
  try {
    const output = then((module.forward as (...a: readonly unknown[]) => unknown)(...(watched?.args ?? args)), after);
    return output instanceof Promise ? output.catch(failed) : output;
  } catch (error) {
    return failed(error);
  }
}
