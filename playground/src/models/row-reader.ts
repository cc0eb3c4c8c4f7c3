/** @file A recurrent network that reads the image row by row, from the top, and classifies its last output. */
import { nn, type Tensor, zeros } from 'tessera';

export class RNNModel extends nn.Module {
  rnn = new nn.RNN(28, 64, { batchFirst: true });
  fc = new nn.Linear(64, 10);

  forward(x: Tensor): Tensor {
    const h0 = zeros(1, x.size(0), 64, { device: x.device });
    const [out] = this.rnn(x.squeeze(1), h0); // 28 steps of 28 pixels
    return this.fc(out.select(1, -1));
  }
}
