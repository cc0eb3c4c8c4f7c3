/** @file A layer of a Kolmogorov-Arnold network (Liu et al., 2024, arXiv:2404.19756): a learnt function on each edge in place of a weight. */
import { F, linspace, nn, noGrad, randn, type Tensor } from 'tessera';

export interface KANLinearOptions {
  /** Intervals of the grid on which the splines live. Default 5. */
  readonly gridSize?: number;
  /** The degree of the splines' pieces. Default 3. */
  readonly splineOrder?: number;
  /** Where the grid begins and ends; beyond it the splines fade to 0 and the base function remains. Default [-1, 1]. */
  readonly gridRange?: readonly [from: number, to: number];
  /** The size of the splines' first coefficients. Default 0.1. */
  readonly noise?: number;
}

/**
 * y_j = Σᵢ φᵢⱼ(xᵢ), φ(x) = w · silu(x) + Σ_g c_g · B_g(x), with B_g the B-splines of a uniform grid (equations 2.10 to 2.12 of the paper). Input
 * (*, inFeatures), output (*, outFeatures). `base_weight` (outFeatures, inFeatures) holds w, `spline_weight` (outFeatures, inFeatures, gridSize +
 * splineOrder) the coefficients c; `grid` the knots, which are not learnt.
 *
 * @throws RangeError for an order below 0, a grid of no interval, or a range that is empty.
 * @example new KANLinear(2, 5, { gridSize: 8 })(randn(16, 2)).shape // [16, 5]
 */
export class KANLinear extends nn.Module {
  static override readonly typeName = 'KANLinear';
  static readonly signature =
    'inFeatures: int, outFeatures: int, { gridSize: int = 5, splineOrder: int = 3, gridRange: number[] = [-1, 1], noise: number = 0.1 }';
  readonly gridSize: number;
  readonly splineOrder: number;
  readonly gridRange: readonly [from: number, to: number];
  readonly noise: number;
  readonly base_weight: nn.Parameter;
  readonly spline_weight: nn.Parameter;
  readonly grid: nn.Buffer;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    { gridSize = 5, splineOrder = 3, gridRange = [-1, 1], noise = 0.1 }: KANLinearOptions = {},
  ) {
    super();
    const [from, to] = gridRange;
    if (!(splineOrder >= 0 && gridSize >= 1 && to > from))
      throw new RangeError(
        `KANLinear: gridSize ${gridSize}, splineOrder ${splineOrder}, gridRange [${gridRange.join(', ')}]: there is no such grid`,
      );
    this.gridSize = gridSize;
    this.splineOrder = splineOrder;
    this.gridRange = gridRange;
    this.noise = noise;
    const step = (to - from) / gridSize;
    // The grid goes on by `splineOrder` knots on both sides, so that each point inside lies under splineOrder + 1 splines.
    this.grid = new nn.Buffer(linspace(from - splineOrder * step, to + splineOrder * step, gridSize + 2 * splineOrder + 1));
    const bases = gridSize + splineOrder;
    this.base_weight = new nn.Parameter(randn(outFeatures, inFeatures).mul(1 / Math.sqrt(inFeatures)));
    this.spline_weight = new nn.Parameter(randn(outFeatures, inFeatures, bases).mul(noise / Math.sqrt(inFeatures)));
  }

  /** The values of all splines at each element: (*, inFeatures) gives (*, inFeatures, gridSize + splineOrder). Cox and de Boor's recursion. */
  splines(x: Tensor): Tensor {
    const { grid, splineOrder } = this;
    const knots = grid.size(0);
    const at = x.unsqueeze(-1);
    const knot = (begin: number, count: number): Tensor => grid.narrow(0, begin, count);
    let bases = noGrad(() => at.ge(knot(0, knots - 1)).logicalAnd(at.lt(knot(1, knots - 1)))).to(x.dtype);
    for (let k = 1; k <= splineOrder; k++) {
      const count = knots - 1 - k;
      const left = at.sub(knot(0, count)).div(knot(k, count).sub(knot(0, count)));
      const right = knot(k + 1, count)
        .sub(at)
        .div(knot(k + 1, count).sub(knot(1, count)));
      bases = left.mul(bases.narrow(-1, 0, count)).add(right.mul(bases.narrow(-1, 1, count)));
    }
    return bases;
  }

  forward(x: Tensor): Tensor {
    const { inFeatures, outFeatures } = this;
    const base = F.linear(F.silu(x), this.base_weight);
    const bases = this.splines(x);
    const flat = bases.reshape(...x.shape.slice(0, -1), -1);
    return base.add(F.linear(flat, this.spline_weight.reshape(outFeatures, inFeatures * bases.size(-1))));
  }

  override extraRepr(): string {
    const { inFeatures, outFeatures, gridSize, splineOrder } = this;
    return `in_features=${inFeatures}, out_features=${outFeatures}, grid_size=${gridSize}, spline_order=${splineOrder}`;
  }
}
