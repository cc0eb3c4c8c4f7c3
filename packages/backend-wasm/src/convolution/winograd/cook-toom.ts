/**
 * @file The matrices of Winograd's minimal filtering F(m, 3) (Lavin and Gray, 2016), made by the Cook-Toom construction from points of evaluation:
 * y = Aᵀ · ((G · g) ⊙ (Bᵀ · d)), for m results of a filter g of 3 taps on m + 2 values d; in two dims on both sides.
 */
export type Matrix = readonly (readonly number[])[];

interface Matrices {
  readonly AT: Matrix;
  readonly G: Matrix;
  readonly BT: Matrix;
}

export const transpose = (matrix: Matrix): Matrix => matrix[0].map((_, j) => matrix.map((row) => row[j]));

/** Its matrices are made when they are first asked for: most programs never do. */
export class Filtering {
  /** Values of a tile along each dim: m + 2. */
  readonly n: number;
  readonly #points: readonly number[];
  #made: Matrices | null = null;

  /**
   * @param m Results of a tile along each dim.
   * @param points The finite points are 0 and ±p for each of them; the last is infinity.
   */
  constructor(
    readonly m: number,
    points: readonly number[],
  ) {
    this.n = m + 2;
    this.#points = points;
  }

  get #matrices(): Matrices {
    return (this.#made ??= matricesOf(this.m, this.#points));
  }

  get AT(): Matrix {
    return this.#matrices.AT;
  }

  get G(): Matrix {
    return this.#matrices.G;
  }

  get BT(): Matrix {
    return this.#matrices.BT;
  }
}

function matricesOf(m: number, points: readonly number[]): Matrices {
  const n = m + 2;
  const finite = [0, ...points.flatMap((p) => [p, -p])];
  const timesLinear = (poly: readonly number[], root: number): number[] => {
    const out = new Array<number>(poly.length + 1).fill(0);
    poly.forEach((x, i) => {
      out[i] -= x * root;
      out[i + 1] += x;
    });
    return out;
  };
  const without = (skip: number): number[] => finite.reduce((poly, p, i) => (i === skip ? poly : timesLinear(poly, p)), [1]);
  const denominators = finite.map((p, i) => finite.reduce((d, q, j) => (j === i ? d : d * (p - q)), 1));
  return {
    AT: Array.from({ length: m }, (_, i) => [...finite.map((p) => p ** i), i === m - 1 ? 1 : 0]),
    G: [...finite.map((p, i) => [0, 1, 2].map((j) => p ** j / denominators[i])), [0, 0, 1]],
    BT: [...finite.map((_, i) => [...without(i), ...new Array<number>(n - finite.length).fill(0)]), without(-1)],
  };
}

/** F(2, 3): the points 0, ±1 and infinity. */
export const F2 = new Filtering(2, [1]);
/** F(4, 3) at 0, ±√½, ±√2: a third of the rounding error of 0, ±1, ±2, as powers stay close to 1. */
export const F4 = new Filtering(4, [Math.SQRT1_2, Math.SQRT2]);
