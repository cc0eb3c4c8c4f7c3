/** @file The network: two convolutions with pooling, and a linear layer; or one that is data. */
import { readFile } from 'node:fs/promises';
import { nn, type Tensor } from 'tessera';

/** Images (N, 1, 28, 28) in, ten scores each out. */
export type Classifier = nn.Module & ((images: Tensor) => Tensor);

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

/**
 * A function that makes the network anew each time: the CNN, or the one that a JSON file describes.
 * @throws Error that names the file, and the place in it.
 */
export async function modelMaker(file: string | undefined): Promise<() => Classifier> {
  if (file === undefined) return () => new CNN();
  const failed = (cause: unknown): never => {
    throw new Error(`--model '${file}': ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  };
  const document = await readFile(file, 'utf8')
    .then((text) => JSON.parse(text) as unknown)
    .catch(failed);
  return () => {
    try {
      return nn.fromConfig(document) as Classifier;
    } catch (cause) {
      return failed(cause);
    }
  };
}
