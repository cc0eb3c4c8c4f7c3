/**
 * @file Writing a kernel as expressions instead of stack operations. A {@link Value} is a local, an i32 constant, or a function that emits what
 * leaves a value on the stack; nothing is evaluated when kernels run: all this runs once, when a kernel is emitted.
 *
 * Addresses are unsigned 32-bit bytes: they are compared for equality, or as unsigned. Counts and indices are signed.
 */
import { ProvisionalFunction, type ValueType } from '../provisional/assembler.js';

/** A variable or parameter of a function. */
export class Local {
  constructor(
    readonly index: number,
    readonly type: ValueType,
  ) {}
}

/** A local, an i32 constant, or code that leaves one value on the stack. */
export type Value = Local | number | (() => void);

const SIXTEEN = 16;

export class FunctionCode {
  readonly fn: ProvisionalFunction;
  readonly params: readonly Local[];

  constructor(
    readonly name: string,
    params: readonly ValueType[],
    results: readonly ValueType[] = [],
  ) {
    this.fn = new ProvisionalFunction(params, results);
    this.params = params.map((type, i) => new Local(i, type));
  }

  // ── locals ──
  local(type: ValueType, initial?: Value): Local {
    const local = new Local(this.fn.local(type), type);
    if (initial !== undefined) this.set(local, initial);
    return local;
  }
  i32(initial?: Value): Local {
    return this.local('i32', initial);
  }
  f32(initial?: Value): Local {
    return this.local('f32', initial);
  }
  v128(initial?: Value): Local {
    return this.local('v128', initial);
  }
  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  // ── statements ──
  /** Emits a value onto the stack. */
  push(value: Value): void {
    if (typeof value === 'number') this.fn.op('i32.const', value);
    else if (value instanceof Local) this.fn.op('local.get', value.index);
    else value();
  }
  set(local: Local, value: Value): void {
    this.push(value);
    this.fn.op('local.set', local.index);
  }
  /** local += value, of i32. */
  advance(local: Local, by: Value): void {
    this.set(local, this.add(local, by));
  }
  /** Runs once, and again as long as the condition holds. */
  doWhile(body: () => void, condition: () => Value): void {
    this.fn.op('loop');
    body();
    this.push(condition());
    this.fn.op('br_if', 0);
    this.fn.op('end');
  }
  while(condition: () => Value, body: () => void): void {
    this.fn.op('block');
    this.push(this.eqz(condition()));
    this.fn.op('br_if', 0);
    this.doWhile(body, condition);
    this.fn.op('end');
  }
  /** for (local = from; local < to; local += step), signed. */
  for(local: Local, from: Value, to: Value, step: number, body: () => void): void {
    this.set(local, from);
    this.while(
      () => this.lt(local, to),
      () => {
        body();
        this.advance(local, step);
      },
    );
  }
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.push(condition);
    this.fn.op('if');
    then();
    if (otherwise !== undefined) {
      this.fn.op('else');
      otherwise();
    }
    this.fn.op('end');
  }
  return(): void {
    this.fn.op('return');
  }
  /** Calls a function that has no results. */
  call(callee: { readonly index: number }, ...args: readonly Value[]): void {
    for (const arg of args) this.push(arg);
    this.fn.op('call', callee.index);
  }
  /** Sets `bytes` bytes to 0. */
  clear(address: Value, bytes: Value): void {
    this.push(address);
    this.push(0);
    this.push(bytes);
    this.fn.op('memory.fill');
  }

  // ── any instruction ──
  /** The value of an instruction by its name in the text format. */
  op(name: string, ...args: readonly Value[]): () => void {
    return () => {
      for (const arg of args) this.push(arg);
      this.fn.op(name);
    };
  }

  // ── i32 ──
  add(a: Value, b: Value): Value {
    if (b === 0) return a;
    if (a === 0) return b;
    if (typeof a === 'number' && typeof b === 'number') return (a + b) | 0;
    return this.op('i32.add', a, b);
  }
  sub(a: Value, b: Value): Value {
    return b === 0 ? a : this.op('i32.sub', a, b);
  }
  mul(a: Value, b: Value): Value {
    if (b === 1) return a;
    if (a === 1) return b;
    if (typeof a === 'number' && typeof b === 'number') return Math.imul(a, b);
    return this.op('i32.mul', a, b);
  }
  and(a: Value, b: Value): Value {
    return this.op('i32.and', a, b);
  }
  or(a: Value, b: Value): Value {
    return this.op('i32.or', a, b);
  }
  shl(a: Value, b: Value): Value {
    return this.op('i32.shl', a, b);
  }
  shrU(a: Value, b: Value): Value {
    return this.op('i32.shr_u', a, b);
  }
  /** a / b of unsigned values. */
  div(a: Value, b: Value): Value {
    return this.op('i32.div_u', a, b);
  }
  rem(a: Value, b: Value): Value {
    return this.op('i32.rem_u', a, b);
  }
  lt(a: Value, b: Value): Value {
    return this.op('i32.lt_s', a, b);
  }
  le(a: Value, b: Value): Value {
    return this.op('i32.le_s', a, b);
  }
  ge(a: Value, b: Value): Value {
    return this.op('i32.ge_s', a, b);
  }
  eq(a: Value, b: Value): Value {
    return this.op('i32.eq', a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.op('i32.ne', a, b);
  }
  eqz(a: Value): Value {
    return this.op('i32.eqz', a);
  }
  select(condition: Value, then: Value, otherwise: Value): Value {
    return this.op('select', then, otherwise, condition);
  }
  /** The smaller of two signed values; both are emitted twice. */
  min(a: Value, b: Value): Value {
    return this.select(this.lt(a, b), a, b);
  }
  max(a: Value, b: Value): Value {
    return this.select(this.lt(a, b), b, a);
  }

  // ── memory ──
  load(name: string, address: Value, offset = 0): () => void {
    return () => {
      this.push(address);
      this.fn.op(name, offset);
    };
  }
  store(name: string, address: Value, offset: number, value: Value): void {
    this.push(address);
    this.push(value);
    this.fn.op(name, offset);
  }
  loadI32(address: Value, offset = 0): () => void {
    return this.load('i32.load', address, offset);
  }
  loadF32(address: Value, offset = 0): () => void {
    return this.load('f32.load', address, offset);
  }
  storeF32(address: Value, offset: number, value: Value): void {
    this.store('f32.store', address, offset, value);
  }
  loadVector(address: Value, offset = 0): () => void {
    return this.load('v128.load', address, offset);
  }
  storeVector(address: Value, offset: number, value: Value): void {
    this.store('v128.store', address, offset, value);
  }
  loadSplat32(address: Value, offset = 0): () => void {
    return this.load('v128.load32_splat', address, offset);
  }

  // ── constants and lanes ──
  constF32(value: number): () => void {
    return () => this.fn.op('f32.const', value);
  }
  /** Four times one float. */
  splatF32(value: number): () => void {
    return () => this.fn.op('v128.const', ...repeat(new Uint8Array(new Float32Array([value]).buffer)));
  }
  /** Four int32. */
  constI32x4(values: readonly number[]): () => void {
    return () => this.fn.op('v128.const', ...new Uint8Array(new Int32Array(values).buffer));
  }
  zero(): () => void {
    return () => this.fn.op('v128.const', ...new Array<number>(SIXTEEN).fill(0));
  }
  /** Lanes of 32 bits: 0 to 3 are those of a, 4 to 7 those of b. */
  shuffle(a: Value, b: Value, lanes: readonly number[]): () => void {
    return () => {
      this.push(a);
      this.push(b);
      this.fn.op('i8x16.shuffle', ...lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]));
    };
  }
  lane(name: 'i32x4' | 'f32x4' | 'f64x2', vector: Value, lane: number): () => void {
    return () => {
      this.push(vector);
      this.fn.op(`${name}.extract_lane`, lane);
    };
  }

  replaceLane(name: 'f32x4', vector: Value, lane: number, value: Value): () => void {
    return () => {
      this.push(vector);
      this.push(value);
      this.fn.op(`${name}.replace_lane`, lane);
    };
  }

  /** The 4x4 transpose of four vectors of 32-bit lanes, in new locals. */
  transpose4(rows: readonly Value[]): Local[] {
    const [a, b, c, d] = rows;
    const t0 = this.v128(this.shuffle(a, b, [0, 4, 1, 5]));
    const t1 = this.v128(this.shuffle(c, d, [0, 4, 1, 5]));
    const t2 = this.v128(this.shuffle(a, b, [2, 6, 3, 7]));
    const t3 = this.v128(this.shuffle(c, d, [2, 6, 3, 7]));
    return [
      this.v128(this.shuffle(t0, t1, [0, 1, 4, 5])),
      this.v128(this.shuffle(t0, t1, [2, 3, 6, 7])),
      this.v128(this.shuffle(t2, t3, [0, 1, 4, 5])),
      this.v128(this.shuffle(t2, t3, [2, 3, 6, 7])),
    ];
  }

  // ── floats in four lanes ──
  vadd(a: Value, b: Value): () => void {
    return this.op('f32x4.add', a, b);
  }
  vsub(a: Value, b: Value): () => void {
    return this.op('f32x4.sub', a, b);
  }
  vmul(a: Value, b: Value): () => void {
    return this.op('f32x4.mul', a, b);
  }
  vdiv(a: Value, b: Value): () => void {
    return this.op('f32x4.div', a, b);
  }
  /** a + b + c + d of the lanes, pairwise, as an f32. */
  sumLanes(v: Value): () => void {
    const at = (i: number): (() => void) => this.lane('f32x4', v, i);
    return this.op('f32.add', this.op('f32.add', at(0), at(1)), this.op('f32.add', at(2), at(3)));
  }
  /** The largest lane as an f32; NaN wins. */
  maxLanes(v: Value): () => void {
    const at = (i: number): (() => void) => this.lane('f32x4', v, i);
    return this.op('f32.max', this.op('f32.max', at(0), at(1)), this.op('f32.max', at(2), at(3)));
  }
}

function repeat(word: Uint8Array): number[] {
  return [...word, ...word, ...word, ...word];
}
