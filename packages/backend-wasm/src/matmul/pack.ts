/**
 * @file Packing: a matrix of `lanes` x `k` elements, in any layout, becomes panels of `width` lanes in which the `width` values of each k lie
 * side by side. Both operands are packed by it: rows of the left one and columns of the right one are lanes.
 */
import { type FunctionCode, type Local, type Value } from '../code/function-code.js';
import type { Callee, ModuleCode } from '../code/module-code.js';
import type { Element } from './element.js';

/**
 * `(source, laneStride, kStride, lanes, k, to)`, strides in bytes. The last panel repeats the last lane where lanes run out: nothing is read
 * outside the matrix, and what comes of those is dropped. Up to a vector is written past the end of `to`.
 */
export function emitPack(module: ModuleCode, e: Element, width: number): Callee {
  return module.inner(`pack${width}`, ['source', 'laneStride', 'kStride', 'lanes', 'k', 'to'], (f, p) => {
    const panelBytes = width * e.size;
    const lane = f.i32();
    const left = f.i32();
    const at = f.locals('i32', width);
    const end = f.i32();
    const k = f.i32();
    const oneByOne = (): void => {
      f.for(k, k, p.k, 1, () => {
        at.forEach((pointer, i) => {
          f.store(`${e.scalar}.store`, p.to, i * e.size, f.load(`${e.scalar}.load`, pointer));
          f.advance(pointer, p.kStride);
        });
        f.advance(p.to, panelBytes);
      });
    };
    f.for(lane, 0, p.lanes, width, () => {
      f.set(left, f.sub(p.lanes, lane));
      f.set(k, 0);
      f.if(
        f.and(f.eq(p.laneStride, e.size), f.ge(left, width)),
        () => copyRows(f, e, width, p, lane, at[0], end),
        () => {
          at.forEach((pointer, i) => {
            const place = i === 0 ? lane : f.add(lane, f.select(f.lt(i, left), i, f.sub(left, 1)));
            f.set(pointer, f.add(p.source, f.mul(place, p.laneStride)));
          });
          if (e.lanes === 4) f.if(f.eq(p.kStride, e.size), () => transposeRows(f, width, p, at, k));
          oneByOne();
        },
      );
    });
  });
}

type Params = Readonly<Record<string, Local>>;

/** The lanes lie side by side already. */
function copyRows(f: FunctionCode, e: Element, width: number, p: Params, lane: Value, at: Local, count: Local): void {
  const panelBytes = width * e.size;
  // Where the width is no multiple of a vector, the last store is overwritten by the next k's.
  const vectors = Math.ceil(width / e.lanes);
  f.set(at, f.add(p.source, f.mul(lane, e.size)));
  f.for(count, 0, p.k, 1, () => {
    for (let q = 0; q < vectors; q++) {
      const whole = (q + 1) * e.lanes <= width;
      if (whole) f.storeVector(p.to, q * 16, f.loadVector(at, q * 16));
      else
        for (let i = q * e.lanes; i < width; i++) f.store(`${e.scalar}.store`, p.to, i * e.size, f.load(`${e.scalar}.load`, at, i * e.size));
    }
    f.advance(p.to, panelBytes);
    f.advance(at, p.kStride);
  });
}

/** Each lane's values lie side by side: 4 of each, transposed, as long as there are 4. Leaves `k` at the rest. */
function transposeRows(f: FunctionCode, width: number, p: Params, at: readonly Local[], k: Local): void {
  const groups: (readonly Local[])[] = [];
  for (let i = 0; i < width; i += 4) groups.push(at.slice(i, i + 4));
  f.while(
    () => f.le(f.add(k, 4), p.k),
    () => {
      const rows = groups.map((group) => f.transpose4([0, 1, 2, 3].map((i) => f.v128(f.loadVector(group[Math.min(i, group.length - 1)])))));
      for (let i = 0; i < 4; i++) rows.forEach((group, g) => f.storeVector(p.to, i * width * 4 + g * 16, group[i]));
      f.advance(p.to, width * 16);
      for (const pointer of at) f.advance(pointer, 16);
      f.advance(k, 4);
    },
  );
}
