/** @file A pointwise program as WGSL statements: one `let` for each register. */
import { type ComputeDType, type Instruction, type Opcode, type Program, registerDTypes } from '@tessera/core/backend';

export const WGSL_TYPE: { readonly [D in ComputeDType]: string } = { float32: 'f32', float64: 'f64', int32: 'i32', bool: 'bool' };

type Emit = (args: readonly string[], dtype: ComputeDType) => string;

const call =
  (name: string): Emit =>
  (args) =>
    `${name}(${args.join(', ')})`;
const infix =
  (operator: string): Emit =>
  ([a, b]) =>
    `(${a} ${operator} ${b})`;
/** By the dtype of the arguments. */
const byType =
  (float: Emit, integer: Emit, bool: Emit = integer): Emit =>
  (args, dtype) =>
    (dtype === 'float32' ? float : dtype === 'int32' ? integer : bool)(args, dtype);
/** WGSL has no order of truth values. */
const ordered = (operator: string): Emit => byType(infix(operator), infix(operator), ([a, b]) => `(u32(${a}) ${operator} u32(${b}))`);

/** Each opcode as an expression of its arguments; `dtype` is that of the arguments. What depends on the result's dtype is in `expression`. */
const EMIT: { readonly [O in Exclude<Opcode, 'cast' | 'bitcast' | 'index'>]: Emit } = {
  copy: ([a]) => a,
  where: ([a, b, c]) => `select(${c}, ${b}, ${a})`,
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  idiv: call('k_idiv'),
  irem: call('k_irem'),
  fmod: call('k_fmod'),
  neg: byType(call('k_neg'), ([a]) => `(-${a})`),
  abs: byType(call('k_abs'), call('abs')),
  sign: byType(call('k_sign'), call('sign')),
  max: byType(call('k_max'), call('max')),
  min: byType(call('k_min'), call('min')),
  floor: call('floor'),
  ceil: call('ceil'),
  trunc: call('trunc'),
  round: call('round'),
  sqrt: call('k_sqrt'),
  eq: byType(call('k_eq'), infix('==')),
  ne: byType(call('k_ne'), infix('!=')),
  lt: ordered('<'),
  le: ordered('<='),
  gt: ordered('>'),
  ge: ordered('>='),
  isnan: call('k_isnan'),
  and: infix('&'),
  or: infix('|'),
  xor: byType(infix('^'), infix('^'), infix('!=')),
  not: byType(
    call('~'),
    ([a]) => `(~${a})`,
    ([a]) => `(!${a})`,
  ),
  shl: call('k_shl'),
  shr: call('k_shr'),
  exp: call('k_exp'),
  expm1: call('k_expm1'),
  log: call('k_log'),
  log1p: call('k_log1p'),
  log2: call('k_log2'),
  log10: call('k_log10'),
  exp2: call('k_exp2'),
  pow: call('k_pow'),
  sin: call('k_sin'),
  cos: call('k_cos'),
  tan: call('k_tan'),
  asin: call('k_asin'),
  acos: call('k_acos'),
  atan: call('k_atan'),
  atan2: call('k_atan2'),
  sinh: call('k_sinh'),
  cosh: call('k_cosh'),
  tanh: call('k_tanh'),
  asinh: call('k_asinh'),
  acosh: call('k_acosh'),
  atanh: call('k_atanh'),
  erf: call('k_erf'),
  erfc: call('k_erfc'),
  erfinv: call('k_erfinv'),
  lgamma: call('k_lgamma'),
  digamma: call('k_digamma'),
  toFloat16: ([a]) => `k_from_f16(k_to_f16(${a}))`,
  toBfloat16: ([a]) => `k_from_bf16(k_to_bf16(${a}))`,
  toUint8: ([a]) => `(${a} & 255)`,
  philox: call('k_philox'),
};

/** `value` of dtype `from` as `to`. */
export function castExpression(value: string, from: ComputeDType, to: ComputeDType): string {
  if (from === to) return value;
  if (to === 'bool') return from === 'float32' ? `k_truth(${value})` : `(${value} != 0)`;
  if (from === 'bool') return to === 'float32' ? `select(0.0, 1.0, ${value})` : `select(0, 1, ${value})`;
  return to === 'float32' ? `f32(${value})` : `k_i32(${value})`;
}

function expression({ op, dtype, args, dim }: Instruction, types: readonly ComputeDType[], index: (dim: number) => string): string {
  if (op === 'index') return index(dim!);
  const names = args.map((r) => `r${r}`);
  const first = types[args[op === 'where' ? 1 : 0]];
  if (op === 'cast') return castExpression(names[0], first, dtype);
  if (op === 'bitcast') return first === dtype ? names[0] : `bitcast<${WGSL_TYPE[dtype]}>(${names[0]})`;
  return EMIT[op](names, first);
}

export interface ProgramText {
  /** Statements that define a register each. */
  readonly statements: string;
  /** The names of the outputs. */
  readonly outputs: readonly string[];
  readonly types: readonly ComputeDType[];
}

/**
 * @param load The value of input i.
 * @param scalar The word of scalar i, a u32.
 * @param index The index along a dim, an i32.
 */
export function programText(
  program: Program,
  load: (i: number) => string,
  scalar: (i: number) => string,
  index: (dim: number) => string,
): ProgramText {
  const types = registerDTypes(program);
  const lines: string[] = [];
  let register = 0;
  const define = (value: string): void => void lines.push(`let r${register++} = ${value};`);
  program.inputs.forEach((_, i) => define(load(i)));
  program.scalars.forEach((dtype, i) => {
    const at = scalar(i);
    define(dtype === 'float32' ? `bitcast<f32>(${at})` : dtype === 'int32' ? `bitcast<i32>(${at})` : `(${at} != 0u)`);
  });
  for (const instruction of program.instructions) define(expression(instruction, types, index));
  return { statements: lines.join('\n'), outputs: program.outputs.map(({ register: r }) => `r${r}`), types };
}

/** Packs a scalar as {@link programText} reads it. */
export function packScalars(
  program: Program,
  scalars: ArrayLike<number>,
  target: { word(x: number): unknown; float(x: number): unknown },
): void {
  program.scalars.forEach((dtype, i) => {
    if (dtype === 'float32') target.float(scalars[i]);
    else target.word(dtype === 'bool' ? Number(scalars[i] !== 0) : scalars[i]);
  });
}
