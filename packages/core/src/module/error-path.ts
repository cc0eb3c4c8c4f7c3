/**
 * @file Where in a model an error happened. Calls keep no record of the way down; the way is found on the way up, as the error leaves one module
 * after the other: each adds the name under which it knows the last one.
 */
import { isTesseraError, type TesseraError } from '../errors.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { typeNameOf } from './repr.js';
import { namedModules } from './traversal.js';

/** What is known of an error so far. */
interface Trail {
  /** The class of the module that it came from, and the tensors that it was called with. */
  readonly type: string;
  readonly where: string;
  /** The outermost module that it has left, and the way from there. */
  outer: Module;
  path: string;
  /** The name that the next module out has for `outer`, where that one told. */
  step: string | null;
  /** The line that stands in the message. */
  line: string;
}

const trails = new WeakMap<TesseraError, Trail>();

function firstTensor(args: readonly unknown[]): Tensor | undefined {
  for (const a of args) {
    if (isTensor(a)) return a;
    const inner = Array.isArray(a) ? firstTensor(a) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** Notes that `error` leaves `module`, which was called with `args`. Answers what is to be thrown. */
export function leaving(module: Module, error: unknown, args: readonly unknown[]): unknown {
  if (!isTesseraError(error)) return error;
  const trail = trails.get(error);
  const name = typeNameOf(module);
  if (trail === undefined) {
    const input = firstTensor(args);
    const where = input === undefined ? '' : `, device ${input.device.id}, ${input.dtype}`;
    const line = `in ${name}${where}`;
    trails.set(error, { type: name, where, outer: module, path: '', step: null, line });
    error.note(line);
    error.details.path = name;
    const hint = module.explainError(error, args);
    if (hint !== null) error.note(hint);
    return error;
  }
  if (trail.outer === module) return error;
  const step = trail.step ?? nameWithin(module, trail.outer);
  trail.path = trail.path === '' ? step : `${step}.${trail.path}`;
  trail.outer = module;
  trail.step = null;
  const path = `${name}.${trail.path} (${trail.type})`;
  const line = `in ${path}${trail.where}`;
  error.reword(trail.line, line);
  error.details.path = path;
  trail.line = line;
  return error;
}

/** Under which name `module` has `inner`; '?' for one that is in no field, such as one made on the way. */
const nameWithin = (module: Module, inner: Module): string => namedModules(module).find(([, m]) => m === inner)?.[0] ?? '?';

/** For containers, whose members may be there twice: the error came from the member of this name. */
export function cameFrom(error: unknown, name: string): void {
  const trail = isTesseraError(error) ? trails.get(error) : undefined;
  if (trail !== undefined) trail.step = name;
}
