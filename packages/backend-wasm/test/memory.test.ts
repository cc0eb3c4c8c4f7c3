/** Memory: the account, the allocator, addresses above 2 GiB, the weight on the collector. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Backend, Device, empty as emptyTensor } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WasmBackend, type WasmBuffer } from '../src/index.js';
import { Allocator } from '../src/memory/allocator.js';
import { FreeRanges } from '../src/memory/free-ranges.js';
import { LinearMemory } from '../src/memory/linear-memory.js';
import { empty, identity, make, single, values, type WasmView } from './views.js';

const MIB = 1024 * 1024;
const bytes = (...list: number[]): Uint8Array => new Uint8Array(Float32Array.from(list).buffer);

describe('buffers', () => {
  it('are counted, small and large, and the peak is remembered', () => {
    const wasm = new WasmBackend({ threads: 1 });
    const list = [wasm.allocate('float32', 3), wasm.allocate('bool', 5), wasm.allocate('float64', 1000), wasm.allocate('float16', 7)];
    expect(wasm.memory()).toMatchObject({ buffers: 4, bytes: 12 + 5 + 8000 + 14, peakBytes: 8031 });
    for (const buffer of list) wasm.free(buffer);
    wasm.free(list[0]);
    expect(wasm.memory()).toMatchObject({ buffers: 0, bytes: 0, peakBytes: 8031 });
    expect(() => wasm.readSync(list[0], 0, 1)).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_FREED' }));
  });

  it('are written and read anywhere, also when memory has grown meanwhile', async () => {
    for (const threads of [1, 2]) {
      const wasm = new WasmBackend({ threads });
      const first = wasm.allocate('float32', 4);
      wasm.write(first, 1, bytes(1, 2));
      const large = wasm.allocate('uint8', 200 * MIB);
      wasm.write(large, 200 * MIB - 3, Uint8Array.of(7, 8, 9));
      expect([...new Float32Array(wasm.readSync(first, 1, 2).buffer)]).toEqual([1, 2]);
      expect([...(await wasm.read(large, 200 * MIB - 3, 3))]).toEqual([7, 8, 9]);
      expect(() => wasm.write(first, 3, bytes(1, 2))).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_RANGE' }));
      expect(() => wasm.write(first, 0, new Uint8Array(3))).toThrow(expect.objectContaining({ code: 'ERR_BYTE_LENGTH' }));
      await wasm.dispose();
      expect(() => wasm.allocate('float32', 1)).toThrow(expect.objectContaining({ code: 'ERR_BACKEND_DISPOSED' }));
      expect(() => wasm.kernels.sort(null as never, 0, false, null as never, null as never)).toThrow(
        expect.objectContaining({ code: 'ERR_BACKEND_DISPOSED' }),
      );
    }
  });

  it('keep within the budget, and the error says what is live and by what', () => {
    const wasm = new WasmBackend({ threads: 1, maxBytes: 10_000 });
    const buffer = wasm.allocate('float32', 2000);
    const refused = (): WasmBuffer => wasm.allocate('int32', 600);
    expect(refused).toThrow(
      expect.objectContaining({
        code: 'ERR_OUT_OF_MEMORY',
        details: expect.objectContaining({ requestedBytes: 2400, liveBytes: 8000, liveBuffers: 1, maxBytes: 10_000 }),
      }),
    );
    expect(refused).toThrow('600 int32 elements (2400 bytes): 8000 bytes are live in 1 buffers (8000 of float32)');
    wasm.free(buffer);
    expect(refused().length).toBe(600);
  });

  it('are refused where the engine has no more', () => {
    const wasm = new WasmBackend({ threads: 1 });
    wasm.allocate('uint8', 2.5 * 1024 * MIB);
    expect(() => wasm.allocate('uint8', 2 * 1024 * MIB)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_MEMORY' }));
  });
});

describe('addresses above 2 GiB', () => {
  it.each([1, 2])('serve every kernel (%i threads)', async (threads) => {
    const wasm = new WasmBackend({ threads });
    // Never touched: no page of it becomes real.
    wasm.allocate('uint8', 2.1 * 1024 * MIB);
    const n = 1000;
    const view = (dtype: 'float32' | 'int32', list: ArrayLike<number>, shape = [n]): WasmView => make(wasm, dtype, shape, list);
    const numbers = Float32Array.from({ length: n }, (_, i) => ((i * 37) % n) - 500);
    const x = view('float32', numbers);
    expect(x.buffer.address).toBeGreaterThan(2 ** 31);
    const y = empty(wasm, 'float32', [n]);
    wasm.kernels.pointwise(single('add', ['float32', 'float32'], 'float32'), [], [x, x], [y]);
    expect(values(wasm, y)).toEqual(Array.from(numbers, (v) => 2 * v));
    const one = empty(wasm, 'float32', [1]);
    wasm.kernels.reduce('sum', identity('float32'), [], [x], one, [0]);
    expect(values(wasm, one)).toEqual([-500]);
    const square = { ...x, shape: [25, 40], strides: [40, 1] };
    const columns = empty(wasm, 'float32', [1, 40]);
    wasm.kernels.reduce('max', identity('float32'), [], [square], columns, [0]);
    expect(values(wasm, columns)[3]).toBe(Math.max(...numbers.filter((_, i) => i % 40 === 3)));
    const transposed = empty(wasm, 'float32', [40, 25]);
    wasm.kernels.pointwise(identity('float32'), [], [{ ...x, shape: [40, 25], strides: [1, 40] }], [transposed]);
    expect(values(wasm, transposed)[26]).toBe(numbers[41]);
    wasm.kernels.scan('sum', false, x, y, 0);
    expect(values(wasm, y)[n - 1]).toBe(-500);
    const places = empty(wasm, 'int32', [n]);
    wasm.kernels.sort(x, 0, true, y, places);
    expect(values(wasm, y)).toEqual(Array.from(numbers).sort((a, b) => b - a));
    const back = empty(wasm, 'float32', [n]);
    wasm.kernels.gather(x, places, 0, back);
    expect(values(wasm, back)).toEqual(values(wasm, y));
    wasm.kernels.scatter('set', places, back, 0, y);
    expect(values(wasm, y)).toEqual([...numbers]);
    const product = empty(wasm, 'float32', [1, 25, 25]);
    wasm.kernels.matmul({ ...x, shape: [1, 25, 40], strides: [0, 40, 1] }, { ...x, shape: [1, 40, 25], strides: [0, 1, 40] }, product);
    expect(values(wasm, product)[0]).toBeCloseTo(
      numbers.slice(0, 40).reduce((sum, v) => sum + v * v, 0),
      -1,
    );
    await wasm.dispose();
  });
});

describe('the allocator', () => {
  it('gives blocks that do not overlap, aligned, and takes them back for others', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ size: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 3 * MIB })), drop: fc.nat(7) }), {
          maxLength: 120,
        }),
        (steps) => {
          const allocator = new Allocator(new LinearMemory(false, 1024 * MIB));
          const live: { at: number; size: number }[] = [];
          for (const { size, drop } of steps) {
            const at = allocator.take(size);
            expect(at % (size > 1024 ? 64 : 16)).toBe(0);
            for (const other of live) expect(at + size <= other.at || other.at + other.size <= at).toBe(true);
            live.push({ at, size });
            if (drop < 4 && live.length > drop) {
              const [gone] = live.splice(drop, 1);
              allocator.give(gone.at, gone.size);
            }
            if (drop === 7) allocator.trim();
          }
          const before = allocator.freeBytes;
          for (const { at, size } of live) allocator.give(at, size);
          expect(allocator.freeBytes).toBeGreaterThanOrEqual(before);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reuses what was given back at once, and merges small pieces to large ones', () => {
    const memory = new LinearMemory(false, 64 * MIB);
    const allocator = new Allocator(memory);
    const first = allocator.take(40);
    allocator.give(first, 40);
    expect(allocator.take(33)).toBe(first);
    const pieces = Array.from({ length: 900 }, () => allocator.take(50_000));
    expect(allocator.take(30 * MIB)).toBe(-1);
    for (const at of pieces) allocator.give(at, 50_000);
    expect(allocator.take(30 * MIB)).toBeGreaterThan(0);
  });

  it('merges neighbouring ranges', () => {
    const ranges = new FreeRanges();
    ranges.give(100, 50);
    ranges.give(200, 50);
    expect(ranges.take(60)).toBe(-1);
    ranges.give(150, 50);
    expect(ranges.take(150)).toBe(100);
    expect(ranges.total).toBe(0);
  });
});

describe('handles that are dropped', () => {
  it('weigh what they stand for: the collector runs in time', async () => {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    const wasm = new WasmBackend({ threads: 1 });
    const device = new Device(wasm as unknown as Backend);
    // 9 GiB in all: without a weight it would all be live at the end.
    for (let i = 0; i < 300; i++) {
      for (let k = 0; k < 30; k++) emptyTensor([MIB / 4], { device }).realize();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(wasm.memory().peakBytes).toBeLessThan(2 * 1024 * MIB);
  });
});
