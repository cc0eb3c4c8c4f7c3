/** @file Stand-in until the assembler is merged. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';
const TYPES: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const PLAIN: Record<string, number> = {
  'i32.eqz': 0x45, 'i32.eq': 0x46, 'i32.ne': 0x47, 'i32.lt_s': 0x48, 'i32.lt_u': 0x49, 'i32.gt_s': 0x4a, 'i32.gt_u': 0x4b, 'i32.le_s': 0x4c, 'i32.ge_s': 0x4e, 'i32.ge_u': 0x4f,
  'i32.add': 0x6a, 'i32.sub': 0x6b, 'i32.mul': 0x6c, 'i32.div_s': 0x6d, 'i32.div_u': 0x6e, 'i32.rem_s': 0x6f, 'i32.rem_u': 0x70, 'i32.and': 0x71, 'i32.or': 0x72, 'i32.xor': 0x73, 'i32.shl': 0x74, 'i32.shr_s': 0x75, 'i32.shr_u': 0x76,
  'f32.eq': 0x5b, 'f32.ne': 0x5c, 'f32.lt': 0x5d, 'f32.gt': 0x5e, 'f64.ne': 0x62,
  'f32.abs': 0x8b, 'f32.neg': 0x8c, 'f32.sqrt': 0x91, 'f32.add': 0x92, 'f32.sub': 0x93, 'f32.mul': 0x94, 'f32.div': 0x95, 'f32.min': 0x96, 'f32.max': 0x97,
  'f64.sqrt': 0x9f, 'f64.add': 0xa0, 'f64.sub': 0xa1, 'f64.mul': 0xa2, 'f64.div': 0xa3, 'f64.neg': 0x9a,
  'f32.demote_f64': 0xb6, 'f64.promote_f32': 0xbb, 'f32.convert_i32_s': 0xb2, 'f64.convert_i32_s': 0xb7, 'i32.reinterpret_f32': 0xbc, 'f32.reinterpret_i32': 0xbe,
  select: 0x1b, drop: 0x1a,
};
const MEMORY: Record<string, [number, number]> = { 'i32.load': [0x28, 2], 'f32.load': [0x2a, 2], 'f64.load': [0x2b, 3], 'i32.load8_u': [0x2d, 0], 'i32.store': [0x36, 2], 'f32.store': [0x38, 2], 'f64.store': [0x39, 3] };
const SIMD: Record<string, number> = {
  'i8x16.swizzle': 14, 'i32x4.splat': 17, 'f32x4.splat': 19, 'f64x2.splat': 20,
  'f32x4.eq': 0x41, 'f32x4.ne': 0x42, 'f32x4.lt': 0x43, 'f32x4.gt': 0x44, 'f32x4.le': 0x45, 'f32x4.ge': 0x46, 'i32x4.eq': 0x37, 'i32x4.lt_s': 0x39, 'i32x4.gt_s': 0x3b,
  'v128.not': 0x4d, 'v128.and': 0x4e, 'v128.andnot': 0x4f, 'v128.or': 0x50, 'v128.xor': 0x51, 'v128.bitselect': 0x52, 'v128.any_true': 0x53,
  'f32x4.abs': 0xe0, 'f32x4.neg': 0xe1, 'f32x4.sqrt': 0xe3, 'f32x4.add': 0xe4, 'f32x4.sub': 0xe5, 'f32x4.mul': 0xe6, 'f32x4.div': 0xe7, 'f32x4.min': 0xe8, 'f32x4.max': 0xe9, 'f32x4.pmin': 0xea, 'f32x4.pmax': 0xeb,
  'f64x2.abs': 0xec, 'f64x2.neg': 0xed, 'f64x2.sqrt': 0xef, 'f64x2.add': 0xf0, 'f64x2.sub': 0xf1, 'f64x2.mul': 0xf2, 'f64x2.div': 0xf3,
  'i32x4.shl': 0xab, 'i32x4.shr_s': 0xac, 'i32x4.shr_u': 0xad, 'i32x4.add': 0xae, 'i32x4.sub': 0xb1, 'i32x4.mul': 0xb5,
  'f64x2.promote_low_f32x4': 0x5f, 'f32x4.demote_f64x2_zero': 0x5e, 'i32x4.trunc_sat_f32x4_s': 0xf8, 'f32x4.convert_i32x4_s': 0xfa,
  'f32x4.relaxed_madd': 0x105, 'f64x2.relaxed_madd': 0x107,
};
const SIMD_MEMORY: Record<string, [number, number]> = { 'v128.load': [0, 2], 'v128.load32_splat': [9, 2], 'v128.load64_splat': [10, 3], 'v128.store': [11, 2], 'v128.load32_zero': [92, 2], 'v128.load64_zero': [93, 3] };
const LANE: Record<string, number> = { 'i32x4.extract_lane': 27, 'i32x4.replace_lane': 28, 'f32x4.extract_lane': 31, 'f32x4.replace_lane': 32, 'f64x2.extract_lane': 33, 'f64x2.replace_lane': 34 };
const leb = (value: number): number[] => { const out: number[] = []; let n = value >>> 0; do { let b = n & 127; n >>>= 7; if (n !== 0) b |= 128; out.push(b); } while (n !== 0); return out; };
const sleb = (value: number): number[] => { const out: number[] = []; let n = value | 0; for (;;) { const b = n & 127; n >>= 7; if ((n === 0 && (b & 64) === 0) || (n === -1 && (b & 64) !== 0)) { out.push(b); return out; } out.push(b | 128); } };
const floats = new Float32Array(1); const doubles = new Float64Array(1);

export class ProvisionalFunction {
  readonly locals: ValueType[] = [];
  readonly bytes: number[] = [];
  constructor(readonly params: readonly ValueType[], readonly results: readonly ValueType[]) {}
  local(type: ValueType): number { this.locals.push(type); return this.params.length + this.locals.length - 1; }
  raw(...list: number[]): void { for (const b of list) this.bytes.push(b); }
  op(name: string, ...immediates: number[]): void {
    if (name in PLAIN) this.raw(PLAIN[name]);
    else if (name in MEMORY) this.raw(MEMORY[name][0], MEMORY[name][1], ...leb(immediates[0] ?? 0));
    else if (name in SIMD) this.raw(0xfd, ...leb(SIMD[name]));
    else if (name in SIMD_MEMORY) this.raw(0xfd, ...leb(SIMD_MEMORY[name][0]), SIMD_MEMORY[name][1], ...leb(immediates[0] ?? 0));
    else if (name in LANE) this.raw(0xfd, LANE[name], immediates[0]);
    else if (name === 'i8x16.shuffle') this.raw(0xfd, 13, ...immediates);
    else if (name === 'v128.const') this.raw(0xfd, 12, ...immediates);
    else if (name === 'v128.load32_lane') this.raw(0xfd, 86, 2, ...leb(immediates[0]), immediates[1]);
    else if (name === 'v128.store64_lane') this.raw(0xfd, 91, 3, ...leb(immediates[0]), immediates[1]);
    else if (name === 'local.get') this.raw(0x20, ...leb(immediates[0]));
    else if (name === 'local.set') this.raw(0x21, ...leb(immediates[0]));
    else if (name === 'local.tee') this.raw(0x22, ...leb(immediates[0]));
    else if (name === 'i32.const') this.raw(0x41, ...sleb(immediates[0]));
    else if (name === 'f32.const') { floats[0] = immediates[0]; this.raw(0x43, ...new Uint8Array(floats.buffer)); }
    else if (name === 'f64.const') { doubles[0] = immediates[0]; this.raw(0x44, ...new Uint8Array(doubles.buffer)); }
    else if (name === 'call') this.raw(0x10, ...leb(immediates[0]));
    else if (name === 'block') this.raw(2, 0x40); else if (name === 'loop') this.raw(3, 0x40); else if (name === 'if') this.raw(4, 0x40); else if (name === 'else') this.raw(5);
    else if (name === 'end') this.raw(11); else if (name === 'br') this.raw(12, immediates[0]); else if (name === 'br_if') this.raw(13, immediates[0]); else if (name === 'return') this.raw(15);
    else if (name === 'memory.fill') this.raw(0xfc, 11, 0); else if (name === 'memory.copy') this.raw(0xfc, 10, 0, 0);
    else throw new Error(`no opcode ${name}`);
  }
}
const section = (id: number, body: number[]): number[] => [id, ...leb(body.length), ...body];
const text = (s: string): number[] => { const b = new TextEncoder().encode(s); return [...leb(b.length), ...b]; };
const list = (items: number[][]): number[] => [...leb(items.length), ...items.flat()];
export function assemble(functions: readonly { fn: ProvisionalFunction; name: string | null }[], shared: boolean): Uint8Array<ArrayBuffer> {
  const out: number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const push = (bytes: number[]): void => { for (const b of bytes) out.push(b); };
  push(section(1, list(functions.map(({ fn }) => [0x60, ...list(fn.params.map((t) => [TYPES[t]])), ...list(fn.results.map((t) => [TYPES[t]]))]))));
  push(section(2, list([[...text('env'), ...text('memory'), 2, ...(shared ? [3, ...leb(1), ...leb(65536)] : [0, 1])]])));
  push(section(3, list(functions.map((_, i) => leb(i)))));
  push(section(7, list(functions.flatMap(({ name }, i) => (name === null ? [] : [[...text(name), 0, ...leb(i)]])))));
  const code: number[] = [...leb(functions.length)];
  for (const { fn } of functions) { const body = [...list(fn.locals.map((t) => [1, TYPES[t]])), ...fn.bytes, 0x0b]; for (const b of leb(body.length)) code.push(b); for (const b of body) code.push(b); }
  push(section(10, code));
  return new Uint8Array(out);
}
