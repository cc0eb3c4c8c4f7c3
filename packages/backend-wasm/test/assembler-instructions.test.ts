/** Each instruction of the tables: the engine's validator takes it, and running it gives what a model in JavaScript gives. */
import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import * as assembler from '../src/assembler/index.js';
import { disassemble, i32, ModuleBuilder, v128, type Expr, type ValueType } from '../src/assembler/index.js';
import { specName, TABLES } from '../src/assembler/families.js';
import type { Instruction } from '../src/assembler/instruction.js';
import { bytesOf, lanesOf, MODELS, type LaneKind } from './support/instruction-models.js';

type Call = (...args: unknown[]) => Expr;
const FAMILIES: Record<string, unknown> = {
  ...assembler,
  'i32.atomic': assembler.i32Atomic,
  'i64.atomic': assembler.i64Atomic,
  'memory.atomic': assembler.memoryAtomic,
  i16x8: assembler.i16x8,
};
const builderOf = (family: string, name: string): Call => (FAMILIES[family] as Record<string, Call>)[name];

function moduleOf(body: (module: ModuleBuilder) => void, shared = false): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { shared });
  body(module);
  return module.bytes();
}

/** An operand out of memory at `address`, as the type that is wanted. */
const operandAt = (type: ValueType, address: number): Expr =>
  type === 'v128' ? v128.load(i32.const(address)) : builderOf(type, 'load')(i32.const(address));
const storeAt = (type: ValueType, address: number, value: Expr): Expr => builderOf(type, 'store')(i32.const(address), value);

/** A function `run` that reads operands at 0, 16, 32 … and writes the result at 64. */
function running({ params, result }: Instruction, make: (operands: Expr[]) => Expr): Uint8Array<ArrayBuffer> {
  return moduleOf((module) =>
    module.function(
      'run',
      {},
      'void',
      (f) => f.emit(storeAt(result as ValueType, 64, make(params.map((type, i) => operandAt(type, 16 * i))))),
      {
        export: true,
      },
    ),
  );
}

const FLOATS = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3.7, 1e10, -1e10, 1e-3, 100.25, Infinity, -Infinity, NaN, 255.5, -7.3, 2147483648];
const INTEGERS = [0, 1, -1, 2, 127, 128, -128, 255, 32767, -32768, 65535, 2147483647, -2147483648, 305419896, -889275714, 33];
let state = 12345;
const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);

function operandBytes(kind: LaneKind, round: number, safe: boolean): Uint8Array {
  const count = kind === 'f64' || kind.endsWith('64') ? 2 : 4;
  const pick = (): number => {
    // Where a fused operation may round once or twice, whole numbers leave nothing to round.
    const list = kind[0] === 'f' && !safe ? FLOATS : INTEGERS;
    const x = list[random() % list.length];
    return safe && !(Math.abs(x) < 1e9 && x > 0) ? Math.abs(random() % 1000) + 1 : x;
  };
  return round % 3 === 2 && kind[0] !== 'f' && !safe
    ? Uint8Array.from({ length: 16 }, () => random() >>> 24)
    : bytesOf(Array.from({ length: count }, pick), kind);
}

/** Which lanes an operand is filled with, by the name of what it goes to. */
function kindOf(family: string, name: string, type: ValueType): LaneKind {
  if (type !== 'v128') return type === 'i32' ? 's32' : type === 'i64' ? 's64' : type;
  const from = /([FI])(8|16|32|64)x/.exec(name);
  if (from !== null) return from[1] === 'F' ? (`f${from[2]}` as LaneKind) : from[2] === '64' ? 's64' : 's32';
  return family === 'f32x4' ? 'f32' : family === 'f64x2' ? 'f64' : family === 'i64x2' ? 's64' : 's32';
}

const TRAPS = /^(div|rem|trunc(F|I))/;
// Node 20 has relaxed SIMD behind a flag; later ones have it without, and may know the flag no more.
setFlagsFromString('--experimental-wasm-relaxed-simd');
/** What differs between engines by design is tried where it does not. */
const RELAXED = /^relaxed/;
const relaxedSupported = WebAssembly.validate(
  moduleOf((module) => module.function('f', { a: 'v128' }, 'v128', (f, { a }) => f.return(assembler.f32x4.relaxedMadd(a, a, a)))),
);

