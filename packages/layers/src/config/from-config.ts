/** @file A model from its document: `fromConfig`. */
import {
  checkOptions,
  type OptionNames,
  isTesseraError,
  type Module,
  ModuleError,
  type ModuleOf,
  type Parameter,
  tensor,
} from '@tessera/core';
import { at, badArgument, isObject, malformed, MAX_DEPTH, MODEL_FORMAT, MODEL_VERSION, tiedParameters } from './document.js';
import { type Layer, type MoreLayers, Registry } from './registry.js';
import { type Argument, fits, type Json, plainValue } from './signature.js';

const CONFIG_OPTIONS: OptionNames<ConfigOptions> = { layers: true };

export interface ConfigOptions {
  /** Classes of layers besides those of nn and of plugins, by name or as their `typeName` says. */
  readonly layers?: MoreLayers;
}

/**
 * Builds a model from data, as {@link toConfig} writes it or a person does: each layer by its registered name. Weights begin as the constructors
 * draw them; load a state_dict for others. Nothing in the document is run as code, and what its layers do not take is refused.
 *
 * @throws FormatError `ERR_CONFIG_DOCUMENT` for what is no such document; ModuleError `ERR_CONFIG_LAYER` for a name that nobody registered,
 *   `ERR_CONFIG_ARGUMENT` for arguments that its constructor does not take. Each names the place, such as `model.args[0].args[2].padding`.
 * `M` is the type of the model, which no compiler can read from a document: by default one that makes a tensor of a tensor.
 *
 * @example const model = nn.fromConfig(JSON.parse(await readFile('model.json', 'utf8')));
 * @example const transformer = nn.fromConfig<nn.ModuleOf<[Tensor, Tensor]>>(document);
 */
export function fromConfig<M extends Module = ModuleOf>(document: unknown, options: ConfigOptions = {}): M {
  checkOptions('fromConfig', options, CONFIG_OPTIONS);
  if (!isObject(document)) return malformed('document', `it is no object { "format": "${MODEL_FORMAT}", "version": 1, "model": … }`);
  const { format, version, model, tied = [], ...others } = document;
  if (format !== MODEL_FORMAT) malformed('format', `expected "${MODEL_FORMAT}", found ${JSON.stringify(format)}`);
  if (version !== MODEL_VERSION) malformed('version', `this release reads version ${MODEL_VERSION}, found ${JSON.stringify(version)}`);
  for (const key of Object.keys(others)) malformed(key, 'a document has format, version, model and tied, and nothing else');
  const root = new Builder(new Registry(options.layers)).module(model, 'model', 0);
  tie(root, tied);
  return root as M;
}

/** Makes parameters one. */
function tie(root: Module, groups: Json): void {
  const isGroup = (x: Json): x is readonly string[] =>
    Array.isArray(x) && x.length > 1 && x.every((name: Json) => typeof name === 'string');
  if (!Array.isArray(groups) || !groups.every(isGroup)) malformed('tied', 'it is no list of lists of parameters’ names');
  const split = (name: string): [Module, string] => {
    const dot = name.lastIndexOf('.');
    return [at(root, name.slice(0, Math.max(dot, 0))), name.slice(dot + 1)];
  };
  const done = tiedParameters(root).map((group) => new Set(group));
  for (const [i, group] of (groups as readonly (readonly string[])[]).entries()) {
    try {
      const first = root.getParameter(group[0]);
      for (const name of group.slice(1)) {
        if (done.some((same) => same.has(group[0]) && same.has(name))) continue;
        const own = root.getParameter(name);
        if (own.shape.join() !== first.shape.join())
          badArgument(`tied[${i}]`, `${group[0]} is (${first.shape.join('x')}) and ${name} is (${own.shape.join('x')})`);
        const [module, key] = split(name);
        (module as unknown as Record<string, Parameter>)[key] = first;
        own.dispose();
      }
    } catch (error) {
      if (isTesseraError(error) && error.code === 'ERR_CONFIG_ARGUMENT') throw error;
      malformed(`tied[${i}]`, error instanceof Error ? error.message : String(error));
    }
  }
}

class Builder {
  readonly #registry: Registry;
  readonly #named = new Map<string, Module>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  module(document: Json | undefined, path: string, depth: number): Module {
    if (depth > MAX_DEPTH) malformed(path, `layers are nested more than ${MAX_DEPTH} deep`);
    if (!isObject(document)) malformed(path, 'it is no layer, such as { "type": "Linear", "args": [10, 50] }');
    if (Object.hasOwn(document, 'ref')) return this.#reference(document, path);
    const { type, args = [], id, ...others } = document;
    if (typeof type !== 'string') malformed(path, 'a layer has a "type", which is its name');
    if (!Array.isArray(args)) malformed(`${path}.args`, 'it is no list');
    for (const key of Object.keys(others)) malformed(`${path}.${key}`, 'a layer has type, args and id, and nothing else');
    const layer = this.#registry.named(type as string);
    if (layer === undefined) {
      const why = `there is no layer '${String(type)}'; ${this.#registry.hint(String(type))}`;
      throw new ModuleError('ERR_CONFIG_LAYER', `${path}.type: ${why}`, { path: `${path}.type` });
    }
    const module = this.#construct(layer, args as readonly Json[], path, depth);
    if (id !== undefined) {
      if (typeof id !== 'string' || this.#named.has(id)) malformed(`${path}.id`, 'it is no text, or another layer has it');
      this.#named.set(id as string, module);
    }
    return module;
  }

