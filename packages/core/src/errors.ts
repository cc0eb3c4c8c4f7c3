/**
 * @file The errors of the framework. Each has a stable `code`, so that programs test codes and people read messages; `details` holds the
 * same facts as fields (op, shapes, dtypes, device), and a module that an error passes through adds its path.
 */
import type { DType } from './tensor/dtype.js';

/** The facts of an error, as far as they are known where it is thrown. */
export interface ErrorDetails {
  op?: string;
  shapes?: readonly (readonly number[])[];
  dtypes?: readonly DType[];
  device?: string;
  /** Where in the model it happened, such as `Sequential.2 (Linear)`. */
  path?: string;
  [fact: string]: unknown;
}

const BRAND = Symbol.for('tessera.error');

/**
 * What the framework throws. Test `code`, never the text.
 *
 * @example
 * try { a.matmul(b) } catch (error) { if (isTesseraError(error) && error.code === 'ERR_MATMUL_SHAPE') … }
 */
export class TesseraError extends Error {
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.details = details;
    Object.defineProperty(this, BRAND, { value: true });
    Object.defineProperty(this, 'name', { value: new.target.typeName, configurable: true, writable: true });
    this.#rewriteStack();
  }

  static readonly typeName: string = 'TesseraError';

  /** Adds a line to the message (and to the stack's head), as the error passes through a caller that knows more. */
  note(line: string): this {
    this.message += `\n  ${line}`;
    this.#rewriteStack();
    return this;
  }

  /** Replaces a line that {@link note} added, by a caller further out that knows more. */
  reword(line: string, better: string): this {
    const at = this.message.lastIndexOf(`\n  ${line}`);
    if (at < 0) return this.note(better);
    this.message = `${this.message.slice(0, at)}\n  ${better}${this.message.slice(at + 3 + line.length)}`;
    this.#rewriteStack();
    return this;
  }

  #rewriteStack(): void {
    const frames = this.stack?.slice(this.stack.search(/^ {4}at /m)) ?? '';
    Object.defineProperty(this, 'stack', {
      value: `${this.name} [${this.code}]: ${this.message}\n${frames}`,
      configurable: true,
      writable: true,
      enumerable: false,
    });
  }

  override toString(): string {
    return `${this.name} [${this.code}]: ${this.message}`;
  }
}

/** Is it one of the framework's errors, made by this copy of core or by another one in the same page? */
export function isTesseraError(error: unknown): error is TesseraError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

/** Sizes that do not fit together. */
export class ShapeError extends TesseraError {
  static override readonly typeName: string = 'ShapeError';
}
/** A dtype that an op, a kernel or a backend does not take. */
export class DTypeError extends TesseraError {
  static override readonly typeName: string = 'DTypeError';
}
/** A dim or an index out of range. */
export class IndexError extends TesseraError {
  static override readonly typeName: string = 'IndexError';
}
/** An argument with a value that is not allowed. */
export class ValueError extends TesseraError {
  static override readonly typeName: string = 'ValueError';
}
/** A device that is unknown, unavailable or lost, or tensors of several devices in one op. */
export class DeviceError extends TesseraError {
  static override readonly typeName: string = 'DeviceError';
}
/** A wrong use of autograd: a graph that was freed, a value changed in place, no gradient to be had. */
export class AutogradError extends TesseraError {
  static override readonly typeName: string = 'AutogradError';
}
/** Memory that is exhausted or was released already. */
export class MemoryError extends TesseraError {
  static override readonly typeName: string = 'MemoryError';
}
/** A module used wrongly, or a state_dict that does not fit it. */
export class ModuleError extends TesseraError {
  static override readonly typeName: string = 'ModuleError';
}
/** A file or a document that is broken, hostile or of an unknown kind. */
export class FormatError extends TesseraError {
  static override readonly typeName: string = 'FormatError';
}
/** Something that this backend or this version does not do. */
export class NotSupportedError extends TesseraError {
  static override readonly typeName: string = 'NotSupportedError';
}

/** `(2x3)`, as PyTorch prints sizes in its errors. */
export function formatShape(shape: readonly number[]): string {
  return `(${shape.join('x')})`;
}
