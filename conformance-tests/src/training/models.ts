/** @file The small models of the reference data, as a user would write them. */
import type { Tensor } from '@tessera/core';
import * as nn from '@tessera/layers';

class SimpleModel extends nn.Module {
  static override readonly typeName = 'SimpleModel';
  linear = new nn.Linear(10, 5);
  relu = new nn.ReLU();

  forward(x: Tensor): Tensor {
    return this.relu(this.linear(x));
  }
}

class CNN extends nn.Module {
  static override readonly typeName = 'CNN';
  conv1 = new nn.Conv2d(1, 16, 3, { stride: 1, padding: 1 });
  relu = new nn.ReLU();
  pool = new nn.MaxPool2d(2, { stride: 2 });
  conv2 = new nn.Conv2d(16, 32, 3, { stride: 1, padding: 1 });
  fc = new nn.Linear(32 * 7 * 7, 10);

  forward(x: Tensor): Tensor {
    x = this.pool(this.relu(this.conv1(x)));
    x = this.pool(this.relu(this.conv2(x)));
    return this.fc(x.view(-1, 32 * 7 * 7));
  }
}

class RNNModel extends nn.Module {
  static override readonly typeName = 'RNNModel';
  rnn = new nn.RNN(10, 20, { batchFirst: true });
  fc = new nn.Linear(20, 5);

  forward(x: Tensor): Tensor {
    const [out] = this.rnn(x);
    return this.fc(out.select(1, -1));
  }
}

class CustomLayer extends nn.Module {
  static override readonly typeName = 'CustomLayer';
  linear = new nn.Linear(10, 5);

  forward(x: Tensor): Tensor {
    return this.linear(x).relu();
  }
}

function shared(): nn.Sequential {
  const linear = new nn.Linear(100, 100);
  return new nn.Sequential(linear, new nn.ReLU(), linear, new nn.Sigmoid());
}

/** By their names in the data. */
export const SEED_MODELS: Readonly<Record<string, () => nn.Module>> = {
  simple_model: () => new SimpleModel(),
  cnn: () => new CNN(),
  rnn: () => new RNNModel(),
  custom_layer: () => new CustomLayer(),
  dynamic_forward_pos: () => new nn.Sequential(new nn.Conv2d(3, 64, 7), new nn.ReLU(), new nn.MaxPool2d(2)),
  dynamic_forward_neg: () => new nn.Sequential(new nn.Conv2d(3, 128, 5), new nn.ReLU(), new nn.AvgPool2d(2)),
  parameter_sharing: shared,
};

/** The network of the digits. */
export const digitsNetwork = (): nn.Module =>
  new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(64, 10),
  );
