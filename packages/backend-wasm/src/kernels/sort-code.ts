/**
 * @file Sorting lines as records of a key and a place. Keys are unsigned integers in the order of the values, NaN last, both zeros alike (inverted for
 * descending order), so a stable order is what any of the algorithms gives: insertion for short lines, else one pass of counting for each byte of the
 * key that is not the same in all records (a radix sort from the lowest byte).
 */
import { type DType, DTYPE_INFO } from '@tessera/core/backend';
import {
  call,
  type Expr,
  f32,
  f64,
  type FunctionBuilder,
  i32,
  i64,
  type Local,
  memory,
  type ModuleBuilder,
  select,
} from '../assembler/index.js';
import { copyElement } from './elements.js';
import { Words } from './plane-arguments.js';

type I32 = Local<'i32'>;
type I64 = Local<'i64'>;

/**
 * Addresses of the first line; the dim's size and strides; lines a group, and the strides between lines in it; scratch, and the bytes of it that a
 * thread has; whether to sort downward.
 */
export const SORT_WORDS = new Words([
  'input',
  'values',
  'indices',
  'count',
  'inputStep',
  'valuesStep',
  'indicesStep',
  'inputLine',
  'valuesLine',
  'indicesLine',
  'scratch',
  'scratchStride',
  'descending',
]);

/** Up to here insertion is faster. */
const SHORT = 40;
/** Bytes of a record: the key (8 bytes, of which narrow dtypes use some) and the place. */
const RECORD = 16;
const DIGITS = 256;
/** Counts of one byte's values. */
const COUNTS_BYTES = DIGITS * 4;

/** The scratch that a thread needs: two lists of records, and the counts. */
export const sortScratch = (count: number): number => 2 * RECORD * count + COUNTS_BYTES;

const MAX = 0xffffffffffffffffn;

/** The key of the value at `at`: its order as an unsigned integer. */
function keyOf(f: FunctionBuilder, dtype: DType, at: I32): Expr<'i64'> {
  switch (dtype) {
    case 'float64': {
      const x = f.local('f64', f64.load(at));
      // −0 + 0 is 0.
      const bits = f.local('i64', i64.reinterpretF64(f64.add(x, 0)));
      const ordered = i64.xor(bits, i64.or(i64.shrS(bits, 63), i64.const(1n << 63n)));
      return select(f64.eq(x, x), ordered, i64.const(MAX));
    }
    case 'float32': {
      const x = f.local('f32', f32.load(at));
      const bits = f.local('i32', i32.reinterpretF32(f32.add(x, 0)));
      const ordered = i32.xor(bits, i32.or(i32.shrS(bits, 31), i32.const(0x80000000 | 0)));
      return i64.extendI32U(select(f32.eq(x, x), ordered, i32.const(-1)));
    }
    case 'int32':
      return i64.extendI32U(i32.xor(i32.load(at), i32.const(0x80000000 | 0)));
    default:
      return i64.extendI32U(i32.load8U(at));
  }
}

