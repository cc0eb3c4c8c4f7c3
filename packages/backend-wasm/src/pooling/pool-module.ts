/** @file Pooling of any window in one to three dims, element by element, and 2x2 windows of stride 2 by vectors. Units are planes: images times channels. */
import { type Expr, f32, f32x4, type FunctionBuilder, i32, i32x4, memory, type ModuleBuilder, v128 } from '../assembler/index.js';
import { type Callee, call, choose, type I32, inner, least, locals, task, type V128, words } from '../code/emit.js';

/**
 * Planes of x (sizes D, H, W) and of y (PD, PH, PW), and of the indices `i` (address 0: none). Strides in bytes. `divisor`: of a mean, 1 for the window's part in
 * the padded input, 0 for its part in the input, else a float's bits (1 is the bits of no divisor). `flag` is set where an index lies outside.
 */
export const POOL_FIELDS = words(
  'channels x xN xC xD xH xW y yN yC yD yH yW i iN iC iD iH iW',
  'D H W PD PH PW kD kH kW sD sH sW pD pH pW dD dH dW',
  'divisor flag',
);

type Fields = Readonly<Record<(typeof POOL_FIELDS)[number], I32>>;
type Dim = 'D' | 'H' | 'W';

/** The part of a window that lies inside the input along one dim: coordinates first, first + dilation, … below end. */
interface Reach {
  readonly start: I32;
  readonly first: I32;
  readonly end: I32;
}

class PoolCode {
  readonly reach: Readonly<Record<Dim, Reach>>;
  readonly places: Readonly<Record<Dim, I32>>;
  readonly window: Readonly<Record<Dim, I32>>;
  readonly #n: I32;
  readonly #c: I32;