describe('instructions that compute', () => {
  for (const [family, table] of Object.entries(TABLES)) {
    for (const [name, instruction] of Object.entries(table)) {
      if (instruction.form !== 'plain') continue;
      const special = /^splat$/.test(name);
      it.skipIf(RELAXED.test(name) && !relaxedSupported)(`${specName(family, name)}`, () => {
        const model = special ? undefined : MODELS[family]?.[name];
        const bytes = running(instruction, (operands) => builderOf(family, name)(...operands));
        expect(WebAssembly.validate(bytes)).toBe(true);
        expect(disassemble(bytes)).toContain(specName(family, name));
        if (name === 'relaxedDotI8x16I7x16AddS' && Number.parseInt(process.versions.v8, 10) < 12) return; // that V8 adds the product to itself
        const memory = new WebAssembly.Memory({ initial: 1 });
        const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports as { run: () => void };
        const heap = new Uint8Array(memory.buffer);
        for (let round = 0; round < 40; round++) {
          const safe = TRAPS.test(name) || RELAXED.test(name);
          const args = instruction.params.map((type, i) =>
            RELAXED.test(name) && i === 2 && name.endsWith('Laneselect')
              ? new Uint8Array(16).fill(round % 2 ? 255 : 0)
              : RELAXED.test(name) && /Dot|q15|Swizzle/.test(name) && type === 'v128' && !(i === 2)
                ? Uint8Array.from({ length: 16 }, () => random() % 16)
                : operandBytes(kindOf(family, name, type), round, safe),
          );
          args.forEach((arg, i) => heap.set(arg, 16 * i));
          run();
          const got = heap.slice(64, 80);
          if (special) {
            const size = 16 / Number(/x(\d+)/.exec(family)![1]);
            for (let i = 0; i < 16; i++) expect(got[i]).toBe(args[0][i % size]);
            continue;
          }
          const { bytes: expected, kind } = model!(args, 0);
          const width = instruction.result === 'v128' ? 16 : instruction.result === 'i32' || instruction.result === 'f32' ? 4 : 8;
          const lanes = (b: Uint8Array) =>
            lanesOf(b, kind).slice(
              0,
              Math.max(1, width / (kind.endsWith('64') ? 8 : kind.endsWith('32') ? 4 : kind.endsWith('16') ? 2 : 1)),
            );
          expect(lanes(got), `${specName(family, name)} of ${args.map((a) => lanesOf(a, kind).join(' ')).join(' | ')}`).toEqual(
            lanes(expected),
          );
        }
      });
    }
  }
});

describe('instructions with lanes', () => {
  for (const [family, table] of Object.entries(TABLES)) {
    const width = 16 / Number(/x(\d+)/.exec(family)?.[1] ?? 16);
    for (const [name, instruction] of Object.entries(table)) {
      if (instruction.form !== 'lane' && instruction.form !== 'shuffle') continue;
      it(`${specName(family, name)}`, () => {
        for (let lane = 0; lane < 16 / width; lane++) {
          const lanes = Array.from({ length: 16 }, () => random() % 32);
          const immediate = instruction.form === 'shuffle' ? lanes : lane;
          const bytes = running(instruction, (operands) => builderOf(family, name)(immediate, ...operands));
          expect(disassemble(bytes)).toContain(`${specName(family, name)} `);
          const memory = new WebAssembly.Memory({ initial: 1 });
          const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports as { run: () => void };
          const heap = new Uint8Array(memory.buffer);
          for (let i = 0; i < 48; i++) heap[i] = random() >>> 24;
          const [a, b] = [heap.slice(0, 16), heap.slice(16, 32)];
          run();
          const got = heap.slice(64, 80);
          const expected = new Uint8Array(16);
          if (instruction.form === 'shuffle') lanes.forEach((from, i) => (expected[i] = from < 16 ? a[from] : b[from - 16]));
          else if (name === 'replaceLane') {
            expected.set(a);
            expected.set(b.subarray(0, width), lane * width);
          } else {
            expected.set(a.subarray(lane * width, lane * width + width));
            if (name.endsWith('S') && expected[width - 1] > 127) expected.fill(255, width, 4);
          }
          const size = instruction.result === 'v128' ? 16 : Math.max(width, 4);
          // A NaN's payload may change on its way through a scalar.
          const kind: LaneKind = family === 'f32x4' ? 'f32' : family === 'f64x2' ? 'f64' : 'u8';
          expect(lanesOf(got, kind).slice(0, size)).toEqual(lanesOf(expected, kind).slice(0, size));
        }
      });
    }
  }
});

/** How many bytes a lane of an access has, and whether its sign is extended, from its name. */
function accessOf(name: string, width: number): { lane: number; signed: boolean } {
  const narrow = /^(?:rmw|load|store)(8|16|32|64)/.exec(name);
  return { lane: narrow === null ? width : Number(narrow[1]) / 8, signed: name.endsWith('S') };
}

