/**
 * @file A small WebAssembly assembler: typed expressions, structured control, and modules made of them, at run time.
 *
 * @example
 * const module = new ModuleBuilder();
 * module.importMemory('env', 'memory', { shared: false });
 * module.function('scale', { p: 'i32', bytes: 'i32', by: 'f32' }, 'void', (f, { p, bytes, by }) => {
 *   const end = f.local('i32', i32.add(p, bytes));
 *   const factor = f.local('v128', f32x4.splat(by));
 *   f.for(p, p, end, 16, () => f.emit(v128.store(p, f32x4.mul(v128.load(p), factor))));
 * }, { export: true });
 */
export type { ConstantPool } from './code-writer.js';
export { disassemble } from './disassembler.js';
export { call, type Expr, type FunctionRef, type Global, Local, type Operand, select } from './expression.js';
export {
  f32,
  f32x4,
  f64,
  f64x2,
  i16x8,
  i32,
  i32Atomic,
  i32x4,
  i64,
  i64Atomic,
  i64x2,
  i8x16,
  memory,
  memoryAtomic,
  v128,
} from './families.js';
export { FunctionBuilder, type Label } from './function-builder.js';
export { type MemoryImport, ModuleBuilder, type ParamLocals } from './module-builder.js';
export type { ResultType, ValueType } from './value-types.js';
