/** @file What a model is as data: the form of the document. */
import { FormatError, type Module, ModuleError } from '@tessera/core';
import type { Json } from './signature.js';

export const MODEL_FORMAT = 'tessera.model';
export const MODEL_VERSION = 1;

/** A layer: its registered name, and what its constructor gets, options last. */
export interface LayerDocument {
  readonly type: string;
  /** Default: none. */
  readonly args?: readonly Json[];
  /** Where the same layer stands in several places: a name for the others to refer to. */
  readonly id?: string;
}

/** A layer that stands elsewhere too. */
export interface LayerReference {
  readonly ref: string;
}

/**
 * A model as data, to be written as JSON. It holds the structure and no weights.
 * @example
 * {
 *   "format": "tessera.model", "version": 1,
 *   "model": { "type": "Sequential", "args": [{ "type": "Linear", "args": [10, 50] }, { "type": "ReLU" }, { "type": "Linear", "args": [50, 1, { "bias": false }] }] }
 * }
 */
export interface ModelDocument {
  readonly format: typeof MODEL_FORMAT;
  readonly version: typeof MODEL_VERSION;
  readonly model: LayerDocument;
  /** Names of parameters that are one and the same, in groups. */
  readonly tied?: readonly (readonly string[])[];
}

/** How deep layers may be nested: a hostile document must not exhaust the stack. */
export const MAX_DEPTH = 256;

/** @throws FormatError `ERR_CONFIG_DOCUMENT` */
export function malformed(path: string, why: string): never {
  throw new FormatError('ERR_CONFIG_DOCUMENT', `${path}: ${why}`, { path });
}

/** @throws ModuleError `ERR_CONFIG_ARGUMENT` */
export function badArgument(path: string, why: string, cause?: unknown): never {
  const error = new ModuleError('ERR_CONFIG_ARGUMENT', `${path}: ${why}`, { path });
  if (cause !== undefined) error.cause = cause;
  throw error;
}

export const isObject = (x: unknown): x is Readonly<Record<string, Json>> => typeof x === 'object' && x !== null && !Array.isArray(x);

/** A module by its dotted path; '' is the module itself. */
export const at = (root: Module, path: string): Module => (path === '' ? root : root.getSubmodule(path));

/** The names under which each parameter is found, for those that have several, in order. */
export function tiedParameters(root: Module): string[][] {
  const groups = new Map<unknown, string[]>();
  for (const [name, parameter] of root.namedParameters({ removeDuplicate: false })) {
    const group = groups.get(parameter);
    if (group === undefined) groups.set(parameter, [name]);
    else group.push(name);
  }
  return [...groups.values()].filter((names) => names.length > 1);
}