  constructor(
    readonly f: FunctionBuilder,
    readonly p: Fields,
  ) {
    const reach = (): Reach => ({ start: f.local('i32'), first: f.local('i32'), end: f.local('i32') });
    this.reach = { D: reach(), H: reach(), W: reach() };
    this.places = { D: f.local('i32'), H: f.local('i32'), W: f.local('i32') };
    this.window = { D: f.local('i32'), H: f.local('i32'), W: f.local('i32') };
    [this.#n, this.#c] = locals(f, 'i32', 2);
  }

  /** The address of a plane. */
  plane(unit: I32, of: 'x' | 'y' | 'i'): Expr<'i32'> {
    const { f, p } = this;
    f.set(this.#n, i32.divU(unit, p.channels));
    f.set(this.#c, i32.remU(unit, p.channels));
    return i32.add(p[of], i32.add(i32.mul(this.#n, p[`${of}N`]), i32.mul(this.#c, p[`${of}C`])));
  }

  /** Where a place of y (or of the indices) lies in its plane. */
  at(of: 'y' | 'i'): Expr<'i32'> {
    const { p, places } = this;
    return i32.add(i32.mul(places.D, p[`${of}D`]), i32.add(i32.mul(places.H, p[`${of}H`]), i32.mul(places.W, p[`${of}W`])));
  }

  /** Walks over the places of y. */
  eachPlace(body: () => void): void {
    const { f, p, places } = this;
    f.for(places.D, 0, p.PD, 1, () => {
      this.#look('D');
      f.for(places.H, 0, p.PH, 1, () => {
        this.#look('H');
        f.for(places.W, 0, p.PW, 1, () => {
          this.#look('W');
          body();
        });
      });
    });
  }

  #look(dim: Dim): void {
    const { f, p } = this;
    const { start, first, end } = this.reach[dim];
    const dilation = p[`d${dim}`];
    f.set(start, i32.sub(i32.mul(this.places[dim], p[`s${dim}`]), p[`p${dim}`]));
    f.set(first, start);
    f.while(
      () => i32.ltS(first, 0),
      () => f.increment(first, dilation),
    );
    f.set(end, i32.add(start, i32.mul(p[`k${dim}`], dilation)));
    f.set(end, least(end, p[dim]));
  }

  /** Walks over those elements of the window that lie inside the input: `body(address from the plane, place in the plane)`. */
  eachTap(body: (offset: Expr<'i32'>, place: () => Expr<'i32'>) => void): void {
    const { f, p, reach, window } = this;
    const along = (dim: Dim, then: () => void): void => {
      f.set(window[dim], reach[dim].first);
      f.while(
        () => i32.ltS(window[dim], reach[dim].end),
        () => {
          then();
          f.increment(window[dim], p[`d${dim}`]);
        },
      );
    };
    along('D', () =>
      along('H', () =>
        along('W', () =>
          body(i32.add(i32.mul(window.D, p.xD), i32.add(i32.mul(window.H, p.xH), i32.mul(window.W, p.xW))), () =>
            this.#place(window.D, window.H, window.W),
          ),
        ),
      ),
    );
  }

  #place(d: I32, h: I32, w: I32): Expr<'i32'> {
    return i32.add(i32.mul(i32.add(i32.mul(d, this.p.H), h), this.p.W), w);
  }

  firstPlace(): Expr<'i32'> {
    const { D, H, W } = this.reach;
    return this.#place(D.first, H.first, W.first);
  }

  /** 1 / the divisor of the mean at this place. */
  scale(): Expr<'f32'> {
    const { f, p, reach } = this;
    const count = f.local('i32');
    const factor = f.local('f32');
    const size = f.local('i32');
    const times = (dim: Dim, inPadding: boolean): void => {
      const { start, first, end } = reach[dim];
      const dilation = p[`d${dim}`];
      // In ceil mode the last window may reach beyond the padding.
      const from = inPadding ? start : first;
      f.set(size, inPadding ? i32.add(p[dim], p[`p${dim}`]) : end);
      f.set(size, i32.divS(i32.add(i32.sub(size, from), i32.sub(dilation, 1)), dilation));
      f.set(size, choose(i32.ltS(size, 0), 0, size));
      f.set(size, least(size, p[`k${dim}`]));
      f.set(count, i32.mul(count, size));
    };
    f.if(
      i32.gtU(p.divisor, 1),
      () => f.set(factor, f32.div(f32.const(1), f32.reinterpretI32(p.divisor))),
      () => {
        f.set(count, 1);
        f.if(
          p.divisor,
          () => (['D', 'H', 'W'] as const).forEach((dim) => times(dim, true)),
          () => (['D', 'H', 'W'] as const).forEach((dim) => times(dim, false)),
        );
        f.set(factor, f32.div(f32.const(1), f32.convertI32S(count)));
      },
    );
    return factor;
  }

  /** Sets a plane of x to 0. */
  clearPlane(plane: I32): void {
    const { f, p, window } = this;
    const whole = i32.and(
      i32.eq(p.xW, 4),
      i32.and(i32.eq(p.xH, i32.shl(p.W, 2)), i32.or(i32.eq(p.D, 1), i32.eq(p.xD, i32.mul(p.xH, p.H)))),
    );
    f.if(
      whole,
      () => f.emit(memory.fill(plane, 0, i32.shl(i32.mul(i32.mul(p.D, p.H), p.W), 2))),
      () =>
        f.for(window.D, 0, p.D, 1, () =>
          f.for(window.H, 0, p.H, 1, () =>
            f.for(window.W, 0, p.W, 1, () => {
              const offset = i32.add(i32.mul(window.D, p.xD), i32.add(i32.mul(window.H, p.xH), i32.mul(window.W, p.xW)));
              f.emit(f32.store(i32.add(plane, offset), f32.const(0)));
            }),
          ),
        ),
    );
  }
}

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

const EVEN = [0, 2, 4, 6];
const ODD = [1, 3, 5, 7];

/** Walks over `count` (4 or more) columns of results four at a time; the last four overlap those before. */
function eachFour(f: FunctionBuilder, count: I32, body: (column: I32) => void): void {
  const [column, last] = locals(f, 'i32', 2);
  f.set(last, i32.sub(count, 4));
  f.set(column, 0);
  f.while(
    () => i32.ltS(column, last),
    () => {
      body(column);
      f.increment(column, 4);
    },
  );
  f.set(column, last);
  body(column);
}

/** `(x, xRow, count, y, indices, place, width)`: one row of results; `place` is that of the row's first element in its plane. */
function emitMaxOfPairs(module: ModuleBuilder): Callee {
  return inner(module, 'maxOfPairs', ['x', 'xRow', 'count', 'y', 'indices', 'place', 'width'], (f, p) => {
    const [best, where, first, wins] = locals(f, 'v128', 4);
    const [at, second] = locals(f, 'i32', 2);
    const width = f.local('v128', i32x4.splat(p.width));
    /** The four values of four windows, by their places. */
    const read = (column: I32): readonly V128[] => {
      f.set(at, i32.add(p.x, i32.shl(column, 3)));
      f.set(second, i32.add(at, p.xRow));
      const [a, b] = [f.local('v128', v128.load(at)), f.local('v128', v128.load(at, 16))];
      const [c, d] = [f.local('v128', v128.load(second)), f.local('v128', v128.load(second, 16))];
      return [f32x4.shuffle(EVEN, a, b), f32x4.shuffle(ODD, a, b), f32x4.shuffle(EVEN, c, d), f32x4.shuffle(ODD, c, d)].map((v) =>
        f.local('v128', v),
      );
    };
    const values = (): void =>
      eachFour(f, p.count, (column) => {
        const [start, ...others] = read(column);
        f.set(best, start);
        for (const value of others) {
          f.set(wins, v128.or(f32x4.gt(value, best), f32x4.ne(value, value)));
          f.set(best, v128.bitselect(value, best, wins));
        }
        f.emit(v128.store(i32.add(p.y, i32.shl(column, 2)), best));
      });
    const valuesAndPlaces = (): void =>
      eachFour(f, p.count, (column) => {
        const [start, right, below, diagonal] = read(column);
        f.set(first, i32x4.add(i32x4.splat(i32.add(p.place, i32.shl(column, 1))), i32x4.const(0, 2, 4, 6)));
        f.set(best, start);
        f.set(where, first);
        const challenge = (value: V128, place: Expr<'v128'>): void => {
          // A larger one, or NaN where there was none.
          const nan = v128.andnot(f32x4.ne(value, value), f32x4.ne(best, best));
          f.set(wins, v128.or(f32x4.gt(value, best), nan));
          f.set(best, v128.bitselect(value, best, wins));
          f.set(where, v128.bitselect(place, where, wins));
        };
        challenge(right, i32x4.add(first, 1));
        challenge(below, i32x4.add(first, width));
        challenge(diagonal, i32x4.add(i32x4.add(first, width), 1));
        f.emit(v128.store(i32.add(p.y, i32.shl(column, 2)), best));
        f.emit(v128.store(i32.add(p.indices, i32.shl(column, 2)), where));
      });
    f.if(p.indices, valuesAndPlaces, values);
  });
}

/** `(x, xRow, count, y, indices, place, width, flag)`: the gradient of one row of results; `flag` is set where an index lies outside its window. */
function emitGradOfPairs(module: ModuleBuilder): Callee {
  return inner(module, 'gradOfPairs', ['x', 'xRow', 'count', 'y', 'indices', 'place', 'width', 'flag'], (f, p) => {
    const [g, where, first, found] = locals(f, 'v128', 4);
    const at = f.local('i32');
    const width = f.local('v128', i32x4.splat(p.width));
    eachFour(f, p.count, (column) => {
      f.set(first, i32x4.add(i32x4.splat(i32.add(p.place, i32.shl(column, 1))), i32x4.const(0, 2, 4, 6)));
      f.set(g, v128.load(i32.add(p.y, i32.shl(column, 2))));
      f.set(where, v128.load(i32.add(p.indices, i32.shl(column, 2))));
      f.set(found, v128.zero);
      const shareOf = (place: Expr<'v128'>): V128 => {
        const here = f.local('v128', i32x4.eq(where, place));
        f.set(found, v128.or(found, here));
        return f.local('v128', v128.and(g, here));
      };
      const a = shareOf(first);
      const b = shareOf(i32x4.add(first, 1));
      const c = shareOf(i32x4.add(first, width));
      const d = shareOf(i32x4.add(i32x4.add(first, width), 1));
      f.if(v128.anyTrue(v128.not(found)), () => f.emit(i32.store(p.flag, 1)));
      f.set(at, i32.add(p.x, i32.shl(column, 3)));
      f.emit(v128.store(at, f32x4.shuffle([0, 4, 1, 5], a, b)), v128.store(at, f32x4.shuffle([2, 6, 3, 7], a, b), 16));
      f.set(at, i32.add(at, p.xRow));
      f.emit(v128.store(at, f32x4.shuffle([0, 4, 1, 5], c, d)), v128.store(at, f32x4.shuffle([2, 6, 3, 7], c, d), 16));
    });
  });
}
