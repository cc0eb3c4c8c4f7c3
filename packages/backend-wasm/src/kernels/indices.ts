/** @file Checking the indices of gather and scatter before anything is written. */
import { failIndexRange, indexLoops, type View, walkRows } from '@tessera/core/backend';
import { i32, i32x4, type Local, v128 } from '../assembler/index.js';
import type { Machine } from '../machine/machine.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';

type Check = (address: number, stride: number, count: number, size: number) => number;

export class IndexCheck {
  readonly #check: Check;

  constructor(readonly machine: Machine) {
    const module = machine.newModule();
    // 1 where an index (count of them, stride bytes apart) lies outside [0, size).
    module.function(
      'check',
      { at: 'i32', stride: 'i32', count: 'i32', size: 'i32' },
      'i32',
      (f, { at, stride, count, size }) => {
        f.if(i32.eq(stride, 4), () => {
          const bad = f.local('v128');
          const limit = f.local('v128', i32x4.splat(size));
          f.while(
            () => i32.geU(count, 4),
            () => {
              f.set(bad, v128.or(bad, i32x4.geU(v128.load(at), limit)));
              f.increment(at, 16);
              f.increment(count, -4);
            },
          );
          f.if(v128.anyTrue(bad), () => f.return(i32.const(1)));
        });
        f.while(
          () => count,
          () => {
            f.if(i32.geU(i32.load(at), size), () => f.return(i32.const(1)));
            f.increment(at, stride as Local<'i32'>);
            f.increment(count, -1);
          },
        );
        f.return(i32.const(0));
      },
      { export: true },
    );
    this.#check = machine.compile(module).fn<Check>('check');
  }

  /** @throws IndexError `ERR_INDEX_RANGE` when an index lies outside [0, size). */
  run(op: string, indices: View<WasmBuffer>, dim: number, size: number): void {
    const { buffer, offset } = indices;
    const loops = indexLoops(indices);
    const last = loops.shape.length - 1;
    const count = loops.shape[last];
    const step = loops.strides[0][last] * 4;
    let bad = 0;
    walkRows(loops, [offset], ([at]) => {
      bad |= this.#check(buffer.address + at * 4, step, count, size);
    });
    const words = this.machine.linear.i32;
    if (bad !== 0) failIndexRange(op, 'wasm', indices, dim, size, (place) => words[buffer.address / 4 + place]);
  }
}
