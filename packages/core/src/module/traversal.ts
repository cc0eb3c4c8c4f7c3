/** @file Going through a module and all below it. */
import { checkOptions, type OptionNames } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { ownChildren } from './members.js';
import type { Module } from './module.js';

/** What the `named…` methods take. */
export interface TraversalOptions {
  /** Put before each name. Default ''. */
  readonly prefix?: string;
  /** Of all modules below too. Default true. */
  readonly recurse?: boolean;
  /** What is reached under several names is listed once, under the first. Default true. */
  readonly removeDuplicate?: boolean;
}

const TRAVERSAL_OPTIONS: OptionNames<TraversalOptions> = { prefix: true, recurse: true, removeDuplicate: true };

export const joinName = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);

/** A module and all below it, each before its children. */
export function namedModules(
  module: Module,
  prefix = '',
  removeDuplicate = true,
  seen = new Set<Module>(),
  found: [string, Module][] = [],
): [string, Module][] {
  if (seen.has(module)) return found;
  if (removeDuplicate) seen.add(module);
  found.push([prefix, module]);
  for (const [name, child] of ownChildren(module)) namedModules(child, joinName(prefix, name), removeDuplicate, seen, found);
  return found;
}

/** The tensors of a module and of all below it that `own` lists for each. */
export function namedTensors<T extends Tensor>(
  module: Module,
  own: (m: Module) => [string, T][],
  options: TraversalOptions = {},
): [string, T][] {
  const { prefix = '', recurse = true, removeDuplicate = true } = checkOptions('namedParameters', options, TRAVERSAL_OPTIONS);
  const seen = new Set<T>();
  const found: [string, T][] = [];
  for (const [path, m] of recurse ? namedModules(module, prefix, removeDuplicate) : [[prefix, module] as const]) {
    for (const [name, t] of own(m)) {
      if (seen.has(t)) continue;
      if (removeDuplicate) seen.add(t);
      found.push([joinName(path, name), t]);
    }
  }
  return found;
}
