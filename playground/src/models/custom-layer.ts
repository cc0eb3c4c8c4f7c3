/** @file A layer of one's own, used twice with the same weights: parameters that are shared are counted once. */
import { nn, type Tensor } from 'tessera';

class CustomLayer extends nn.Module {
  linear: nn.Linear;

  constructor(inputSize: number, outputSize: number) {
    super();
    this.linear = new nn.Linear(inputSize, outputSize);
  }

  forward(x: Tensor): Tensor {
    return this.linear(x).relu();
  }
}

export class SharedModel extends nn.Module {
  first = new CustomLayer(28 * 28, 64);
  shared = new CustomLayer(64, 64);
  out = new nn.Linear(64, 10);

  forward(x: Tensor): Tensor {
    x = this.first(x.flatten(1));
    x = this.shared(this.shared(x));
    return this.out(x);
  }
}
