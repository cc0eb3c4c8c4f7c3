/** @file A module: what it imports, its functions, and its bytes. */
import { CodeWriter, type ConstantPool } from './code-writer.js';
import { AssemblerError, Const, type Expr, type FunctionRef, Global, operand, type Operand, Sequence, type Local } from './expression.js';
import { FunctionBuilder } from './function-builder.js';
import { type ResultType, TYPE_CODE, type ValueType } from './value-types.js';

export interface MemoryImport {
  /** In pages of 64 KiB. Default 1. */
  readonly min?: number;
  /** Needed where it is shared. Default 65536 where shared, else none. */
  readonly max?: number;
  readonly shared: boolean;
}

export interface FunctionOptions {
  /** Under its name. */
  readonly export?: boolean;
  /** Vector constants are read from the module's pool. For functions without loops: engines keep constants of a loop in registers or on the stack. */
  readonly pooled?: boolean;
}

export type ParamLocals<P> = { readonly [K in keyof P]: P[K] extends ValueType ? Local<P[K]> : never };
type ParamTypes = readonly ValueType[];

interface Defined {
  readonly ref: FunctionRef;
  readonly builder: FunctionBuilder;
  readonly type: number;
}

const FUNCREF = 0x70;

/**
 * @example
 * const module = new ModuleBuilder();
 * module.importMemory('env', 'memory', { shared: false });
 * module.function('twice', { x: 'i32' }, 'i32', (f, { x }) => f.return(i32.add(x, x)), { export: true });
 * const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } });
 */
