/**
 * @file Signatures of layers as text: what a constructor takes, written almost as TypeScript writes it, so that documents can be checked against it
 * and error messages can show it.
 *
 * `inFeatures: int, outFeatures: int, { bias: bool = true }` – positional arguments, then options in braces. One with a default may be left out.
 * `...modules: module` takes the rest. Types, joined by `|`: int, number, bool, string, null, int[], number[], size (one int, or one for each dim), int? (or
 * null), int?[], module, module[], modules (pairs of a name and a module), tensor, dtype, and 'a text in quotes', which stands for itself.
 */
import { didYouMean, DTYPE_INFO, ModuleError } from '@tessera/core';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One argument of a constructor. */
export interface Argument {
  readonly name: string;
  readonly types: readonly string[];
  /** undefined where it must be given. */
  readonly byDefault: Json | undefined;
  readonly rest: boolean;
}

export interface Signature {
  /** As it was written. */
  readonly text: string;
  readonly positional: readonly Argument[];
  readonly options: ReadonlyMap<string, Argument>;
}

const NAMED_TYPES = new Set(['int', 'int?', 'number', 'bool', 'string', 'null', 'int[]', 'int?[]', 'number[]', 'size', 'dtype']);
/** What is more than a value: needs the context of a document. */
const MODULE_TYPES = new Set(['module', 'module[]', 'modules', 'tensor']);

/** Splits at commas that are in no bracket and no quotes. */
function split(text: string): string[] {
  return (text.match(/(?:'[^']*'|"[^"]*"|\[[^[\]]*\]|\{[^{}]*\}|[^,])+/g) ?? []).map((part) => part.trim()).filter((part) => part !== '');
}

function parseArgument(text: string, whole: string): Argument {
  const [, rest, name, types, byDefault] = /^(\.\.\.)?(\w+)\s*:\s*([^=]+?)\s*(?:=\s*(.+))?$/s.exec(text) ?? [];
  const fail = (why: string): never => {
    throw new ModuleError('ERR_LAYER_SIGNATURE', `signature '${whole}': ${why}`);
  };
  if (name === undefined) return fail(`'${text}' is no argument, such as 'bias: bool = true'`);
  const list = types.split('|').map((type) => type.trim());
  const unknown = list.find((type) => !NAMED_TYPES.has(type) && !MODULE_TYPES.has(type) && !/^'.*'$/.test(type));
  if (unknown !== undefined) {
    const all = [...NAMED_TYPES, ...MODULE_TYPES];
    const plain = /^(.*)\?$/.exec(unknown)?.[1];
    const meant = plain !== undefined && all.includes(plain) ? `. Did you mean '${plain} | null'?` : didYouMean(unknown, all);
    fail(`'${unknown}' is no type; there are ${all.join(', ')}, and texts in quotes${meant}`);
  }
  let value: Json | undefined;
  if (byDefault !== undefined) {
    try {
      value = JSON.parse(byDefault.replaceAll("'", '"')) as Json;
    } catch {
      fail(`the default of ${name}, '${byDefault}', is no JSON value`);
    }
  }
  return { name, types: list, byDefault: value, rest: rest !== undefined };
}

/** @throws ModuleError `ERR_LAYER_SIGNATURE` for a text that is none. */
export function parseSignature(text: string): Signature {
  const positional: Argument[] = [];
  const options = new Map<string, Argument>();
  for (const part of split(text)) {
    if (part.startsWith('{')) {
      for (const option of split(part.slice(1, -1))) {
        const argument = parseArgument(option, text);
        options.set(argument.name, argument);
      }
    } else positional.push(parseArgument(part, text));
  }
  return { text, positional, options };
}

const isInt = (x: Json): boolean => typeof x === 'number' && Number.isInteger(x);
/** JSON has no number for these. */
const NOT_FINITE: ReadonlySet<Json> = new Set(['Infinity', '-Infinity', 'NaN']);
const isNumber = (x: Json): boolean => typeof x === 'number' || NOT_FINITE.has(x);

/** Is a value of a document of a type that is no module and no tensor? */
export function fits(value: Json, type: string): boolean {
  switch (type) {
    case 'int':
      return isInt(value);
    case 'int?':
      return value === null || isInt(value);
    case 'int?[]':
      return Array.isArray(value) && value.every((one: Json) => fits(one, 'int?'));
    case 'number':
      return isNumber(value);
    case 'bool':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'null':
      return value === null;
    case 'int[]':
      return Array.isArray(value) && value.every(isInt);
    case 'number[]':
      return Array.isArray(value) && value.every(isNumber);
    case 'size':
      return isInt(value) || fits(value, 'int[]');
    case 'dtype':
      return typeof value === 'string' && Object.hasOwn(DTYPE_INFO, value);
    default:
      return value === type.slice(1, -1);
  }
}

/** A value as it stands in a document, with what JSON cannot write as text. */
export const jsonNumber = (x: number): Json => (Number.isFinite(x) ? x : String(x));

/** The value that a constructor gets. */
export function plainValue(value: Json, types: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one: Json) => plainValue(one, types));
  const numeric = types.some((type) => type === 'number' || type === 'number[]');
  return numeric && NOT_FINITE.has(value) ? Number(value) : value;
}

/** Are a value and a default the same? One size for each dim is the same as one for all. */
export function isDefault(value: Json, { byDefault, types }: Argument): boolean {
  if (byDefault === undefined) return false;
  if (types.includes('size') && Array.isArray(value) && typeof byDefault === 'number')
    return value.length > 0 && value.every((x) => x === byDefault);
  return JSON.stringify(value) === JSON.stringify(byDefault);
}
