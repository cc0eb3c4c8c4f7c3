/**
 * @file Expressions: trees of instructions with a type that TypeScript checks. Making one writes nothing; a {@link FunctionBuilder} writes it where
 * it is used. What is used twice belongs in a local: an expression that was written already refuses to be written again.
 */
import { TesseraError } from '@tessera/core/backend';
import type { CodeWriter } from './code-writer.js';
import type { Instruction } from './instruction.js';
import type { ResultType, ValueType } from './value-types.js';

/** Thrown on wrong code at the time it is emitted: a fault of the emitter, never of a user. */
export class AssemblerError extends TesseraError {
  static override readonly typeName: string = 'AssemblerError';

  constructor(message: string) {
    super('ERR_ASSEMBLER', message);
  }
}

export abstract class Expr<T extends ResultType = ResultType> {
  constructor(readonly type: T) {}

  /** Writes the instructions that leave the value on the stack. */
  abstract write(code: CodeWriter): void;
}

/** Writes the code of an instruction, and its prefix. */
export function writeCode(code: CodeWriter, instruction: number): void {
  if (instruction < 256) code.byte(instruction);
  else {
    code.byte(instruction >>> 12);
    code.u32(instruction & 0xfff);
  }
}

/** An instruction applied to its operands. */
export class Apply<T extends ResultType> extends Expr<T> {
  #written = false;

  constructor(
    readonly instruction: Instruction,
    type: T,
    readonly args: readonly Expr[],
    /** A lane, or the offset of an access. */
    readonly immediate = 0,
    /** The log2 of an access's alignment. */
    readonly alignment = 0,
    /** The lane of an access. */
    readonly lane = 0,
    readonly lanes: ArrayLike<number> | null = null,
  ) {
    super(type);
  }

  write(code: CodeWriter): void {
    if (this.#written) throw new AssemblerError('an expression is used twice: put it in a local');
    this.#written = true;
    for (const arg of this.args) arg.write(code);
    writeCode(code, this.instruction.code);
    const { form } = this.instruction;
    if (form === 'plain') return;
    if (form === 'lane') code.byte(this.immediate);
    else if (form === 'shuffle') code.raw(this.lanes!);
    else {
      code.u32(this.alignment);
      code.u32(this.immediate);
      if (form === 'memoryLane') code.byte(this.lane);
    }
  }
}

/** A constant; may be used any number of times. */
export class Const<T extends ValueType> extends Expr<T> {
  constructor(
    type: T,
    readonly value: number | bigint | Uint8Array,
  ) {
    super(type);
  }

  write(code: CodeWriter): void {
    const { value } = this;
    switch (this.type as ValueType) {
      case 'i32':
        code.byte(0x41);
        return code.s32(value as number);
      case 'i64':
        code.byte(0x42);
        return code.s64(BigInt(value as number | bigint));
      case 'f32':
        code.byte(0x43);
        return code.f32(value as number);
      case 'f64':
        code.byte(0x44);
        return code.f64(value as number);
      default:
        return writeVector(code, value as Uint8Array);
    }
  }
}

/** How often a vector repeats itself, and the loads that fill all lanes so (load32_splat, load64_splat, load). */
const REPEATS = [
  { size: 4, load: 9, align: 2 },
  { size: 8, load: 10, align: 3 },
  { size: 16, load: 0, align: 4 },
] as const;

function writeVector(code: CodeWriter, bytes: Uint8Array): void {
  // All zeros and all ones are one instruction each.
  if (code.pool !== null && bytes.some((b) => b !== bytes[0] || (b !== 0 && b !== 255))) {
    const { size, load, align } = REPEATS.find((repeat) => bytes.every((b, i) => b === bytes[i % repeat.size]))!;
    const address = code.pool.addressOf(bytes, size);
    if (address >= 0) {
      code.byte(0x41);
      code.s32(0);
      code.byte(0xfd);
      code.u32(load);
      code.u32(align);
      code.u32(address);
      return;
    }
  }
  code.byte(0xfd);
  code.u32(12);
  code.raw(bytes);
}

/** A local variable or a parameter; may be used any number of times. */
export class Local<T extends ValueType = ValueType> extends Expr<T> {
  constructor(
    type: T,
    readonly index: number,
    readonly owner: CodeWriter,
    readonly name: string,
  ) {
    super(type);
  }

  write(code: CodeWriter): void {
    this.access(code, 0x20);
  }

  /** local.get, local.set or local.tee. @internal */
  access(code: CodeWriter, instruction: number): void {
    if (code !== this.owner) throw new AssemblerError(`local ${this.name} belongs to another function`);
    code.byte(instruction);
    code.u32(this.index);
  }

  /** Stores a value and gives it: `local.tee`. */
  tee(value: Operand<T>): Expr<T> {
    return new Tee(this, operand(this.type, value as Operand<ValueType>) as Expr<T>);
  }
}

class Tee<T extends ValueType> extends Expr<T> {
  constructor(
    readonly local: Local<T>,
    readonly value: Expr<T>,
  ) {
    super(local.type);
  }

  write(code: CodeWriter): void {
    this.value.write(code);
    this.local.access(code, 0x22);
  }
}

/** A global variable of the module. */
export class Global<T extends ValueType = ValueType> extends Expr<T> {
  constructor(
    type: T,
    readonly index: number,
  ) {
    super(type);
  }

  write(code: CodeWriter): void {
    code.byte(0x23);
    code.u32(this.index);
  }
}

/** Any code by the bytes around its operands, for instructions that are no rows of the tables. */
export class Sequence<T extends ResultType> extends Expr<T> {
  constructor(
    type: T,
    readonly args: readonly Expr[],
    readonly after: (code: CodeWriter) => void,
  ) {
    super(type);
  }

  write(code: CodeWriter): void {
    for (const arg of this.args) arg.write(code);
    this.after(code);
  }
}

/** What may stand where a value is wanted: an expression, or a number that becomes a constant. */
export type Operand<T extends ValueType> = Expr<T> | (T extends 'v128' ? never : T extends 'i64' ? bigint | number : number);

export function operand<T extends ValueType>(type: T, value: Operand<T>): Expr<T> {
  if (value instanceof Expr) {
    if (value.type !== type) throw new AssemblerError(`${value.type} where ${type} is wanted`);
    return value as Expr<T>;
  }
  return new Const<T>(type, value as number | bigint);
}

/** A function that can be called: made by a module. */
export interface FunctionRef<P extends readonly ValueType[] = readonly ValueType[], R extends ResultType = ResultType> {
  readonly index: number;
  readonly params: P;
  readonly result: R;
  readonly name: string;
}

export type Operands<P extends readonly ValueType[]> = { [K in keyof P]: Operand<P[K]> };

export function call<P extends readonly ValueType[], R extends ResultType>(fn: FunctionRef<P, R>, ...args: Operands<P>): Expr<R> {
  const values = fn.params.map((type, i) => operand(type, args[i] as Operand<ValueType>));
  if (args.length !== values.length) throw new AssemblerError(`${fn.name} takes ${values.length} arguments, not ${args.length}`);
  return new Sequence(fn.result, values, (code) => {
    code.byte(0x10);
    code.u32(fn.index);
  });
}

/** `condition ? a : b`, both evaluated. */
export function select<T extends ValueType>(condition: Operand<'i32'>, a: Expr<T>, b: Expr<T>): Expr<T> {
  if (a.type !== b.type) throw new AssemblerError(`select between ${a.type} and ${b.type}`);
  return new Sequence(a.type, [a, b, operand('i32', condition)], (code) => code.byte(0x1b));
}