export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #typeWriters: ((code: CodeWriter) => void)[] = [];
  readonly #imports: ((code: CodeWriter) => void)[] = [];
  readonly #functions: Defined[] = [];
  readonly #globals: { readonly type: ValueType; readonly mutable: boolean; readonly value: Expr }[] = [];
  readonly #exports: { readonly name: string; readonly kind: number; readonly index: number }[] = [];
  readonly #elements: { readonly offset: number; readonly functions: readonly FunctionRef[] }[] = [];
  readonly #data: Uint8Array[] = [];
  #table: number | null = null;
  #importedFunctions = 0;

  /** @param pool Where vector constants of functions that are `pooled` go. The memory must be imported. */
  constructor(readonly pool: ConstantPool | null = null) {}

  #type(params: ParamTypes, result: ResultType): number {
    const key = `${params.join()}>${result}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    this.#typeWriters.push((code) => {
      code.byte(0x60);
      code.u32(params.length);
      for (const type of params) code.byte(TYPE_CODE[type]);
      code.u32(result === 'void' ? 0 : 1);
      if (result !== 'void') code.byte(TYPE_CODE[result]);
    });
    return this.#types.push(key) - 1;
  }

  #import(module: string, name: string, write: (code: CodeWriter) => void): void {
    this.#imports.push((code) => {
      code.name(module);
      code.name(name);
      write(code);
    });
  }

  importMemory(module: string, name: string, { min = 1, max, shared }: MemoryImport): void {
    const limit = max ?? (shared ? 65536 : undefined);
    this.#import(module, name, (code) => {
      code.byte(2);
      code.byte((limit === undefined ? 0 : 1) | (shared ? 2 : 0));
      code.u32(min);
      if (limit !== undefined) code.u32(limit);
    });
  }

  /** All imported functions come before the first that is defined. */
  importFunction<const P extends ParamTypes, R extends ResultType>(module: string, name: string, params: P, result: R): FunctionRef<P, R> {
    if (this.#functions.length > 0) throw new AssemblerError(`import of ${name} after a function was defined`);
    const type = this.#type(params, result);
    this.#import(module, name, (code) => {
      code.byte(0);
      code.u32(type);
    });
    return { index: this.#importedFunctions++, params, result, name };
  }

  /** A table of functions, for {@link callIndirect}; one a module, imported or its own. */
  importTable(module: string, name: string, min: number): void {
    this.#import(module, name, (code) => {
      code.byte(1);
      code.byte(FUNCREF);
      code.byte(0);
      code.u32(min);
    });
  }

  table(size: number): void {
    this.#table = size;
  }

  /** Puts functions into the table from `offset` on. */
  elements(offset: number, functions: readonly FunctionRef[]): void {
    this.#elements.push({ offset, functions });
  }

  /** A passive segment of bytes, for `memory.init`. */
  data(bytes: Uint8Array): number {
    return this.#data.push(bytes) - 1;
  }

  global<T extends ValueType>(type: T, value: Operand<T>, mutable = true): Global<T> {
    const start = operand(type, value);
    if (!(start instanceof Const)) throw new AssemblerError('a global starts as a constant');
    return new Global(type, this.#globals.push({ type, mutable, value: start }) - 1);
  }

  /** Defines a function; `body` is run at once, and may define others on its way. */
  function<const P extends { readonly [name: string]: ValueType }, R extends ResultType>(
    name: string,
    params: P,
    result: R,
    body: (f: FunctionBuilder, params: ParamLocals<P>) => void,
    options: FunctionOptions = {},
  ): FunctionRef<readonly ValueType[], R> {
    const types = Object.values(params);
    const builder = new FunctionBuilder(types, result, options.pooled ? this.pool : null);
    const ref = { index: this.#importedFunctions + this.#functions.length, params: types, result, name };
    this.#functions.push({ ref, builder, type: this.#type(types, result) });
    const locals = Object.entries(params).map(([key, type], i) => [key, builder.param(type, i, key)]);
    body(builder, Object.fromEntries(locals) as ParamLocals<P>);
    // A body that ends in a `return` leaves nothing on the stack, which a function with a result must: its end is not reached.
    if (result !== 'void') builder.unreachable();
    if (options.export) this.#exports.push({ name, kind: 0, index: ref.index });
    return ref;
  }

  /** Calls the function at `index` of the table. */
  callIndirect<R extends ResultType>(
    params: ParamTypes,
    result: R,
    index: Operand<'i32'>,
    ...args: readonly Operand<ValueType>[]
  ): Expr<R> {
    const type = this.#type(params, result);
    const operands: Expr[] = params.map((t, i) => operand(t, args[i]));
    operands.push(operand('i32', index));
    return new Sequence(result, operands, (code) => {
      code.byte(0x11);
      code.u32(type);
      code.byte(0);
    });
  }

  /** The module in binary form. */
  bytes(): Uint8Array<ArrayBuffer> {
    const out = new CodeWriter();
    out.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const list = (id: number, count: number, write: (code: CodeWriter) => void): void => {
      if (count === 0) return;
      out.section(id, (code) => {
        code.u32(count);
        write(code);
      });
    };
    list(1, this.#typeWriters.length, (code) => this.#typeWriters.forEach((write) => write(code)));
    list(2, this.#imports.length, (code) => this.#imports.forEach((write) => write(code)));
    list(3, this.#functions.length, (code) => this.#functions.forEach(({ type }) => code.u32(type)));
    list(4, this.#table === null ? 0 : 1, (code) => {
      code.byte(FUNCREF);
      code.byte(0);
      code.u32(this.#table!);
    });
    list(6, this.#globals.length, (code) => {
      for (const { type, mutable, value } of this.#globals) {
        code.byte(TYPE_CODE[type]);
        code.byte(mutable ? 1 : 0);
        value.write(code);
        code.byte(0x0b);
      }
    });
    list(7, this.#exports.length, (code) => {
      for (const { name, kind, index } of this.#exports) {
        code.name(name);
        code.byte(kind);
        code.u32(index);
      }
    });
    list(9, this.#elements.length, (code) => {
      for (const { offset, functions } of this.#elements) {
        code.u32(0);
        code.byte(0x41);
        code.s32(offset);
        code.byte(0x0b);
        code.u32(functions.length);
        for (const { index } of functions) code.u32(index);
      }
    });
    if (this.#data.length > 0) out.section(12, (code) => code.u32(this.#data.length));
    list(10, this.#functions.length, (code) => this.#functions.forEach((fn) => writeBody(code, fn)));
    list(11, this.#data.length, (code) => {
      for (const bytes of this.#data) {
        code.byte(1);
        code.u32(bytes.length);
        code.raw(bytes);
      }
    });
    this.#writeNames(out);
    return out.finish();
  }

  /** The names of functions, for profiles and stack traces. */
  #writeNames(out: CodeWriter): void {
    out.section(0, (code) => {
      code.name('name');
      code.section(1, (names) => {
        names.u32(this.#functions.length);
        for (const { ref } of this.#functions) {
          names.u32(ref.index);
          names.name(ref.name);
        }
      });
    });
  }
}

function writeBody(code: CodeWriter, { builder, ref }: Defined): void {
  if (builder.open !== 0) throw new AssemblerError(`${ref.name} ends inside a block`);
  const body = new CodeWriter();
  const runs: [count: number, type: ValueType][] = [];
  for (const type of builder.localTypes) {
    const last = runs.at(-1);
    if (last?.[1] === type) last[0]++;
    else runs.push([1, type]);
  }
  body.u32(runs.length);
  for (const [count, type] of runs) {
    body.u32(count);
    body.byte(TYPE_CODE[type]);
  }
  body.raw(builder.code.bytes, builder.code.length);
  body.byte(0x0b);
  code.sized(body);
}
