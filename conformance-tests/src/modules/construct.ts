/** @file Making a layer by PyTorch's name and arguments. */
import type { Device, Tensor } from '@tessera/core';
import type { AnyFunction, Library } from '../subject/library.js';
import { bind, parseSignature, type Signature, spread } from '../ops/signature.js';
import { CONSTRUCTORS, FORWARDS } from './signatures.js';

const byName = (texts: readonly string[]): ReadonlyMap<string, Signature> =>
  new Map(texts.map(parseSignature).map((signature) => [signature.path, signature]));
const CONSTRUCTOR = byName(CONSTRUCTORS);
const FORWARD = byName(FORWARDS);

/** What the kit uses of a module. PyTorch: nn.Module. */
export interface AnyModule {
  readonly forward: (...args: never[]) => unknown;
  readonly forwardAsync?: (...args: never[]) => Promise<unknown>;
  train(mode?: boolean): unknown;
  loadStateDict(state: Readonly<Record<string, Tensor>>): unknown;
  stateDict(): Iterable<[string, Tensor]>;
  namedParameters(): Iterable<[string, Tensor]>;
  namedBuffers(): Iterable<[string, Tensor]>;
  toString(): string;
}

type Named = Readonly<Record<string, unknown>>;

/** `new nn.Name(…)`. Layers that draw noise draw PyTorch's. @throws Skip where there is no such class */
export function constructModule(library: Library, name: string, args: readonly unknown[], kwargs: Named): AnyModule {
  const signature = CONSTRUCTOR.get(name);
  const noise = signature?.options.includes('rng') ? { rng: 'torch' } : {};
  return new (library.cls(`nn.${name}`))(...call(signature, args, { ...kwargs, ...noise })) as AnyModule;
}

/** `module(…)`; where a device cannot be read at once, the form that awaits what it must read, of layers that have one. */
export async function callOn(
  { syncRead }: Device,
  module: AnyModule,
  name: string,
  args: readonly unknown[],
  kwargs: Named,
): Promise<unknown> {
  if (syncRead || module.forwardAsync === undefined) return callModule(module, name, args, kwargs);
  return (module as unknown as { forwardAsync: AnyFunction }).forwardAsync(...call(FORWARD.get(name), args, kwargs));
}

/** `module(…)`. */
export function callModule(module: AnyModule, name: string, args: readonly unknown[], kwargs: Named): unknown {
  return (module as unknown as AnyFunction)(...call(FORWARD.get(name), args, kwargs));
}

function call(signature: Signature | undefined, args: readonly unknown[], kwargs: Named): unknown[] {
  const used = signature ?? { path: '', positional: args.map((_, i) => `argument${i}`), options: [], rest: false };
  return spread(used, bind(used, args, kwargs));
}

/** Gives back what a module holds: no scope does. */
export function disposeModule(module: AnyModule): void {
  for (const [, tensor] of [...module.namedParameters(), ...module.namedBuffers()]) {
    tensor.grad?.dispose();
    tensor.dispose();
  }
}
