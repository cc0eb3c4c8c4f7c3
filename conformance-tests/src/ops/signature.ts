/**
 * @file How our functions take PyTorch's arguments. A signature is written as one would call the function, in PyTorch's order, with the names
 * in camelCase: what stands in braces goes into the options object at the end.
 *
 *   sum(input, dim, { keepdim, dtype })       torch.sum(x, dim=1, keepdim=True) → sum(x, 1, { keepdim: true })
 *   meshgrid(...tensors, { indexing })        a rest parameter takes all that is positional
 */

export interface Signature {
  /** Where the function is found, such as `sum` or `F.layerNorm`. */
  readonly path: string;
  readonly positional: readonly string[];
  readonly options: readonly string[];
  /** The one positional parameter takes any number of arguments. */
  readonly rest: boolean;
}

/** Reads a signature. */
export function parseSignature(text: string): Signature {
  const match = /^([\w.]+)\(\s*([^{}]*?)\s*,?\s*(?:\{([^{}]*)\})?\s*\)$/.exec(text);
  if (!match) throw new Error(`no signature: ${text}`);
  const names = (list: string | undefined): string[] =>
    (list ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
  const positional = names(match[2]);
  const rest = positional[0]?.startsWith('...') ?? false;
  return { path: match[1], positional: positional.map((name) => name.replace('...', '')), options: names(match[3]), rest };
}

/** `keep_dim` → `keepDim`. */
export const camelCase = (name: string): string => name.replaceAll(/(?<=[^_])_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Arguments by the names of parameters. */
export type Bound = ReadonlyMap<string, unknown>;

/**
 * PyTorch's arguments by parameter: positional ones in order, keywords by name. Keywords that the signature does not name come out as options.
 */
export function bind(signature: Signature, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): Bound {
  const bound = new Map<string, unknown>();
  if (signature.rest) bound.set(signature.positional[0], args);
  else {
    const order = [...signature.positional, ...signature.options];
    args.forEach((arg, i) => bound.set(order[i] ?? `argument${i}`, arg));
  }
  for (const [name, value] of Object.entries(kwargs)) bound.set(camelCase(name), value);
  return bound;
}

/** Options of which null is a value of its own: a batch norm without momentum averages all batches. Of the others it says "the default". */
const NULL_MATTERS: ReadonlySet<string> = new Set(['momentum']);

/** What to pass to our function: positional parameters as far as they are given, then the options, if there are any. */
export function spread({ positional, rest }: Signature, bound: Bound): unknown[] {
  const out: unknown[] = [];
  for (const name of positional) {
    if (rest) out.push(...(bound.get(name) as readonly unknown[]));
    else out.push(bound.get(name));
  }
  const options = Object.fromEntries(
    [...bound].filter(([name, value]) => !positional.includes(name) && (value !== null || NULL_MATTERS.has(name))),
  );
  if (Object.keys(options).length > 0) return [...out, options];
  while (out.length > 1 && (out.at(-1) === undefined || out.at(-1) === null)) out.pop();
  return out;
}
