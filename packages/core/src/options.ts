/**
 * @file Options objects of callers without a compiler: a name that there is not is an error that says what there is, and never a default in
 * disguise.
 */
import { ValueError } from './errors.js';
import { didYouMean } from './suggest.js';

/** All names of an options object. The compiler sees to it that none is missing and none too many: `const NAMES: OptionNames<Options> = { dim: true }`. */
export type OptionNames<O> = { readonly [K in keyof O]-?: true };

/**
 * The options that a function or a class was given, if it has them all. For use at the head of each function that takes options: it is called at every
 * step, so that there is nothing but a look at each name.
 *
 * @param owner Whose options they are, for the message: `conv2d`.
 * @throws ValueError `ERR_OPTION` for a name that is no option, or for what is no object, as where PyTorch takes more positions.
 * @example
 * const NAMES: OptionNames<ConvOptions> = { stride: true, padding: true };
 * const { stride = 1, padding = 0 } = checkOptions('conv2d', options, NAMES);
 */
export function checkOptions<O>(owner: string, options: O, names: OptionNames<NonNullable<O>>): O {
  if (typeof options === 'object') {
    for (const name in options)
      if ((names as Readonly<Record<string, unknown>>)[name] !== true && isGiven(options as object, name)) refuse(owner, options, names);
    if (options !== null) return options;
  }
  return options === undefined ? options : refuse(owner, options, names);
}

/** Refuses arguments of a function or a class that takes no more of them. @throws ValueError `ERR_OPTION` */
export function refuseMore(owner: string, what: unknown): never {
  throw new ValueError('ERR_OPTION', `${owner} takes no such argument: it was given ${kindOf(what)}`, { op: owner });
}

function refuse(owner: string, options: unknown, names: object): never {
  const known = Object.keys(names);
  const wrong = typeof options === 'object' && options !== null && !(Symbol.iterator in options) ? unknown(options, known) : null;
  throw new ValueError(
    'ERR_OPTION',
    wrong === null
      ? `${owner}: options go into one object, { ${known[0]}: … }, and this is ${kindOf(options)}; there are ${known.join(', ')}`
      : `${owner}: there is no option '${wrong}'; there are ${known.join(', ')}${didYouMean(wrong, known)}`,
    { op: owner },
  );
}

/** Not what a script of the page gave to all objects, by way of Object.prototype. */
const isGiven = (options: object, name: string): boolean => Object.hasOwn(options, name) || !(name in Object.prototype);

/** The first name that is not known. */
function unknown(options: object, known: readonly string[]): string | null {
  for (const name in options) if (!known.includes(name) && isGiven(options, name)) return name;
  return null;
}

/** What something is, in a few words for a message. */
export function kindOf(x: unknown): string {
  if (x === null || x === undefined || typeof x === 'boolean') return String(x);
  if (typeof x === 'number' || typeof x === 'bigint') return `the number ${x}`;
  if (typeof x === 'string') return `the text '${x}'`;
  if (Array.isArray(x)) return `an array of ${x.length}`;
  // An object may have no prototype, or a field of that name.
  const { name } = (x.constructor ?? {}) as { readonly name?: unknown };
  const known = typeof name === 'string' && name !== '' ? name : 'Object';
  return typeof x === 'function'
    ? known === 'Function'
      ? 'a function'
      : `a module (${known})`
    : known === 'Object'
      ? 'an object'
      : `a ${known}`;
}
