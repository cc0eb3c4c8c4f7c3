/** @file Parametrized weights that are computed once for as long as a function runs. */
import { keep, type Module, ModuleError, type Tensor } from '@tessera/core';

/** Weights by module and name, while a {@link cached} runs: one cache for the outermost of them. */
let cache: Map<Module, Map<string, Tensor>> | null = null;

/**
 * While `fn` runs, each parametrized weight is computed the first time that it is asked for and kept. PyTorch: nn.utils.parametrize.cached.
 * @throws ModuleError `ERR_ASYNC_CACHED` for an async function, whose end cannot be told from here.
 * @example const loss = nn.utils.parametrize.cached(() => model(x).sum().add(model(y).sum()));
 */
export function cached<T>(fn: () => T): T {
  if (cache !== null) return fn();
  cache = new Map();
  try {
    const result = fn();
    if (result instanceof Promise)
      throw new ModuleError('ERR_ASYNC_CACHED', 'cached: the function is async; weights are cached until the first await only');
    return result;
  } finally {
    cache = null;
  }
}

/** A weight from the cache, or as it is computed now. */
export function fromCache(module: Module, name: string, compute: () => Tensor): Tensor {
  if (cache === null) return compute();
  let ofModule = cache.get(module);
  if (ofModule === undefined) cache.set(module, (ofModule = new Map()));
  let weight = ofModule.get(name);
  // No scope within may dispose of it.
  if (weight === undefined) ofModule.set(name, (weight = keep(compute())));
  return weight;
}
