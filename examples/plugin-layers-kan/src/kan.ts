/** @file A whole Kolmogorov-Arnold network. */
import { nn, type Tensor } from 'tessera';
import { KANLinear, type KANLinearOptions } from './kan-linear.js';

/**
 * Layers of {@link KANLinear} of these widths, one after the other. Input (*, widths[0]), output (*, widths.at(-1)).
 * @example new KAN([2, 5, 1]) // the network of figure 2 of the paper
 */
export class KAN extends nn.Module {
  static override readonly typeName = 'KAN';
  static readonly signature =
    'widths: int[], { gridSize: int = 5, splineOrder: int = 3, gridRange: number[] = [-1, 1], noise: number = 0.1 }';
  readonly layers: nn.ModuleList<KANLinear>;

  constructor(
    readonly widths: readonly number[],
    readonly options: KANLinearOptions = {},
  ) {
    super();
    this.layers = new nn.ModuleList(widths.slice(1).map((width, i) => new KANLinear(widths[i]!, width, options)));
  }

  forward(x: Tensor): Tensor {
    for (const layer of this.layers) x = layer(x);
    return x;
  }
}
