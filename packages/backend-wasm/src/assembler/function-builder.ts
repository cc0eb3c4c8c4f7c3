/** @file The body of a function: locals, statements, structured control. */
import { CodeWriter, type ConstantPool } from './code-writer.js';
import { AssemblerError, type Expr, Local, operand, type Operand, type Global } from './expression.js';
import { i32 } from './families.js';
import { type ResultType, TYPE_CODE, type ValueType } from './value-types.js';

/** What `br` jumps to: behind the end of a block, or to the start of a loop. */
export class Label {
  constructor(
    /** How many labels were open around it. */
    readonly depth: number,
    readonly kind: 'block' | 'loop',
  ) {}
}

/**
 * @example
 * // adds 1 to n floats at p, four at a time
 * f.for(i, 0, i32.shl(n, 2), 16, () => {
 *   f.set(at, i32.add(p, i));
 *   f.emit(v128.store(at, f32x4.add(v128.load(at), 1)));
 * });
 */
export class FunctionBuilder {
  readonly code = new CodeWriter();
  readonly localTypes: ValueType[] = [];
  readonly names: string[] = [];
  readonly #paramCount: number;
  readonly #result: ResultType;
  #depth = 0;

  constructor(params: readonly ValueType[], result: ResultType, pool: ConstantPool | null = null) {
    this.code.pool = pool;
    this.#paramCount = params.length;
    this.#result = result;
  }

  /** @internal */
  param<T extends ValueType>(type: T, index: number, name: string): Local<T> {
    this.names.push(name);
    return new Local(type, index, this.code, name);
  }

  /** A new local, 0 at first, or `value`. */
  local<T extends ValueType>(type: T, value?: Operand<T>, name = ''): Local<T> {
    const index = this.#paramCount + this.localTypes.length;
    this.localTypes.push(type);
    this.names.push(name);
    const local = new Local(type, index, this.code, name || `$${index}`);
    if (value !== undefined) this.set(local, value);
    return local;
  }

  /** The value in a local of its own, so that it can be used more than once. A local or a constant is given as it is. */
  keep<T extends ValueType>(value: Expr<T>): Local<T> {
    return value instanceof Local ? (value as Local<T>) : this.local(value.type, value as Operand<T>);
  }

  set<T extends ValueType>(local: Local<T>, value: Operand<T>): void {
    operand(local.type, value).write(this.code);
    local.access(this.code, 0x21);
  }

  setGlobal<T extends ValueType>(global: Global<T>, value: Operand<T>): void {
    operand(global.type, value).write(this.code);
    this.code.byte(0x24);
    this.code.u32(global.index);
  }

  /** Adds to an integer local. */
  increment(local: Local<'i32'>, by: Operand<'i32'>): void {
    this.set(local, i32.add(local, by));
  }

  /** Runs expressions for what they do: stores, calls. A value is dropped. */
  emit(...statements: readonly Expr[]): void {
    for (const statement of statements) {
      statement.write(this.code);
      if (statement.type !== 'void') this.code.byte(0x1a);
    }
  }

  #open(instruction: number, kind: Label['kind'], body: (label: Label) => void): void {
    this.code.byte(instruction);
    this.code.byte(TYPE_CODE.void);
    body(new Label(this.#depth++, kind));
    this.#depth--;
  }

  /** `br(label)` inside leaves it. */
  block(body: (exit: Label) => void): void {
    this.#open(0x02, 'block', body);
    this.code.byte(0x0b);
  }

  /** `br(label)` inside starts it again; it ends when its body does. */
  loop(body: (again: Label) => void): void {
    this.#open(0x03, 'loop', body);
    this.code.byte(0x0b);
  }

  if(condition: Operand<'i32'>, then: (exit: Label) => void, otherwise?: (exit: Label) => void): void {
    operand('i32', condition).write(this.code);
    this.#open(0x04, 'block', then);
    if (otherwise !== undefined) {
      this.code.byte(0x05);
      otherwise(new Label(this.#depth++, 'block'));
      this.#depth--;
    }
    this.code.byte(0x0b);
  }

  #depthOf(label: Label): number {
    const depth = this.#depth - 1 - label.depth;
    if (depth < 0) throw new AssemblerError('a jump to a block that is not open');
    return depth;
  }

  br(label: Label): void {
    this.code.byte(0x0c);
    this.code.u32(this.#depthOf(label));
  }

  brIf(label: Label, condition: Operand<'i32'>): void {
    operand('i32', condition).write(this.code);
    this.code.byte(0x0d);
    this.code.u32(this.#depthOf(label));
  }

  /** Jumps to `labels[index]`, and to `otherwise` where there is none. */
  brTable(index: Operand<'i32'>, labels: readonly Label[], otherwise: Label): void {
    operand('i32', index).write(this.code);
    this.code.byte(0x0e);
    this.code.u32(labels.length);
    for (const label of labels) this.code.u32(this.#depthOf(label));
    this.code.u32(this.#depthOf(otherwise));
  }

  return(value?: Expr): void {
    if ((value?.type ?? 'void') !== this.#result) throw new AssemblerError(`returns ${value?.type ?? 'nothing'}, not ${this.#result}`);
    value?.write(this.code);
    this.code.byte(0x0f);
  }

  unreachable(): void {
    this.code.byte(0x00);
  }

  /** As long as the condition (made anew by `test`) holds. */
  while(test: () => Operand<'i32'>, body: (exit: Label, again: Label) => void): void {
    this.block((exit) =>
      this.loop((again) => {
        this.brIf(exit, i32.eqz(test()));
        body(exit, again);
        this.br(again);
      }),
    );
  }

  /** `body`, then again as long as the condition holds: one jump a round. */
  doWhile(body: (again: Label) => void, test: () => Operand<'i32'>): void {
    this.loop((again) => {
      body(again);
      this.brIf(again, test());
    });
  }

  /** For `i` from `from` up to below `to` (unsigned; a constant or a local), in steps. `to − step` must not be below 0 where `to` is not. */
  for(i: Local<'i32'>, from: Operand<'i32'>, to: Local<'i32'> | number, step: Operand<'i32'>, body: () => void): void {
    this.set(i, from);
    this.if(i32.ltU(i, to), () =>
      this.loop((again) => {
        body();
        this.brIf(again, i32.ltU(i.tee(i32.add(i, step)), to));
      }),
    );
  }

  /** @internal */
  get open(): number {
    return this.#depth;
  }
}
