/** @file Pooling of any window in one to three dims, element by element, and 2x2 windows of stride 2 by vectors. Units are planes: images times channels. */
import { f32, i32, type ModuleBuilder } from '../assembler/index.js';
import { call, choose, locals, task } from '../code/emit.js';
import { emitGradOfPairs, emitMaxOfPairs } from './pairs.js';
import { POOL_FIELDS, PoolCode } from './pool-code.js';

export function emitPools(module: ModuleBuilder): void {
  const pair = emitMaxOfPairs(module);
  const spread = emitGradOfPairs(module);

  task(module, 'maxPool', POOL_FIELDS, (f, p, begin, end) => {
    const code = new PoolCode(f, p);
    const [x, y, i, place] = locals(f, 'i32', 4);
    const [best, value] = locals(f, 'f32', 2);
    f.for(begin, begin, end, 1, () => {
      f.set(x, code.plane(begin, 'x'));
      f.set(y, code.plane(begin, 'y'));
      f.set(i, code.plane(begin, 'i'));
      code.eachPlace(() => {
        f.set(best, f32.const(-Infinity));
        f.set(place, code.firstPlace());
        code.eachTap((offset, here) => {
          f.set(value, f32.load(i32.add(x, offset)));
          // A larger one, or the first NaN.
          f.if(i32.or(f32.gt(value, best), i32.and(f32.ne(value, value), f32.eq(best, best))), () => {
            f.set(best, value);
            f.set(place, here());
          });
        });
        f.emit(f32.store(i32.add(y, code.at('y')), best));
        f.if(p.i, () => f.emit(i32.store(i32.add(i, code.at('i')), place)));
      });
    });
  });

  task(module, 'maxPoolGrad', POOL_FIELDS, (f, p, begin, end) => {
    const code = new PoolCode(f, p);
    const [x, y, i, place, at, size] = locals(f, 'i32', 6);
    f.set(size, i32.mul(i32.mul(p.D, p.H), p.W));
    f.for(begin, begin, end, 1, () => {
      f.set(x, code.plane(begin, 'x'));
      f.set(y, code.plane(begin, 'y'));
      f.set(i, code.plane(begin, 'i'));
      code.clearPlane(x);
      code.eachPlace(() => {
        f.set(place, i32.load(i32.add(i, code.at('i'))));
        f.if(
          i32.ltU(place, size),
          () => {
            f.set(at, i32.mul(i32.remU(place, p.W), p.xW));
            f.set(place, i32.divU(place, p.W));
            f.set(at, i32.add(at, i32.add(i32.mul(i32.remU(place, p.H), p.xH), i32.mul(i32.divU(place, p.H), p.xD))));
            f.set(at, i32.add(x, at));
            f.emit(f32.store(at, f32.add(f32.load(at), f32.load(i32.add(y, code.at('y'))))));
          },
          () => f.emit(i32.store(p.flag, 1)),
        );
      });
    });
  });

  task(module, 'avgPool', POOL_FIELDS, (f, p, begin, end) => {
    const code = new PoolCode(f, p);
    const [x, y] = locals(f, 'i32', 2);
    const sum = f.local('f32');
    f.for(begin, begin, end, 1, () => {
      f.set(x, code.plane(begin, 'x'));
      f.set(y, code.plane(begin, 'y'));
      code.eachPlace(() => {
        f.set(sum, f32.const(0));
        code.eachTap((offset) => f.set(sum, f32.add(sum, f32.load(i32.add(x, offset)))));
        f.set(sum, f32.mul(sum, code.scale()));
        f.emit(f32.store(i32.add(y, code.at('y')), sum));
      });
    });
  });

  task(module, 'avgPoolGrad', POOL_FIELDS, (f, p, begin, end) => {
    const code = new PoolCode(f, p);
    const [x, y, at] = locals(f, 'i32', 3);
    const share = f.local('f32');
    f.for(begin, begin, end, 1, () => {
      f.set(x, code.plane(begin, 'x'));
      f.set(y, code.plane(begin, 'y'));
      code.clearPlane(x);
      code.eachPlace(() => {
        f.set(share, f32.load(i32.add(y, code.at('y'))));
        f.set(share, f32.mul(share, code.scale()));
        code.eachTap((offset) => {
          f.set(at, i32.add(x, offset));
          f.emit(f32.store(at, f32.add(f32.load(at), share)));
        });
      });
    });
  });

  // Windows of 2x2, stride 2, no padding; columns side by side in x, y and the indices, and at least four in y.
  task(module, 'maxPoolPairs', POOL_FIELDS, (f, p, begin, end) => {
    const code = new PoolCode(f, p);
    const [x, y, i, h, place] = locals(f, 'i32', 5);
    f.for(begin, begin, end, 1, () => {
      f.set(x, code.plane(begin, 'x'));
      f.set(y, code.plane(begin, 'y'));
      f.set(i, code.plane(begin, 'i'));
      f.set(place, 0);
      f.for(h, 0, p.PH, 1, () => {
        f.emit(call(pair, x, p.xH, p.PW, y, choose(p.i, i, 0), place, p.W));
        f.increment(x, i32.shl(p.xH, 1));
        f.increment(y, p.yH);
        f.increment(i, p.iH);
        f.increment(place, i32.shl(p.W, 1));
      });
    });
  });

  // The same windows; a plane with an index outside its own window is done again by the general way.
  task(module, 'maxPoolGradPairs', POOL_FIELDS, (f, p, begin, end) => {
    const code = new PoolCode(f, p);
    const [x, y, i, h, place] = locals(f, 'i32', 5);
    f.for(begin, begin, end, 1, () => {
      f.set(x, code.plane(begin, 'x'));
      f.set(y, code.plane(begin, 'y'));
      f.set(i, code.plane(begin, 'i'));
      // Odd sizes leave a row or a column that no window reaches.
      f.if(i32.or(i32.ne(i32.shl(p.PW, 1), p.W), i32.ne(i32.shl(p.PH, 1), p.H)), () => code.clearPlane(x));
      f.set(place, 0);
      f.for(h, 0, p.PH, 1, () => {
        f.emit(call(spread, x, p.xH, p.PW, y, i, place, p.W, p.flag));
        f.increment(x, i32.shl(p.xH, 1));
        f.increment(y, p.yH);
        f.increment(i, p.iH);
        f.increment(place, i32.shl(p.W, 1));
      });
    });
  });
}
