/** @file The network: two convolutions with pooling, and a linear layer. */
import { nn, type Tensor } from 'tessera';

export class CNN extends nn.Module {
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