/** Units of work are lines. */
export function emitSort(module: ModuleBuilder, dtype: DType): void {
  const { size } = DTYPE_INFO[dtype];
  const keyBytes = dtype === 'bool' ? 1 : size;
  const insertion = emitInsertion(module);
  const radix = emitRadix(module);
  module.function(
    'run',
    { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' },
    'void',
    (f, { args, begin, end, thread }) => {
      const w = SORT_WORDS.read(f, args);
      const records = f.local('i32', i32.add(w.scratch, i32.mul(thread, w.scratchStride)));
      const bytes = f.local('i32', i32.mul(w.count, RECORD));
      const stop = f.local('i32', i32.add(records, bytes));
      const mask = f.local('i64', select(w.descending, i64.const(keyBytes === 8 ? MAX : (1n << BigInt(8 * keyBytes)) - 1n), i64.const(0)));
      const [from, to, at, place, sorted] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      f.loop((nextLine) => {
        f.set(from, i32.add(w.input, i32.mul(begin, w.inputLine)));
        f.set(place, 0);
        f.for(at, records, stop, RECORD, () => {
          f.emit(i64.store(at, i64.xor(keyOf(f, dtype, from), mask)), i32.store(at, place, 8));
          f.increment(from, w.inputStep);
          f.increment(place, 1);
        });
        f.set(sorted, records);
        f.if(
          i32.leU(w.count, SHORT),
          () => f.emit(insertion(records, stop)),
          () => f.set(sorted, radix(records, stop, bytes, keyBytes)),
        );
        // The values come from the input, whose bits the keys do not always have.
        f.set(from, i32.add(w.input, i32.mul(begin, w.inputLine)));
        f.set(to, i32.add(w.values, i32.mul(begin, w.valuesLine)));
        const indices = f.local('i32', i32.add(w.indices, i32.mul(begin, w.indicesLine)));
        const last = f.local('i32', i32.add(sorted, bytes));
        f.for(at, sorted, last, RECORD, () => {
          f.set(place, i32.load(at, 8));
          f.emit(copyElement(size, to, i32.add(from, i32.mul(place, w.inputStep))), i32.store(indices, place));
          f.increment(to, w.valuesStep);
          f.increment(indices, w.indicesStep);
        });
        f.brIf(nextLine, i32.ltU(begin.tee(i32.add(begin, 1)), end));
      });
    },
    { export: true },
  );
}

type CallVoid = (records: I32, stop: I32) => Expr<'void'>;

/** Straight insertion: equal keys keep their order. */
function emitInsertion(module: ModuleBuilder): CallVoid {
  const ref = module.function('insertion', { records: 'i32', stop: 'i32' }, 'void', (f, { records, stop }) => {
    const [at, hole] = [f.local('i32'), f.local('i32')];
    const key: I64 = f.local('i64');
    const place = f.local('i32');
    f.for(at, i32.add(records, RECORD), stop, RECORD, () => {
      f.set(key, i64.load(at));
      f.set(place, i32.load(at, 8));
      f.set(hole, at);
      f.block((found) =>
        f.loop((again) => {
          f.brIf(found, i32.eq(hole, records));
          f.brIf(found, i64.leU(i64.load(i32.sub(hole, RECORD)), key));
          f.emit(i64.store(hole, i64.load(i32.sub(hole, RECORD))), i32.store(hole, i32.load(i32.sub(hole, RECORD), 8), 8));
          f.increment(hole, -RECORD);
          f.br(again);
        }),
      );
      f.emit(i64.store(hole, key), i32.store(hole, place, 8));
    });
  });
  return (records, stop) => call(ref, records, stop);
}

type CallRadix = (records: I32, stop: I32, bytes: I32, keyBytes: number) => Expr<'i32'>;

/** Counts, places, moves, for each byte from the lowest; gives where the records are at last: in the first list or the second. */
function emitRadix(module: ModuleBuilder): CallRadix {
  const ref = module.function(
    'radix',
    { records: 'i32', stop: 'i32', bytes: 'i32', keyBytes: 'i32' },
    'i32',
    (f, { records, stop, bytes, keyBytes }) => {
      const other = f.local('i32', i32.add(records, bytes));
      const counts = f.local('i32', i32.add(other, bytes));
      const countsEnd = f.local('i32', i32.add(counts, COUNTS_BYTES));
      const source = f.local('i32', records);
      const target = f.local('i32', other);
      const end = f.local('i32', stop);
      const [digit, at, slot, sum, n] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      const slotOf = (): Expr<'i32'> => i32.add(counts, i32.shl(i32.load8U(i32.add(at, digit)), 2));
      f.doWhile(
        () => {
          f.emit(memory.fill(counts, 0, COUNTS_BYTES));
          f.for(at, source, end, RECORD, () => {
            f.set(slot, slotOf());
            f.emit(i32.store(slot, i32.add(i32.load(slot), 1)));
          });
          // A byte that all keys share orders nothing.
          f.set(at, source);
          f.set(slot, slotOf());
          f.if(i32.ne(i32.mul(i32.load(slot), RECORD), bytes), () => {
            f.set(sum, target);
            f.for(at, counts, countsEnd, 4, () => {
              f.set(n, i32.load(at));
              f.emit(i32.store(at, sum));
              f.increment(sum, i32.mul(n, RECORD));
            });
            f.for(at, source, end, RECORD, () => {
              f.set(slot, slotOf());
              f.set(n, i32.load(slot));
              f.emit(i32.store(slot, i32.add(n, RECORD)));
              f.emit(i64.store(n, i64.load(at)), i32.store(n, i32.load(at, 8), 8));
            });
            f.set(n, source);
            f.set(source, target);
            f.set(target, n);
            f.set(end, i32.add(source, bytes));
          });
        },
        () => i32.ltU(digit.tee(i32.add(digit, 1)), keyBytes),
      );
      f.return(source);
    },
  );
  return (records, stop, bytes, keyBytes) => call(ref, records, stop, bytes, keyBytes);
}
