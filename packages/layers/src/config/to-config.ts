/** @file A model as data: `toConfig`. */
import { checkOptions, type OptionNames, isModule, isTensor, type Module, ModuleError } from '@tessera/core';
import { withoutDrawing } from '../attention/copies.js';
import { type LayerDocument, type LayerReference, MODEL_FORMAT, MODEL_VERSION, type ModelDocument, tiedParameters } from './document.js';
import { type ConfigOptions, fromConfig } from './from-config.js';
import { type Layer, Registry } from './registry.js';
import { type Argument, isDefault, type Json, jsonNumber } from './signature.js';

const TO_CONFIG_OPTIONS: OptionNames<ToConfigOptions> = { verify: true, layers: true };

export interface ToConfigOptions extends ConfigOptions {
  /** Build the document again and compare the two, so that nothing is lost unseen. Takes the memory of another such model. Default true. */
  readonly verify?: boolean;
}

/**
 * The structure of a model as data, for JSON: the registered name of each layer and the arguments that make it again, read from what the layer is
 * now. Weights, modes and hooks are not in it.
 *
 * What is written is built again and compared (unless `verify` is false): a layer whose parts were exchanged after it was made, so that its
 * constructor no longer gives it, is refused rather than lost.
 *
 * @throws ModuleError `ERR_CONFIG_LAYER` for a class that nobody registered, `ERR_CONFIG_VALUE` for an argument that is no data (a function),
 *   `ERR_CONFIG_LOSSY` where the document would give another model. Each names the place in the model.
 * @example await writeFile('model.json', JSON.stringify(nn.toConfig(model), null, 2));
 */
export function toConfig(model: Module, options: ToConfigOptions = {}): ModelDocument {
  checkOptions('toConfig', options, TO_CONFIG_OPTIONS);
  const registry = new Registry(options.layers);
  const document = describe(model, registry);
  if (options.verify !== false) verify(model, document, options);
  return document;
}

function describe(model: Module, registry: Registry): ModelDocument {
  const body = new Describer(registry).module(model, 'model') as LayerDocument;
  const tied = tiedParameters(model);
  return { format: MODEL_FORMAT, version: MODEL_VERSION, model: body, ...(tied.length > 0 && { tied }) };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Describer {
  readonly #registry: Registry;
  readonly #seen = new Map<Module, Mutable<LayerDocument>>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  module(module: Module, path: string): LayerDocument | LayerReference {
    const before = this.#seen.get(module);
    if (before !== undefined) {
      before.id ??= `shared-${[...this.#seen.values()].filter((one) => one.id !== undefined).length + 1}`;
      return { ref: before.id };
    }
    const layer = this.#registry.require(module, path);
    const document: Mutable<LayerDocument> = { type: layer.name };
    this.#seen.set(module, document);
    const args = this.#arguments(module, layer, path);
    if (args.length > 0) document.args = args;
    return document;
  }

  #arguments(module: Module, { signature, read }: Layer, path: string): Json[] {
    if (signature === null) return [];
    const known = read?.(module as never) ?? {};
    const valueOf = (argument: Argument): unknown => (Object.hasOwn(known, argument.name) ? known[argument.name] : field(module, argument));
    const args: Json[] = [];
    let filled = 0;
    for (const argument of signature.positional) {
      const value = valueOf(argument);
      if (argument.rest) {
        args.push(...((value ?? []) as readonly unknown[]).map((one, i) => this.#value(one, `${path}.${argument.name}[${i}]`)));
        filled = args.length;
        continue;
      }
      args.push(value === undefined ? (argument.byDefault ?? null) : this.#value(value, `${path}.${argument.name}`));
      if (!isDefault(args.at(-1)!, argument)) filled = args.length;
    }
    args.length = filled;
    const options: Record<string, Json> = {};
    for (const option of signature.options.values()) {
      const value = valueOf(option);
      if (value === undefined) continue;
      const json = this.#value(value, `${path}.${option.name}`);
      if (!isDefault(json, option)) options[option.name] = json;
    }
    if (Object.keys(options).length > 0) args.push(options);
    return args;
  }

  #value(value: unknown, path: string): Json {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number') return jsonNumber(value);
    if (isModule(value)) return this.module(value, path) as unknown as Json;
    if (isTensor(value))
      return { dtype: value.dtype, shape: [...value.shape], data: [...value.flatten().data()].map((x) => jsonNumber(Number(x))) };
    if (Array.isArray(value)) return value.map((one, i) => this.#value(one, `${path}[${i}]`));
    throw new ModuleError('ERR_CONFIG_VALUE', `${path}: a ${typeof value} is no data, and a document cannot hold it`, { path });
  }
}

/** What a layer's fields say of an argument: by the same name, in its `options`, whether there is such a parameter, the dtype of its parameters. */
function field(module: Module, { name, types }: Argument): unknown {
  const fields = module as unknown as Readonly<Record<string, unknown>>;
  if (name === 'dtype' && types.includes('dtype') && !(name in module)) return module.parameters()[0]?.dtype;
  const value = name in module ? fields[name] : (fields['options'] as Readonly<Record<string, unknown>> | undefined)?.[name];
  if (types.includes('bool') && (isTensor(value) || (value === null && !types.includes('null')))) return value !== null;
  return value;
}

/** Builds the model of a document, and compares. @throws ModuleError `ERR_CONFIG_LOSSY` */
function verify(model: Module, document: ModelDocument, options: ConfigOptions): void {
  const again = withoutDrawing(() => fromConfig(document, options));
  try {
    const difference = differenceOf(model, again);
    if (difference !== null)
      throw new ModuleError('ERR_CONFIG_LOSSY', `the document would not give this model again: ${difference}`, {
        path: difference.slice(0, difference.indexOf(':')),
      });
  } finally {
    for (const tensor of [...again.parameters(), ...again.buffers()]) tensor.dispose();
  }
}

/** The first thing in which two models are not alike. */
function differenceOf(model: Module, again: Module): string | null {
  const there = new Map(again.namedModules({ removeDuplicate: false }));
  for (const [name, module] of model.namedModules({ removeDuplicate: false })) {
    const path = name === '' ? 'model' : `model.${name}`;
    const other = there.get(name);
    if (other === undefined) return `${path}: its maker's constructor gives no such part`;
    if (other.constructor !== module.constructor || other.extraRepr() !== module.extraRepr())
      return `${path}: it is ${headOf(module)}, and the constructor gives ${headOf(other)}`;
    there.delete(name);
  }
  for (const name of there.keys()) return `model.${name}: the constructor gives such a part, and the model has none`;
  const state = (root: Module): string[] =>
    [...root.namedParameters({ removeDuplicate: false }), ...root.namedBuffers({ removeDuplicate: false })].map(
      ([name, tensor]) => `${name}: ${tensor.dtype} (${'shape' in tensor ? tensor.shape.join('x') : ''})`,
    );
  const [mine, theirs] = [state(model), state(again)];
  const odd = mine.find((line, i) => line !== theirs[i]) ?? theirs[mine.length];
  if (odd !== undefined) return `model.${odd} is in one and not in the other`;
  const ties = (root: Module): string => JSON.stringify(tiedParameters(root));
  return ties(model) === ties(again) ? null : 'model: other parameters are shared';
}

const headOf = (module: Module): string => `${module.toString().split('\n')[0]}`;
