/**
 * @file Between tensors and the padded planes on which convolutions run.
 *
 * A padded plane has zeros around its data, so that no tap needs a test, and rows so long that one zero column may serve the end of a row and the
 * start of the next. Where a convolution moves by s positions, a plane is stored as s interleaved planes for each dim (its phases): the values that
 * one tap reads at successive positions then lie side by side, and every convolution is one of stride 1 over a table of offsets.
 */
import { f32, i32, type ModuleBuilder } from '../assembler/index.js';
import { type Callee, choose, inner, least, locals, words } from '../code/emit.js';
import { copyWords } from '../code/rows.js';

const SPREAD = words(
  'from planes fromPlane D H W fromD fromH fromW',
  'to toPlane padD padH padW stepD stepH stepW rowBytes sliceBytes phaseBytes',
);

/** Copies planes of any strides into padded planes, whose zeros are there already. */
export function emitSpread(module: ModuleBuilder): Callee {
  return inner(module, 'spread', SPREAD, (f, p) => {
    const [c, d, h, u, plane, slice, row, base, x, at, to, last, bytes, r, first] = locals(f, 'i32', 15);
    const rowOf = (place: typeof u, step: typeof u): void => {
      // The phases of a dim come before its rows.
      f.set(base, i32.add(i32.mul(i32.remU(place, step), i32.mul(p.stepW, p.phaseBytes)), i32.mul(i32.divU(place, step), p.rowBytes)));
    };
    f.set(bytes, i32.mul(p.W, 4));
    f.set(plane, p.from);
    f.for(c, 0, p.planes, 1, () => {
      f.set(slice, plane);
      f.for(d, 0, p.D, 1, () => {
        f.set(u, i32.add(d, p.padD));
        f.set(first, i32.mul(i32.remU(u, p.stepD), i32.mul(i32.mul(p.stepH, p.stepW), p.phaseBytes)));
        f.set(first, i32.add(i32.add(p.to, first), i32.mul(i32.divU(u, p.stepD), p.sliceBytes)));
        f.set(row, slice);
        f.for(h, 0, p.H, 1, () => {
          f.set(u, i32.add(h, p.padH));
          rowOf(u, p.stepH);
          f.set(base, i32.add(base, first));
          f.if(
            i32.and(i32.eq(p.stepW, 1), i32.eq(p.fromW, 4)),
            () => {
              f.set(to, i32.add(base, i32.mul(p.padW, 4)));
              copyWords(f, to, row, bytes, at, last);
            },
            () =>
              f.for(r, 0, p.stepW, 1, () => {
                // The first place of this phase.
                f.set(x, i32.remS(i32.sub(r, p.padW), p.stepW));
                f.set(x, choose(i32.ltS(x, 0), i32.add(x, p.stepW), x));
                f.set(to, i32.add(i32.add(base, i32.mul(r, p.phaseBytes)), i32.mul(i32.divU(i32.add(x, p.padW), p.stepW), 4)));
                f.set(at, i32.add(row, i32.mul(x, p.fromW)));
                f.set(last, i32.mul(p.stepW, p.fromW));
                f.while(
                  () => i32.ltS(x, p.W),
                  () => {
                    f.emit(f32.store(to, f32.load(at)));
                    f.increment(to, 4);
                    f.increment(at, last);
                    f.increment(x, p.stepW);
                  },
                );
              }),
          );
          f.increment(row, p.fromH);
        });
        f.increment(slice, p.fromD);
      });
      f.increment(plane, p.fromPlane);
      f.increment(p.to, p.toPlane);
    });
  });
}

/**
 * `(from, fromPlane, planes, start, count, pitch, width, to, toPlane, toH, toW)`: takes the positions start … start + count − 1 of flat planes (rows of `width`
 * that lie `pitch` elements apart; `from` holds the first) to where they belong.
 */
export function emitCrop(module: ModuleBuilder): Callee {
  return inner(
    module,
    'crop',
    ['from', 'fromPlane', 'planes', 'start', 'count', 'pitch', 'width', 'to', 'toPlane', 'toH', 'toW'],
    (f, p) => {
      const [c, t, end, x, n, at, last, source, target] = locals(f, 'i32', 9);
      f.set(end, i32.add(p.start, p.count));
      f.for(c, 0, p.planes, 1, () => {
        f.set(t, p.start);
        f.set(source, p.from);
        f.while(
          () => i32.ltS(t, end),
          () => {
            f.set(x, i32.remU(t, p.pitch));
            f.set(n, i32.sub(p.width, x));
            f.set(at, i32.sub(end, t));
            f.set(n, least(n, at));
            f.if(i32.ltS(0, n), () => {
              f.set(target, i32.add(p.to, i32.add(i32.mul(i32.divU(t, p.pitch), p.toH), i32.mul(x, p.toW))));
              f.if(
                i32.eq(p.toW, 4),
                () => {
                  f.set(n, i32.mul(n, 4));
                  copyWords(f, target, source, n, at, last);
                },
                () => {
                  f.set(last, source);
                  f.while(
                    () => n,
                    () => {
                      f.emit(f32.store(target, f32.load(last)));
                      f.increment(target, p.toW);
                      f.increment(last, 4);
                      f.increment(n, -1);
                    },
                  );
                },
              );
            });
            f.set(x, i32.sub(p.pitch, x));
            f.increment(t, x);
            f.increment(source, i32.mul(x, 4));
          },
        );
        f.increment(p.from, p.fromPlane);
        f.increment(p.to, p.toPlane);
      });
    },
  );
}
