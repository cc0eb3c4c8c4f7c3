/**
 * @file Between tensors and the padded planes on which convolutions run.
 *
 * A padded plane has zeros around its data, so that no tap needs a test, and rows so long that one zero column may serve the end of a row and the
 * start of the next. Where a convolution moves by s positions, a plane is stored as s interleaved planes for each dim (its phases): the values that
 * one tap reads at successive positions then lie side by side, and every convolution is one of stride 1 over a table of offsets.
 */
import { copyWords } from '../code/rows.js';
import type { Callee, ModuleCode } from '../code/module-code.js';

const SPREAD = [
  ...['from', 'planes', 'fromPlane', 'D', 'H', 'W', 'fromD', 'fromH', 'fromW'],
  ...['to', 'toPlane', 'padD', 'padH', 'padW', 'stepD', 'stepH', 'stepW', 'rowBytes', 'sliceBytes', 'phaseBytes'],
];

/** Copies planes of any strides into padded planes, whose zeros are there already. */
export function emitSpread(module: ModuleCode): Callee {
  return module.inner('spread', SPREAD, (f, p) => {
    const [c, d, h, u, plane, slice, row, base, x, at, to, last, bytes, r, first] = f.locals('i32', 15);
    const rowOf = (place: typeof u, step: typeof u): void => {
      // The phases of a dim come before its rows.
      f.set(base, f.add(f.mul(f.rem(place, step), f.mul(p.stepW, p.phaseBytes)), f.mul(f.div(place, step), p.rowBytes)));
    };
    f.set(bytes, f.mul(p.W, 4));
    f.set(plane, p.from);
    f.for(c, 0, p.planes, 1, () => {
      f.set(slice, plane);
      f.for(d, 0, p.D, 1, () => {
        f.set(u, f.add(d, p.padD));
        f.set(first, f.mul(f.rem(u, p.stepD), f.mul(f.mul(p.stepH, p.stepW), p.phaseBytes)));
        f.set(first, f.add(f.add(p.to, first), f.mul(f.div(u, p.stepD), p.sliceBytes)));
        f.set(row, slice);
        f.for(h, 0, p.H, 1, () => {
          f.set(u, f.add(h, p.padH));
          rowOf(u, p.stepH);
          f.set(base, f.add(base, first));
          f.if(
            f.and(f.eq(p.stepW, 1), f.eq(p.fromW, 4)),
            () => {
              f.set(to, f.add(base, f.mul(p.padW, 4)));
              copyWords(f, to, row, bytes, at, last);
            },
            () =>
              f.for(r, 0, p.stepW, 1, () => {
                // The first place of this phase.
                f.set(x, f.op('i32.rem_s', f.sub(r, p.padW), p.stepW));
                f.set(x, f.select(f.lt(x, 0), f.add(x, p.stepW), x));
                f.set(to, f.add(f.add(base, f.mul(r, p.phaseBytes)), f.mul(f.div(f.add(x, p.padW), p.stepW), 4)));
                f.set(at, f.add(row, f.mul(x, p.fromW)));
                f.set(last, f.mul(p.stepW, p.fromW));
                f.while(
                  () => f.lt(x, p.W),
                  () => {
                    f.storeF32(to, 0, f.loadF32(at));
                    f.advance(to, 4);
                    f.advance(at, last);
                    f.advance(x, p.stepW);
                  },
                );
              }),
          );
          f.advance(row, p.fromH);
        });
        f.advance(slice, p.fromD);
      });
      f.advance(plane, p.fromPlane);
      f.advance(p.to, p.toPlane);
    });
  });
}

/**
 * `(from, fromPlane, planes, start, count, pitch, width, to, toPlane, toH, toW)`: takes the positions start … start + count − 1 of flat planes (rows of `width`
 * that lie `pitch` elements apart; `from` holds the first) to where they belong.
 */
export function emitCrop(module: ModuleCode): Callee {
  return module.inner('crop', ['from', 'fromPlane', 'planes', 'start', 'count', 'pitch', 'width', 'to', 'toPlane', 'toH', 'toW'], (f, p) => {
    const [c, t, end, x, n, at, last, source, target] = f.locals('i32', 9);
    f.set(end, f.add(p.start, p.count));
    f.for(c, 0, p.planes, 1, () => {
      f.set(t, p.start);
      f.set(source, p.from);
      f.while(
        () => f.lt(t, end),
        () => {
          f.set(x, f.rem(t, p.pitch));
          f.set(n, f.sub(p.width, x));
          f.set(at, f.sub(end, t));
          f.set(n, f.min(n, at));
          f.if(f.lt(0, n), () => {
            f.set(target, f.add(p.to, f.add(f.mul(f.div(t, p.pitch), p.toH), f.mul(x, p.toW))));
            f.if(
              f.eq(p.toW, 4),
              () => {
                f.set(n, f.mul(n, 4));
                copyWords(f, target, source, n, at, last);
              },
              () => {
                f.set(last, source);
                f.while(
                  () => n,
                  () => {
                    f.storeF32(target, 0, f.loadF32(last));
                    f.advance(target, p.toW);
                    f.advance(last, 4);
                    f.advance(n, -1);
                  },
                );
              },
            );
          });
          f.set(x, f.sub(p.pitch, x));
          f.advance(t, x);
          f.advance(source, f.mul(x, 4));
        },
      );
      f.advance(p.from, p.fromPlane);
      f.advance(p.to, p.toPlane);
    });
  });
}
