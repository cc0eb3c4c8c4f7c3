/** @file The models of a PyTorch introduction, as they read here. Each is what the original is, in TypeScript's words. */
import { nn, type Tensor, zeros } from 'tessera';

/** A linear layer and a ReLU. */
export class SimpleModel extends nn.Module {
  linear = new nn.Linear(10, 5);
  relu = new nn.ReLU();

  forward(x: Tensor): Tensor {
    return this.relu(this.linear(x));
  }
}

/** Two convolutions with pooling, for images (N, 1, 28, 28). */
export class CNN extends nn.Module {
  conv1 = new nn.Conv2d(1, 16, 3, { stride: 1, padding: 1 });
  relu = new nn.ReLU();
  pool = new nn.MaxPool2d(2, { stride: 2 });
  conv2 = new nn.Conv2d(16, 32, 3, { stride: 1, padding: 1 });
  fc = new nn.Linear(32 * 7 * 7, 10);

  forward(x: Tensor): Tensor {
    x = this.pool(this.relu(this.conv1(x)));
    x = this.pool(this.relu(this.conv2(x)));
    x = x.view(-1, 32 * 7 * 7);
    return this.fc(x);
  }
}

/** A recurrent layer, of which the last output is classified; sequences (N, T, 10). */
export class RNNModel extends nn.Module {
  rnn = new nn.RNN(10, 20, { batchFirst: true });
  fc = new nn.Linear(20, 5);

  forward(x: Tensor): Tensor {
    const h0 = zeros(1, x.size(0), 20);
    const [out] = this.rnn(x, h0);
    return this.fc(out.select(1, -1));
  }
}

/** A layer of one's own. */
export class CustomLayer extends nn.Module {
  linear: nn.Linear;

  constructor(inputSize: number, outputSize: number) {
    super();
    this.linear = new nn.Linear(inputSize, outputSize);
  }

  forward(x: Tensor): Tensor {
    return this.linear(x).relu();
  }
}

/** A graph that depends on the data: the sign of the sum picks the network. */
export function dynamicModel(x: Tensor): nn.Sequential {
  if (x.sum().item() >= 0) return new nn.Sequential(new nn.Conv2d(3, 64, 7), new nn.ReLU(), new nn.MaxPool2d(2));
  return new nn.Sequential(new nn.Conv2d(3, 128, 5), new nn.ReLU(), new nn.AvgPool2d(2));
}

/** One layer used twice: its parameters are counted once, and get the gradients of both uses. */
export function sharedModel(): nn.Sequential {
  const shared = new nn.Linear(100, 100);
  return new nn.Sequential(shared, new nn.ReLU(), shared, new nn.Sigmoid());
}
