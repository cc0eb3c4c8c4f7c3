/**
 * @file Packing: a matrix of `lanes` x `k` elements, in any layout, becomes panels of `width` lanes in which the `width` values of each k lie
 * side by side. Both operands are packed by it: rows of the left one and columns of the right one are lanes.
 */
import { type FunctionBuilder, i32, type ModuleBuilder, v128 } from '../assembler/index.js';
import { type Callee, choose, inner, type I32, least, locals, transpose4 } from '../code/emit.js';
import type { Element } from './element.js';

/**
 * `(source, laneStride, kStride, lanes, k, to)`, strides in bytes. The last panel repeats the last lane where lanes run out: nothing is read
 * outside the matrix, and what comes of those is dropped. Up to a vector is written past the end of `to`.
 */
export function emitPack(module: ModuleBuilder, e: Element, width: number): Callee {
  return inner(module, `pack${width}`, ['source', 'laneStride', 'kStride', 'lanes', 'k', 'to'], (f, p) => {
    const panelBytes = width * e.size;
    const lane = f.local('i32');
    const left = f.local('i32');
    const at = locals(f, 'i32', width);
    const k = f.local('i32');
    const oneByOne = (): void => {
      f.for(k, k, p.k, 1, () => {
        at.forEach((pointer, i) => {
          f.emit(e.scalar.store(p.to, e.scalar.load(pointer), i * e.size));
          f.increment(pointer, p.kStride);
        });
        f.increment(p.to, panelBytes);
      });
    };
    f.set(lane, 0);
    f.if(i32.eq(p.laneStride, e.size), () => copyPanels(f, e, width, p, lane));
    f.while(
      () => i32.ltS(lane, p.lanes),
      () => {
        f.set(left, i32.sub(p.lanes, lane));
        f.set(k, 0);
        at.forEach((pointer, i) => {
          const place = i === 0 ? lane : i32.add(lane, choose(i32.ltS(i, left), i, i32.sub(left, 1)));
          f.set(pointer, i32.add(p.source, i32.mul(place, p.laneStride)));
        });
        if (e.lanes === 4) f.if(i32.eq(p.kStride, e.size), () => transposeRows(f, width, p, at, k));
        oneByOne();
        f.increment(lane, width);
      },
    );
  });
}

type Params = Readonly<Record<string, I32>>;

/** k's that {@link copyPanels} copies of one panel before it goes to the next. */
const CHUNK = 16;

/**
 * The lanes lie side by side already: copies all whole panels, and leaves `lane` and `to` behind them. A few k's of each panel at a time: a panel is but a
 * part of a cache line, and those of many k's would be gone when the next panel asks for the rest of them.
 */
function copyPanels(f: FunctionBuilder, e: Element, width: number, p: Params, lane: I32): void {
  const panelBytes = width * e.size;
  // Where the width is no multiple of a vector, the last store is overwritten by the next k's.
  const vectors = Math.ceil(width / e.lanes);
  const [whole, start, k, end, from, to, at, out, stop] = locals(f, 'i32', 9);
  f.set(whole, i32.sub(p.lanes, i32.remU(p.lanes, width)));
  f.set(from, p.source);
  f.set(start, p.to);
  f.set(to, start);
  f.for(k, 0, p.k, CHUNK, () => {
    f.set(end, i32.sub(p.k, k));
    f.set(end, i32.mul(least(end, CHUNK), panelBytes));
    f.set(out, to);
    f.for(lane, 0, whole, width, () => {
      f.set(at, i32.add(from, i32.mul(lane, e.size)));
      f.set(p.to, out);
      f.set(stop, i32.add(out, end));
      f.loop((again) => {
        for (let q = 0; q < vectors; q++) {
          const inside = (q + 1) * e.lanes <= width;
          if (inside) f.emit(v128.store(p.to, v128.load(at, q * 16), q * 16));
          else for (let i = q * e.lanes; i < width; i++) f.emit(e.scalar.store(p.to, e.scalar.load(at, i * e.size), i * e.size));
        }
        f.increment(at, p.kStride);
        f.brIf(again, i32.ne(p.to.tee(i32.add(p.to, panelBytes)), stop));
      });
      f.increment(out, i32.mul(p.k, panelBytes));
    });
    f.increment(from, i32.mul(p.kStride, CHUNK));
    f.increment(to, CHUNK * panelBytes);
  });
  f.set(lane, whole);
  f.set(p.to, i32.add(start, i32.mul(i32.mul(whole, e.size), p.k)));
}

/** Each lane's values lie side by side: 4 of each, transposed, as long as there are 4. Leaves `k` at the rest. */
function transposeRows(f: FunctionBuilder, width: number, p: Params, at: readonly I32[], k: I32): void {
  const groups: (readonly I32[])[] = [];
  for (let i = 0; i < width; i += 4) groups.push(at.slice(i, i + 4));
  f.while(
    () => i32.leS(i32.add(k, 4), p.k),
    () => {
      const rows = groups.map((group) =>
        transpose4(
          f,
          [0, 1, 2, 3].map((i) => f.local('v128', v128.load(group[Math.min(i, group.length - 1)]))),
        ),
      );
      for (let i = 0; i < 4; i++) rows.forEach((group, g) => f.emit(v128.store(p.to, group[i], i * width * 4 + g * 16)));
      f.increment(p.to, width * 16);
      for (const pointer of at) f.increment(pointer, 16);
      f.increment(k, 4);
    },
  );
}
