/** @file A residual network (He et al., 2016), for small images. */
import { nn, type Tensor } from 'tessera';

const conv = (from: number, to: number, size: number, stride = 1): nn.Conv2d =>
  new nn.Conv2d(from, to, size, { stride, padding: (size - 1) / 2, bias: false });

/** Two convolutions, added to what came in. */
export class BasicBlock extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  relu = new nn.ReLU();
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  /** Brings what came in to the shape of what comes out. */
  downsample: nn.Sequential | null;

  constructor(from: number, to: number, stride: number) {
    super();
    this.conv1 = conv(from, to, 3, stride);
    this.bn1 = new nn.BatchNorm2d(to);
    this.conv2 = conv(to, to, 3);
    this.bn2 = new nn.BatchNorm2d(to);
    this.downsample = stride === 1 && from === to ? null : new nn.Sequential(conv(from, to, 1, stride), new nn.BatchNorm2d(to));
  }

  forward(x: Tensor): Tensor {
    const y = this.bn2(this.conv2(this.relu(this.bn1(this.conv1(x)))));
    return this.relu(y.add(this.downsample === null ? x : this.downsample(x)));
  }
}

/** Images (N, channels, H, W) give scores (N, classes). Each stage after the first halves the sizes and doubles the width. */
export class ResNet extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  relu = new nn.ReLU();
  layers: nn.Sequential;
  avgpool = new nn.AdaptiveAvgPool2d(1);
  fc: nn.Linear;

  constructor(blocks: readonly number[], options: { readonly channels: number; readonly classes: number; readonly width: number }) {
    super();
    const { channels, classes, width } = options;
    this.conv1 = conv(channels, width, 3, 2);
    this.bn1 = new nn.BatchNorm2d(width);
    this.layers = new nn.Sequential();
    let from = width;
    for (const [stage, count] of blocks.entries()) {
      const to = width * 2 ** stage;
      for (let i = 0; i < count; i++) {
        this.layers.append(new BasicBlock(from, to, i === 0 && stage > 0 ? 2 : 1));
        from = to;
      }
    }
    this.fc = new nn.Linear(from, classes);
    this.apply((m) => {
      if (m instanceof nn.Conv2d) nn.init.kaimingNormal_(m.weight, { mode: 'fan_out', nonlinearity: 'relu' });
    });
  }

  forward(x: Tensor): Tensor {
    return this.fc(this.avgpool(this.layers(this.relu(this.bn1(this.conv1(x))))).flatten(1));
  }
}
