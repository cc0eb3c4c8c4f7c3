/**
 * @file PyTorch's names as they are spelt in Python: whoever writes `optimizer.zero_grad()` is told `zeroGrad`, in place of "is not a function".
 * The types know nothing of them, and who has a compiler is told by it.
 */
import { ValueError } from './errors.js';

/** `zeroGrad` → `zero_grad`; `conv1d`, `relu_` and `toString` of no Python name stay as they are. */
const inPython = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** @throws ValueError `ERR_NAME` */
function refuse(owner: string, name: string, here: string): never {
  throw new ValueError('ERR_NAME', `${owner}.${name} is ${here} here${/\W/.test(here) ? '' : ": names are PyTorch's in camelCase"}`, {
    op: name,
  });
}

/**
 * What stands for a name of PyTorch's that is another one here: it throws when it is called, or when a class is asked of it.
 * @example export const cross_entropy = renamed('F', 'cross_entropy', 'F.crossEntropy');
 */
/* @__NO_SIDE_EFFECTS__ */
export function renamed(owner: string, name: string, here: string): never {
  const fail = (): never => refuse(owner, name, here);
  return new Proxy(fail, {
    apply: fail,
    construct: fail,
    // Classes of a namespace; everything else is what tools ask of any value.
    get: (_, key) => (typeof key === 'string' && /^[A-Z][a-z]/.test(key) ? fail() : undefined),
  }) as never;
}

/** Refuses members that PyTorch or a number has, and are had in another way here. `here`: a piece of code, by name. */
export function refuseNames(prototype: object, owner: string, here: Readonly<Record<string, string>>): void {
  for (const [name, code] of Object.entries(here)) {
    if (name in prototype) continue;
    const refused = (): never => refuse(owner, name, `${owner}.${code}`);
    Object.defineProperty(prototype, name, { get: refused, set: refused, enumerable: false, configurable: true });
  }
}

/**
 * Gives a prototype a throwing property for the Python name of each of its members. `open`: instances may have fields of such a name, as modules do.
 * `fields` are members that are no part of the prototype.
 * @param owner What its instances are called in messages: `tensor`.
 */
export function refusePythonNames(
  prototype: object,
  owner: string,
  { open = false, fields = [] }: { readonly open?: boolean; readonly fields?: readonly string[] } = {},
): void {
  for (const here of [...Object.getOwnPropertyNames(prototype), ...fields]) {
    const name = inPython(here);
    if (name === here || name.startsWith('_') || name in prototype) continue;
    const refused = (): never => refuse(owner, name, here);
    const set = (instance: object, value: unknown): void => {
      Object.defineProperty(instance, name, { value, writable: true, enumerable: true, configurable: true });
    };
    Object.defineProperty(prototype, name, {
      get: refused,
      set: open
        ? function (this: object, value: unknown): void {
            set(this, value);
          }
        : refused,
      enumerable: false,
      configurable: true,
    });
  }
}
