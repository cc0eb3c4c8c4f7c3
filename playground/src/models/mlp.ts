/** @file Two linear layers: the smallest network that reads digits. */
import { nn, type Tensor } from 'tessera';

export class MLP extends nn.Module {
  flatten = new nn.Flatten();
  hidden = new nn.Linear(28 * 28, 64);
  relu = new nn.ReLU();
  out = new nn.Linear(64, 10);

  forward(x: Tensor): Tensor {
    return this.out(this.relu(this.hidden(this.flatten(x))));
  }
}
