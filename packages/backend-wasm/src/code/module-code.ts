/** @file A module of kernels: functions over one imported memory, that may call each other. */
import { assemble, type ValueType } from '../provisional/assembler.js';
import { FunctionCode, type Local } from './function-code.js';

/** A function in a module, to be called by those emitted after it. */
export interface Callee {
  readonly index: number;
}

export class ModuleCode {
  readonly #functions: { code: FunctionCode; exported: boolean }[] = [];

  /** A function of i32 parameters that other functions here call. */
  inner(name: string, params: readonly string[], emit: (f: FunctionCode, p: Readonly<Record<string, Local>>) => void): Callee {
    return this.#emit(name, params.map(() => 'i32'), params, false, emit);
  }

  /**
   * An exported task `(params, begin, end, scratch)`: `fields` are i32 read from memory at `params` first. It does the parts begin … end − 1 of
   * its work, with `scratch` for itself alone.
   */
  task(
    name: string,
    fields: readonly string[],
    emit: (f: FunctionCode, p: Readonly<Record<string, Local>>, begin: Local, end: Local, scratch: Local) => void,
  ): Callee {
    return this.#emit(name, ['i32', 'i32', 'i32', 'i32'], ['params', 'begin', 'end', 'scratch'], true, (f, p) => {
      const read: Record<string, Local> = {};
      fields.forEach((field, i) => (read[field] = f.i32(f.loadI32(p.params, 4 * i))));
      emit(f, read, p.begin, p.end, p.scratch);
    });
  }

  #emit(
    name: string,
    types: readonly ValueType[],
    names: readonly string[],
    exported: boolean,
    emit: (f: FunctionCode, p: Readonly<Record<string, Local>>) => void,
  ): Callee {
    const code = new FunctionCode(name, types);
    emit(code, Object.fromEntries(names.map((field, i) => [field, code.params[i]])));
    this.#functions.push({ code, exported });
    return { index: this.#functions.length - 1 };
  }

  bytes(shared: boolean): Uint8Array<ArrayBuffer> {
    return assemble(
      this.#functions.map(({ code, exported }) => ({ fn: code.fn, name: exported ? code.name : null })),
      shared,
    );
  }
}
