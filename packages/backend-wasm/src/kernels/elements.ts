/** @file Single elements by their size, whatever they are. */
import { type Expr, i32, i64, type Local } from '../assembler/index.js';

type I32 = Local<'i32'>;

/** Copies one element of `size` bytes. */
export function copyElement(size: number, to: I32, from: Expr<'i32'>): Expr<'void'> {
  switch (size) {
    case 8:
      return i64.store(to, i64.load(from));
    case 4:
      return i32.store(to, i32.load(from));
    case 2:
      return i32.store16(to, i32.load16U(from));
    default:
      return i32.store8(to, i32.load8U(from));
  }
}
