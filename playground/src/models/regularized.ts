/** @file Convolutions with batch normalization and dropout: training and evaluation differ. */
import { nn, type Tensor } from 'tessera';

const block = (from: number, to: number): nn.Sequential =>
  new nn.Sequential(new nn.Conv2d(from, to, 3, { padding: 1, bias: false }), new nn.BatchNorm2d(to), new nn.ReLU(), new nn.MaxPool2d(2));

export class RegularizedCNN extends nn.Module {
  features = new nn.Sequential(block(1, 12), block(12, 24));
  dropout = new nn.Dropout(0.3);
  fc = new nn.Linear(24 * 7 * 7, 10);

  forward(x: Tensor): Tensor {
    return this.fc(this.dropout(this.features(x).flatten(1)));
  }
}
