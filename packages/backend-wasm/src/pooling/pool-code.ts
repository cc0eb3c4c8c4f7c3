/** @file Code that all poolings share: planes, the places of their results, and the windows of these. */
import { type Expr, f32, type FunctionBuilder, i32, memory } from '../assembler/index.js';
import { choose, type I32, least, locals, words } from '../code/emit.js';

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

export class PoolCode {
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
