import { nn, type Tensor } from 'tessera';

/** Two numbers in, the class of the point out. */
export class Net extends nn.Module {
  first = new nn.Linear(2, 32);
  second = new nn.Linear(32, 32);
  out = new nn.Linear(32, 2);

  forward(x: Tensor): Tensor {
    x = this.first(x).relu();
    x = this.second(x).relu();
    return this.out(x);
  }
}