  #reference({ ref, ...others }: Readonly<Record<string, Json>>, path: string): Module {
    const module = typeof ref === 'string' ? this.#named.get(ref) : undefined;
    if (module === undefined || Object.keys(others).length > 0)
      return malformed(path, `no layer before it has the id ${JSON.stringify(ref)}`);
    return module;
  }

  #construct(layer: Layer, args: readonly Json[], path: string, depth: number): Module {
    const values =
      layer.signature === null
        ? args.map((value, i) => this.#any(value, `${path}.args[${i}]`, depth))
        : this.#bind(layer, args, path, depth);
    try {
      return new (layer.module as new (...args: readonly unknown[]) => Module)(...values);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return badArgument(`${path}.args`, `${layer.name} refused them: ${message}`, error);
    }
  }

  /** The arguments that a constructor takes, checked against its signature. */
  #bind({ name, signature }: Layer, args: readonly Json[], path: string, depth: number): unknown[] {
    const { positional, options, text } = signature!;
    const takes = `${name} takes (${text})`;
    const rest = positional.find((argument) => argument.rest);
    const fixed = positional.filter((argument) => !argument.rest);
    // Options come last, even where positional arguments that have defaults are left out.
    const last = args.at(-1);
    const given = options.size > 0 && isObject(last) && !Object.hasOwn(last, 'type') ? last : null;
    const plain = given === null ? args : args.slice(0, -1);
    if (plain.length > fixed.length && rest === undefined)
      badArgument(`${path}.args[${fixed.length}]`, `there are too many arguments; ${takes}`);
    const values: unknown[] = fixed.map((argument, i) => {
      if (i < plain.length) return this.#value(plain[i], argument, `${path}.args[${i}]`, takes, depth);
      if (argument.byDefault === undefined) badArgument(`${path}.args`, `${argument.name} is missing; ${takes}`);
      return plainValue(argument.byDefault!, argument.types);
    });
    if (rest !== undefined)
      values.push(
        ...plain.slice(fixed.length).map((value, i) => this.#value(value, rest, `${path}.args[${fixed.length + i}]`, takes, depth)),
      );
    if (options.size === 0) return values;
    const chosen: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(given ?? {})) {
      const place = `${path}.args[${args.length - 1}].${key}`;
      const option = options.get(key);
      if (option === undefined) return badArgument(place, `there is no such option; ${takes}`);
      chosen[key] = this.#value(value, option, place, takes, depth);
    }
    for (const option of options.values())
      if (option.byDefault === undefined && !Object.hasOwn(chosen, option.name))
        badArgument(`${path}.args`, `${option.name} is missing; ${takes}`);
    return [...values, chosen];
  }

  #value(value: Json, { name, types }: Argument, path: string, takes: string, depth: number): unknown {
    if (types.some((type) => fits(value, type))) return plainValue(value, types);
    if (types.includes('module') && isObject(value)) return this.module(value, path, depth + 1);
    if (types.includes('module[]') && Array.isArray(value))
      return value.map((one: Json, i) => this.module(one, `${path}[${i}]`, depth + 1));
    if (types.includes('modules') && Array.isArray(value)) return value.map((pair: Json, i) => this.#pair(pair, `${path}[${i}]`, depth));
    if (types.includes('tensor') && isObject(value)) return tensorOf(value, path);
    return badArgument(path, `${name} is ${JSON.stringify(value)?.slice(0, 60)}, expected ${types.join(' or ')}; ${takes}`);
  }

  #pair(pair: Json, path: string, depth: number): [string, Module] {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string') return malformed(path, 'it is no pair [name, layer]');
    return [pair[0], this.module(pair[1] as Json, `${path}[1]`, depth + 1)];
  }

  /** An argument of a layer that has no signature: layers in it are built, all else is passed on. */
  #any(value: Json, path: string, depth: number): unknown {
    if (depth > MAX_DEPTH) malformed(path, `values are nested more than ${MAX_DEPTH} deep`);
    if (Array.isArray(value)) return value.map((one: Json, i) => this.#any(one, `${path}[${i}]`, depth + 1));
    if (!isObject(value)) return value;
    if (typeof value['ref'] === 'string' || (typeof value['type'] === 'string' && this.#registry.named(value['type']) !== undefined))
      return this.module(value, path, depth + 1);
    const entries = Object.entries(value).map(([key, one]) => [key, this.#any(one, `${path}.${key}`, depth + 1)] as const);
    return Object.fromEntries(entries);
  }
}

/** A small tensor that stands in the document, such as the weights of a loss. */
function tensorOf({ dtype, shape, data, ...others }: Readonly<Record<string, Json>>, path: string): unknown {
  const bad = (why: string): never => badArgument(path, `it is no tensor { "dtype", "shape", "data" }: ${why}`);
  if (Object.keys(others).length > 0) bad(`it has '${Object.keys(others)[0]}' too`);
  if (!fits(dtype, 'dtype') || !fits(shape, 'int[]') || !fits(data, 'number[]')) bad('something is missing');
  const sizes = shape as readonly number[];
  const values = plainValue(data, ['number[]']) as number[];
  if (sizes.some((n) => n < 0) || sizes.reduce((a, b) => a * b, 1) !== values.length)
    bad(`${values.length} numbers do not fill (${sizes.join('x')})`);
  return tensor(values, { dtype: dtype as 'float32' }).reshape(sizes);
}
