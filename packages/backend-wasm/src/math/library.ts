/**
 * @file The functions that WebAssembly lacks, defined in a module when its code first asks for them. Those in float64 work on two lanes, those in
 * float32 on four; one that only float64 has serves float32 too, by halves.
 */
import {
  call,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  f32x4,
  f64x2,
  i32x4,
  type Local,
  type ModuleBuilder,
} from '../assembler/index.js';
import { leftOut } from '../parts/left-out.js';

export type V = Expr<'v128'>;
export type VLocal = Local<'v128'>;
/** The code of a function of vectors. */
export type VectorCode = (f: FunctionBuilder, lib: MathLibrary, ...args: VLocal[]) => V;

export interface VectorFunction {
  readonly arity: 1 | 2;
  readonly code: VectorCode;
}

export const unaryCode = (code: VectorCode): VectorFunction => ({ arity: 1, code });
export const binaryCode = (code: VectorCode): VectorFunction => ({ arity: 2, code });

/** What comes with the part `specialFunctions`. */
const SPECIAL: ReadonlySet<string> = new Set(['erf', 'erfc', 'erfinv', 'lgamma', 'digamma', 'fmod']);

type Signature = FunctionRef<readonly ('v128' | 'i32' | 'f64')[], 'v128' | 'f64'>;

export class MathLibrary {
  readonly #defined = new Map<string, Signature>();

  constructor(
    readonly module: ModuleBuilder,
    /** Multiply and add with one rounding. */
    readonly fma: boolean,
    readonly functions: Readonly<Record<string, VectorFunction>>,
  ) {}

  /** @throws NotSupportedError `ERR_PART_LEFT_OUT` where the backend was made without it. */
  function(name: string): VectorFunction {
    const found = this.functions[name];
    if (found === undefined) throw leftOut(name, SPECIAL.has(name) ? 'specialFunctions' : 'elementaryFunctions');
    return found;
  }

  /** Calls a function of {@link functions}. */
  call(name: string, ...args: V[]): V {
    let ref = this.#defined.get(name);
    if (ref === undefined) {
      const { arity, code } = this.function(name);
      const params: Record<string, 'v128'> = arity === 1 ? { x: 'v128' } : { x: 'v128', y: 'v128' };
      ref = this.module.function(name, params, 'v128', (f, locals) => f.return(code(f, this, ...Object.values(locals))), {
        pooled: true,
      }) as Signature;
      this.#defined.set(name, ref);
    }
    return call(ref as FunctionRef<readonly 'v128'[], 'v128'>, ...args);
  }

  /** A function of two scalars, defined once. */
  scalar(name: string, code: (f: FunctionBuilder, x: Local<'f64'>, y: Local<'f64'>) => void): FunctionRef<readonly ['f64', 'f64'], 'f64'> {
    let ref = this.#defined.get(name);
    if (ref === undefined) {
      ref = this.module.function(name, { x: 'f64', y: 'f64' }, 'f64', (f, { x, y }) => code(f, x, y)) as Signature;
      this.#defined.set(name, ref);
    }
    return ref as unknown as FunctionRef<readonly ['f64', 'f64'], 'f64'>;
  }

  /** a · b + c in float32 lanes. */
  madd(a: V, b: V | number, c: V | number): V {
    const [y, z] = [lanes32(b), lanes32(c)];
    return this.fma ? f32x4.relaxedMadd(a, y, z) : f32x4.add(f32x4.mul(a, y), z);
  }

  /** a · b + c in float64 lanes. */
  madd64(a: V, b: V | number, c: V | number): V {
    const [y, z] = [lanes64(b), lanes64(c)];
    return this.fma ? f64x2.relaxedMadd(a, y, z) : f64x2.add(f64x2.mul(a, y), z);
  }

  /**
   * c[0] xⁿ + … + c[n] in float32 lanes: Horner's rule in x², on pairs. Half as long a chain as Horner's in x for one multiplication more; a processor
   * whose queue holds few waiting operations is kept busy by short chains only.
   */
  polynomial(f: FunctionBuilder, x: VLocal, c: readonly number[]): V {
    const square = f.local('v128', f32x4.mul(x, x));
    const pair = (i: number): V => this.madd(x, c[i], c[i + 1]);
    const odd = c.length % 2;
    let sum: V = odd === 1 ? f32x4.const(c[0]) : pair(0);
    for (let i = 2 - odd; i < c.length; i += 2) sum = this.madd(sum, square, pair(i));
    return sum;
  }

  /** The same in float64 lanes. */
  polynomial64(x: VLocal, c: readonly number[]): V {
    let sum: V = f64x2.const(c[0]);
    for (let i = 1; i < c.length; i++) sum = this.madd64(sum, x, c[i]);
    return sum;
  }
}

const lanes32 = (x: V | number): V => (typeof x === 'number' ? f32x4.const(x) : x);
const lanes64 = (x: V | number): V => (typeof x === 'number' ? f64x2.const(x) : x);

/** The upper half of four float32 lanes, as two float64 lanes. */
export const promoteHigh = (x: V): V => f64x2.promoteLowF32x4(upper(x));

/** The upper two of four 32-bit lanes, in the place of the lower ones. */
export function upper(x: V): V {
  return i32x4.shuffle([2, 3, 2, 3], x, i32x4.const(0));
}

/** Two pairs of float64 lanes as four float32 lanes. */
export const demotePair = (low: V, high: V): V => i32x4.shuffle([0, 1, 4, 5], f32x4.demoteF64x2Zero(low), f32x4.demoteF64x2Zero(high));
