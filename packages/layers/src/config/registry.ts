/** @file The layers that a document may name: those of this package, those of plugins, and those that the caller gives. */
import { type LayerProvider, type Module, ModuleError, runtimes, typeNameOf } from '@tessera/core';
import { builtInLayers } from './built-in.js';
import { parseSignature, type Signature } from './signature.js';

/** A class of modules, as far as a document knows it. */
export type ModuleClass = (new (...args: never[]) => Module) & { readonly typeName?: string; readonly signature?: string };

/** A layer that a document may name. */
export interface Layer {
  readonly name: string;
  readonly module: ModuleClass;
  /** What its constructor takes. null: nobody has said, and what a document gives is passed on as it is. */
  readonly signature: Signature | null;
  /** What an instance was made with, by the names of the signature, where its fields do not say it. */
  readonly read?: (module: never) => Readonly<Record<string, unknown>>;
}

/** Layers besides those of this package and of plugins: classes by name, or as `typeName` says. */
export type MoreLayers = readonly ModuleClass[] | Readonly<Record<string, ModuleClass>>;

const own = (module: ModuleClass): string | undefined => (Object.hasOwn(module, 'signature') ? module.signature : undefined);

function layerOf(name: string, module: ModuleClass, signature: string | undefined = own(module), read?: LayerProvider['read']): Layer {
  return {
    name,
    module,
    signature: signature === undefined ? null : parseSignature(signature),
    ...(read && { read: read as Layer['read'] }),
  };
}

/** Layers by name, and by class. */
export class Registry {
  readonly #byName = new Map<string, Layer>();
  readonly #byClass = new Map<unknown, Layer>();

  /** @throws ModuleError `ERR_LAYER_NAME` where two layers have one name, `ERR_LAYER_SIGNATURE`. */
  constructor(more: MoreLayers = []) {
    for (const layer of builtInLayers()) this.#add(layer);
    for (const { name, module, signature, read } of runtimes.current.layers().values())
      this.#add(layerOf(name, module as ModuleClass, signature, read));
    const given = Array.isArray(more)
      ? (more as readonly ModuleClass[]).map((module) => [module.typeName ?? module.name, module] as const)
      : Object.entries(more);
    for (const [name, module] of given) this.#add(layerOf(name, module));
  }

  #add(layer: Layer): void {
    const before = this.#byName.get(layer.name);
    if (before !== undefined && before.module !== layer.module)
      throw new ModuleError('ERR_LAYER_NAME', `there are two layers of the name '${layer.name}': one is registered already`);
    this.#byName.set(layer.name, layer);
    this.#byClass.set(layer.module, layer);
  }

  named(name: string): Layer | undefined {
    return this.#byName.get(name);
  }

  /** The layer that a module is an instance of: of that very class, not of one that extends it. */
  of(module: Module): Layer | undefined {
    return this.#byClass.get(module.constructor);
  }

  /** For messages: names that are much like a name, or how to register it. */
  hint(name: string): string {
    const plain = name.toLowerCase();
    const near = [...this.#byName.keys()].filter((known) => known.toLowerCase() === plain || distance(known.toLowerCase(), plain) <= 2);
    return near.length > 0
      ? `did you mean ${near.slice(0, 3).join(' or ')}?`
      : 'register it with a plugin, or give its class in the option `layers`';
  }

  /** @throws ModuleError `ERR_CONFIG_LAYER` for a module of a class that has no name here. */
  require(module: Module, path: string): Layer {
    const layer = this.of(module);
    if (layer !== undefined) return layer;
    throw new ModuleError(
      'ERR_CONFIG_LAYER',
      `${path}: ${typeNameOf(module)} is no layer that a document can name; ${this.hint(typeNameOf(module))}`,
      {
        path,
      },
    );
  }
}

/** Levenshtein's distance of two short texts. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length];
}
