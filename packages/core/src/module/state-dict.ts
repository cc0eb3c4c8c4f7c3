/**
 * @file A module's state by name: taking it out and putting it back. Keys, their order and the texts of errors are PyTorch's, so that
 * checkpoints go both ways unchanged. Loading looks at everything before it writes anything.
 */
import { checkOptions, type OptionNames } from '../options.js';
import { noGrad } from '../autograd/mode.js';
import { ModuleError } from '../errors.js';
import { nearest } from '../suggest.js';
import type { Shape } from '../tensor/shape.js';
import { sameShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { STATE } from './callable.js';
import { ownBuffers, ownChildren, ownParameters, setMember } from './members.js';
import type { Module } from './module.js';
import { isParameter, Parameter } from './parameter.js';
import { isUninitialized } from './uninitialized.js';
import { typeNameOf } from './repr.js';

/** The key under which a module's own extra state stands. */
const EXTRA_STATE = '_extra_state';

/** Tensors by name, in order. PyTorch: the OrderedDict that state_dict() gives. */
export class StateDict extends Map<string, Tensor> {
  /** The version of each module's entries, by its path: PyTorch's `_metadata`. */
  readonly versions = new Map<string, number>();

  override get [Symbol.toStringTag](): string {
    return 'StateDict';
  }
}

/** Anything that can be loaded: what `stateDict()` gives, a Map, or a plain object. */
export type StateDictLike = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

export interface StateDictOptions {
  /** Put before each key. Default ''. */
  readonly prefix?: string;
  /** The parameters themselves, with their place in the graph, in place of detached tensors. Default false. */
  readonly keepVars?: boolean;
  /** Where to put the entries. */
  readonly destination?: StateDict;
}

export interface LoadOptions {
  /** Missing and unexpected keys are errors. Default true. */
  readonly strict?: boolean;
  /** The loaded tensors themselves become the module's, with their dtype and device, in place of a copy into what is there. Default false. */
  readonly assign?: boolean;
}

/** What did not fit, when `strict` is false. */
export interface IncompatibleKeys {
  readonly missingKeys: string[];
  readonly unexpectedKeys: string[];
}

const STATE_DICT_OPTIONS: OptionNames<StateDictOptions> = { prefix: true, keepVars: true, destination: true };
const LOAD_OPTIONS: OptionNames<LoadOptions> = { strict: true, assign: true };

export function takeState(module: Module, options: StateDictOptions = {}): StateDict {
  const { prefix = '', keepVars = false, destination = new StateDict() } = checkOptions('stateDict', options, STATE_DICT_OPTIONS);
  const { hooks, buffers } = module[STATE];
  destination.versions.set(prefix.slice(0, -1), stateVersionOf(module));
  for (const { hook } of hooks?.stateDictPre.entries ?? []) hook(module, prefix, keepVars);
  const put = (name: string, t: Tensor): void => void destination.set(prefix + name, keepVars ? t : t.detach());
  for (const [name, t] of ownParameters(module)) put(name, t);
  for (const [name, t] of ownBuffers(module)) if (buffers.get(name) === true) put(name, t);
  const extra = module.getExtraState();
  if (extra !== null) destination.set(prefix + EXTRA_STATE, extra);
  for (const [name, child] of ownChildren(module)) child.stateDict({ prefix: `${prefix}${name}.`, keepVars, destination });
  for (const { hook } of hooks?.stateDictPost.entries ?? []) hook(module, destination, prefix);
  return destination;
}

const stateVersionOf = (module: Module): number => (module.constructor as { readonly stateVersion?: number }).stateVersion ?? 1;

/** One entry that will be written once all is known to fit. */
interface Write {
  readonly module: Module;
  readonly name: string;
  readonly target: Tensor;
  readonly source: Tensor;
}

/** A loading in progress. What `Module.loadFromStateDict` of layers with older forms of their state works on. */
export class Loading {
  readonly missingKeys: string[] = [];
  readonly unexpectedKeys: string[] = [];
  readonly errors: string[] = [];
  readonly #writes: Write[] = [];
  readonly #extras: [Module, Tensor][] = [];

  constructor(
    /** All that is loaded; a module may add entries that its older forms lack. */
    readonly entries: Map<string, Tensor>,
    /** The version that a module's entries were saved with, by its path; unknown for files that keep none. */
    readonly versions: ReadonlyMap<string, number>,
    readonly strict: boolean,
    readonly assign: boolean,
  ) {}

  /** Reads a module's own entries. PyTorch: Module._load_from_state_dict. */
  readOwn(module: Module, prefix: string): void {
    const { hooks, buffers } = module[STATE];
    for (const { hook } of hooks?.loadPre.entries ?? []) hook(module, this.entries, prefix, this);
    const own = [...ownParameters(module), ...ownBuffers(module).filter(([name]) => buffers.get(name) === true)] as [string, Tensor][];
    for (const [name, target] of own) {
      const key = prefix + name;
      const source = this.entries.get(key);
      if (source === undefined) {
        this.missingKeys.push(key);
      } else if (!isTensor(source)) {
        this.errors.push(
          `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object from checkpoint but received ${typeof source}`,
        );
      } else this.#plan(module, name, key, target, source);
    }
    const extra = this.entries.get(prefix + EXTRA_STATE);
    if (module.getExtraState() !== null) {
      if (extra !== undefined) this.#extras.push([module, extra]);
      else this.missingKeys.push(prefix + EXTRA_STATE);
    } else if (extra !== undefined) this.unexpectedKeys.push(prefix + EXTRA_STATE);
    const known = new Set([...own.map(([name]) => name), ...ownChildren(module).map(([name]) => name)]);
    for (const key of this.entries.keys()) {
      if (!key.startsWith(prefix) || key === prefix + EXTRA_STATE) continue;
      const rest = key.slice(prefix.length);
      const dot = rest.indexOf('.');
      const child = dot >= 0 && ownChildren(module).some(([name]) => name === rest.slice(0, dot));
      if (!child && (dot >= 0 || !known.has(rest))) this.unexpectedKeys.push(key);
    }
  }

  #plan(module: Module, name: string, key: string, target: Tensor, source: Tensor): void {
    if (isUninitialized(target)) {
      this.#writes.push({ module, name, target, source });
      return;
    }
    // Checkpoints of PyTorch 0.3 have one element where there is a scalar now.
    const fitted = target.ndim === 0 && source.ndim === 1 && source.shape[0] === 1 ? source.select(0, 0) : source;
    if (!sameShape(fitted.shape, target.shape)) {
      this.errors.push(
        `size mismatch for ${key}: copying a param with shape ${torchSize(source.shape)} from checkpoint, the shape in current model is ${torchSize(target.shape)}.`,
      );
      return;
    }
    this.#writes.push({ module, name, target, source: fitted });
  }

  /** @throws ModuleError `ERR_STATE_DICT` with all that does not fit. */
  check(module: Module): void {
    const errors = [...this.errors];
    const list = (keys: readonly string[]): string => keys.map((k) => `"${k}"`).join(', ');
    if (this.strict) {
      if (this.unexpectedKeys.length > 0) errors.unshift(`Unexpected key(s) in state_dict: ${list(this.unexpectedKeys)}. `);
      if (this.missingKeys.length > 0) errors.unshift(`Missing key(s) in state_dict: ${list(this.missingKeys)}. `);
    }
    if (errors.length === 0) return;
    const error = new ModuleError('ERR_STATE_DICT', `Error(s) in loading state_dict for ${typeNameOf(module)}:\n\t${errors.join('\n\t')}`, {
      op: 'loadStateDict',
      missingKeys: [...this.missingKeys],
      unexpectedKeys: [...this.unexpectedKeys],
    });
    const hint = this.strict ? keyHint(this.missingKeys, this.unexpectedKeys) : null;
    throw hint === null ? error : error.note(hint);
  }

  /** The tensors that are to be written, for a device that has to be awaited. */
  async move(): Promise<void> {
    for (const [i, write] of this.#writes.entries()) {
      if (!this.assign) this.#writes[i] = { ...write, source: await write.source.toAsync(write.target.device) };
    }
  }

  apply(): void {
    noGrad(() => {
      for (const { module, name, target, source } of this.#writes) {
        if (!this.assign) {
          if (isUninitialized(target)) target.materialize(source.shape);
          target.copy_(source);
        } else if (isParameter(target))
          setMember(
            module,
            name,
            isParameter(source) && source.requiresGrad === target.requiresGrad ? source : new Parameter(source, target.requiresGrad),
          );
        else setMember(module, name, source);
      }
    });
    for (const [module, extra] of this.#extras) module.setExtraState(extra);
  }
}

/** What wrappers put before each key. */
const PREFIXES = ['module.', '_orig_mod.', 'model.', 'state_dict.'];

/** A line for whoever has keys that do not fit: a prefix that all have, or the names that are nearest. */
function keyHint(missing: readonly string[], unexpected: readonly string[]): string | null {
  if (missing.length === 0 || unexpected.length === 0) return null;
  const wanted = new Set(missing);
  for (const prefix of PREFIXES) {
    if (unexpected.some((key) => key.startsWith(prefix) && wanted.has(key.slice(prefix.length))))
      return `Keys of the file begin with '${prefix}', which a wrapper put there: load the entries under their names without it.`;
    if (unexpected.some((key) => wanted.has(prefix + key)))
      return `Keys of the model begin with '${prefix}', which the file's do not: load into the module below.`;
  }
  const pairs = unexpected.slice(0, 100).flatMap((key) => {
    const near = nearest(key, missing);
    return near === null ? [] : [`"${near}" for "${key}"`];
  });
  return pairs.length === 0 ? null : `Did you mean ${pairs.slice(0, 3).join(', ')}?`;
}

const torchSize = (shape: Shape): string => `torch.Size([${shape.join(', ')}])`;

/** Reads the entries of a module and of all below it; answers what is to be checked and applied. */
export function beginLoading(module: Module, given: StateDictLike, options: LoadOptions = {}): Loading {
  const { strict = true, assign = false } = checkOptions('loadStateDict', options, LOAD_OPTIONS);
  if (given instanceof Promise)
    throw new ModuleError('ERR_STATE_DICT', 'Expected state_dict to be dict-like, got a Promise: await it first', { op: 'loadStateDict' });
  if (typeof given !== 'object' || given === null) {
    throw new ModuleError('ERR_STATE_DICT', `Expected state_dict to be dict-like, got ${typeof given}.`, { op: 'loadStateDict' });
  }
  const entries = new Map<string, Tensor>(given instanceof Map ? (given as ReadonlyMap<string, Tensor>) : Object.entries(given));
  const versions: ReadonlyMap<string, number> = given instanceof StateDict ? given.versions : new Map<string, number>();
  const loading = new Loading(entries, versions, strict, assign);
  const read = (m: Module, prefix: string): void => {
    m.loadFromStateDict(loading, prefix);
    for (const [name, child] of ownChildren(m)) read(child, `${prefix}${name}.`);
    for (const { hook } of m[STATE].hooks?.loadPost.entries ?? []) hook(m, loading);
  };
  read(module, '');
  return loading;
}