describe('accesses to memory', () => {
  for (const [family, table] of Object.entries(TABLES)) {
    for (const [name, instruction] of Object.entries(table)) {
      const { form, params, result, width } = instruction;
      if ((form !== 'memory' && form !== 'memoryLane') || family === 'memory.atomic') continue;
      it(`${specName(family, name)}`, () => {
        const lane = 1;
        const ADDRESS = 256;
        const OFFSET = 48;
        const make = builderOf(family, name);
        const operands = () => [i32.const(ADDRESS), ...params.slice(1).map((type, i) => operandAt(type, 16 * i))];
        const bytes = moduleOf(
          (module) =>
            module.function(
              'run',
              {},
              'void',
              (f) => {
                const value = form === 'memoryLane' ? make(lane, ...operands(), OFFSET) : make(...operands(), OFFSET);
                f.emit(result === 'void' ? value : storeAt(result, 128, value));
              },
              { export: true },
            ),
          family.endsWith('atomic'),
        );
        expect(WebAssembly.validate(bytes)).toBe(true);
        expect(disassemble(bytes)).toContain(`${specName(family, name)} offset=${OFFSET}`);
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: family.endsWith('atomic') });
        const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports as { run: () => void };
        const heap = new Uint8Array(memory.buffer);
        for (let i = 0; i < 400; i++) heap[i] = random() >>> 24;
        const at = ADDRESS + OFFSET;
        const isUpdate = name.startsWith('rmw');
        const compare = name.includes('Cmpxchg');
        if (compare) heap.copyWithin(0, at, at + width).fill(0, width, 16); // the expected value is there
        const before = heap.slice();
        run();
        const target = before.slice(at, at + width);
        const operand = before.slice(0, 16);
        const written = before.slice();
        if (isUpdate) {
          const num = (b: Uint8Array): bigint => b.reduceRight((n, x) => (n << 8n) | BigInt(x), 0n);
          const [x, y] = [num(target), num(operand.slice(0, width))];
          const kind = /(Add|Sub|And|Or|Xor|Xchg|Cmpxchg)U?$/.exec(name)![1];
          const second = num(before.slice(16, 16 + width));
          const next = { Add: x + y, Sub: x - y, And: x & y, Or: x | y, Xor: x ^ y, Xchg: y, Cmpxchg: second }[kind]!;
          for (let i = 0; i < width; i++) written[at + i] = Number((BigInt.asUintN(width * 8, next) >> BigInt(8 * i)) & 255n);
        } else if (result === 'void') {
          const from = form === 'memoryLane' ? lane * width : 0;
          written.set(operand.slice(from, from + width), at);
        }
        if (result !== 'void') {
          const size = result === 'v128' ? 16 : result === 'i32' || result === 'f32' ? 4 : 8;
          const expected = new Uint8Array(size);
          const { lane: bytesALane, signed } = accessOf(name, width);
          if (form === 'memoryLane') {
            expected.set(operand);
            expected.set(target, lane * width);
          } else if (/^load\d+x/.test(name)) {
            for (let i = 0; i < width / bytesALane; i++) {
              const part = target.subarray(i * bytesALane, (i + 1) * bytesALane);
              expected.set(part, i * bytesALane * 2);
              if (signed && part[bytesALane - 1] > 127) expected.fill(255, i * bytesALane * 2 + bytesALane, (i + 1) * bytesALane * 2);
            }
          } else if (name.endsWith('Splat')) for (let i = 0; i < 16; i++) expected[i] = target[i % width];
          else {
            expected.set(target);
            if (signed && target[width - 1] > 127) expected.fill(255, width);
          }
          written.set(expected, 128);
        }
        expect([...heap.subarray(0, 400)]).toEqual([...written.subarray(0, 400)]);
      });
    }
  }

  it('memory.atomic.notify and wait: nobody waits, and another value is there', () => {
    const bytes = moduleOf((module) => {
      module.function('notify', {}, 'i32', (f) => f.return(assembler.memoryAtomic.notify(i32.const(8), 1)), { export: true });
      module.function('wait32', {}, 'i32', (f) => f.return(assembler.memoryAtomic.wait32(i32.const(8), 5, -1)), { export: true });
      module.function('wait64', {}, 'i32', (f) => f.return(assembler.memoryAtomic.wait64(i32.const(8), 0, 1000)), { export: true });
      module.function('fence', {}, 'void', (f) => f.emit(assembler.memoryAtomic.fence()), { export: true });
    }, true);
    expect(disassemble(bytes)).toMatch(
      /memory\.atomic\.notify[\s\S]*memory\.atomic\.wait32[\s\S]*memory\.atomic\.wait64[\s\S]*atomic\.fence/,
    );
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports as Record<string, () => number>;
    exports.fence();
    expect([exports.notify(), exports.wait32(), exports.wait64()]).toEqual([0, 1, 2]);
  });
});
