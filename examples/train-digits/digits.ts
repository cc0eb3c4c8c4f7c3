/** @file The handwritten digits (UCI, 8x8, as scikit-learn ships them; CC BY 4.0), resized to 28x28. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { data, F, io, noGrad, type Tensor } from 'tessera';

/** The first so many are for training, the rest for testing: a fixed split. */
const TRAINING = 1437;
const SIZE = 28;

export interface Digits {
  readonly train: data.TensorDataset;
  readonly test: data.TensorDataset;
}

/** The data lie beside the sources, one folder further up from the compiled program. */
function file(name: string): string {
  const found = ['../data/digits/', '../../data/digits/']
    .map((folder) => fileURLToPath(new URL(folder + name, import.meta.url)))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the digits are missing: ${name} is in none of the folders where it should be`);
  return found;
}

/** Images (N, 1, 28, 28) from 0 to 1, and labels (N). */
export async function loadDigits(): Promise<Digits> {
  const tensors = io.loadSafetensors(await readFile(file('digits.safetensors')));
  const images = noGrad(() => {
    const small = tensors.get('images')!.to('float32').div(16).unsqueeze(1);
    return F.interpolate(small, { size: [SIZE, SIZE], mode: 'bilinear', alignCorners: false }).realize();
  });
  const labels = tensors.get('labels')!.to('int32');
  const split = (x: Tensor): [Tensor, Tensor] => [x.narrow(0, 0, TRAINING), x.narrow(0, TRAINING, x.size(0) - TRAINING)];
  const [trainImages, testImages] = split(images);
  const [trainLabels, testLabels] = split(labels);
  return { train: new data.TensorDataset(trainImages, trainLabels), test: new data.TensorDataset(testImages, testLabels) };
}
