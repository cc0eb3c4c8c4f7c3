/**
 * @file The framework as the kit finds it: namespaces that are looked up by name. What does not exist yet is a skipped case, no failure,
 * and a layer or optimizer package that does not load says so on the scorecard.
 */
import * as core from '@tessera/core';
import type { Tensor } from '@tessera/core';
import { Skip } from '../check/skip.js';

/** Any function of the framework; what it takes is known to signatures and adapters only. */
export type AnyFunction = (...args: readonly unknown[]) => unknown;
export type AnyClass = new (...args: readonly unknown[]) => object;
type Namespace = Readonly<Record<string, unknown>>;

/** Where functions, methods, layers and optimizers are found. */
export class Library {
  private constructor(
    readonly core: Namespace,
    /** PyTorch: torch.nn.functional. */
    readonly F: Namespace,
    readonly nn: Namespace,
    readonly optim: Namespace,
  ) {}

  static async load(): Promise<Library> {
    const layers = (await import('@tessera/layers')) as Namespace;
    const optim = (await import('@tessera/optim')) as Namespace;
    return new Library(core as Namespace, namespaceOf(layers, 'F') ?? namespaceOf(layers, 'functional') ?? {}, layers, optim);
  }

  /**
   * The first function that exists among dotted paths, such as `F.gelu` or `linalg.norm`; a path without a dot is looked up in core.
   * @throws Skip when there is none.
   */
  fn(...paths: readonly string[]): AnyFunction {
    for (const path of paths) {
      const found = this.find(path);
      if (typeof found === 'function') return found as AnyFunction;
    }
    throw notThere(paths[0]!);
  }

  has(path: string): boolean {
    return typeof this.find(path) === 'function';
  }

  find(path: string): unknown {
    const names = path.split('.');
    let at: unknown = names[0] === 'F' || names[0] === 'nn' || names[0] === 'optim' ? this : this.core;
    for (const name of names) at = (at as Namespace | undefined)?.[name];
    return at;
  }

  /** A method bound to a tensor. @throws Skip when tensors have none of that name. */
  method(x: Tensor, name: string): AnyFunction {
    const found = (x as unknown as Namespace)[name];
    if (typeof found !== 'function') throw notThere(`Tensor.${name}`);
    return (found as AnyFunction).bind(x);
  }

  hasMethod(name: string): boolean {
    return typeof Object.getOwnPropertyDescriptor(core.Tensor.prototype, name)?.value === 'function';
  }

  /** @throws Skip */
  cls(path: string): AnyClass {
    const found = this.find(path);
    if (typeof found !== 'function') throw notThere(path);
    return found as AnyClass;
  }
}

function namespaceOf(module: Namespace, name: string): Namespace | undefined {
  const found = module[name];
  return typeof found === 'object' && found !== null ? (found as Namespace) : undefined;
}

const notThere = (path: string): Skip => new Skip('missing', `${path} does not exist yet`);
