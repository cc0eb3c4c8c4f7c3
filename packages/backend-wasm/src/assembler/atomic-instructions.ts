/** @file The atomic instructions of the threads proposal. `i32.atomic.rmw8.add_u` is `i32Atomic.rmw8AddU`. */
import { atomic } from './instruction.js';

const load = <T extends 'i32' | 'i64'>(n: number, type: T, width: number) => atomic(n, ['i32'], type, width);
const store = <T extends 'i32' | 'i64'>(n: number, type: T, width: number) => atomic(n, ['i32', type], 'void', width);
const update = <T extends 'i32' | 'i64'>(n: number, type: T, width: number) => atomic(n, ['i32', type], type, width);
const exchange = <T extends 'i32' | 'i64'>(n: number, type: T, width: number) => atomic(n, ['i32', type, type], type, width);

export const MEMORY_ATOMIC = {
  /** address, how many waiters to wake → how many were woken */
  notify: atomic(0, ['i32', 'i32'], 'i32', 4),
  /** address, expected value, timeout in ns (negative: none) → 0 woken, 1 another value, 2 timed out */
  wait32: atomic(1, ['i32', 'i32', 'i64'], 'i32', 4),
  wait64: atomic(2, ['i32', 'i64', 'i64'], 'i32', 8),
};

export const I32_ATOMIC = {
  load: load(0x10, 'i32', 4),
  load8U: load(0x12, 'i32', 1),
  load16U: load(0x13, 'i32', 2),
  store: store(0x17, 'i32', 4),
  store8: store(0x19, 'i32', 1),
  store16: store(0x1a, 'i32', 2),
  rmwAdd: update(0x1e, 'i32', 4),
  rmw8AddU: update(0x20, 'i32', 1),
  rmw16AddU: update(0x21, 'i32', 2),
  rmwSub: update(0x25, 'i32', 4),
  rmw8SubU: update(0x27, 'i32', 1),
  rmw16SubU: update(0x28, 'i32', 2),
  rmwAnd: update(0x2c, 'i32', 4),
  rmw8AndU: update(0x2e, 'i32', 1),
  rmw16AndU: update(0x2f, 'i32', 2),
  rmwOr: update(0x33, 'i32', 4),
  rmw8OrU: update(0x35, 'i32', 1),
  rmw16OrU: update(0x36, 'i32', 2),
  rmwXor: update(0x3a, 'i32', 4),
  rmw8XorU: update(0x3c, 'i32', 1),
  rmw16XorU: update(0x3d, 'i32', 2),
  rmwXchg: update(0x41, 'i32', 4),
  rmw8XchgU: update(0x43, 'i32', 1),
  rmw16XchgU: update(0x44, 'i32', 2),
  rmwCmpxchg: exchange(0x48, 'i32', 4),
  rmw8CmpxchgU: exchange(0x4a, 'i32', 1),
  rmw16CmpxchgU: exchange(0x4b, 'i32', 2),
};

export const I64_ATOMIC = {
  load: load(0x11, 'i64', 8),
  load8U: load(0x14, 'i64', 1),
  load16U: load(0x15, 'i64', 2),
  load32U: load(0x16, 'i64', 4),
  store: store(0x18, 'i64', 8),
  store8: store(0x1b, 'i64', 1),
  store16: store(0x1c, 'i64', 2),
  store32: store(0x1d, 'i64', 4),
  rmwAdd: update(0x1f, 'i64', 8),
  rmw8AddU: update(0x22, 'i64', 1),
  rmw16AddU: update(0x23, 'i64', 2),
  rmw32AddU: update(0x24, 'i64', 4),
  rmwSub: update(0x26, 'i64', 8),
  rmw8SubU: update(0x29, 'i64', 1),
  rmw16SubU: update(0x2a, 'i64', 2),
  rmw32SubU: update(0x2b, 'i64', 4),
  rmwAnd: update(0x2d, 'i64', 8),
  rmw8AndU: update(0x30, 'i64', 1),
  rmw16AndU: update(0x31, 'i64', 2),
  rmw32AndU: update(0x32, 'i64', 4),
  rmwOr: update(0x34, 'i64', 8),
  rmw8OrU: update(0x37, 'i64', 1),
  rmw16OrU: update(0x38, 'i64', 2),
  rmw32OrU: update(0x39, 'i64', 4),
  rmwXor: update(0x3b, 'i64', 8),
  rmw8XorU: update(0x3e, 'i64', 1),
  rmw16XorU: update(0x3f, 'i64', 2),
  rmw32XorU: update(0x40, 'i64', 4),
  rmwXchg: update(0x42, 'i64', 8),
  rmw8XchgU: update(0x45, 'i64', 1),
  rmw16XchgU: update(0x46, 'i64', 2),
  rmw32XchgU: update(0x47, 'i64', 4),
  rmwCmpxchg: exchange(0x49, 'i64', 8),
  rmw8CmpxchgU: exchange(0x4c, 'i64', 1),
  rmw16CmpxchgU: exchange(0x4d, 'i64', 2),
  rmw32CmpxchgU: exchange(0x4e, 'i64', 4),
};
