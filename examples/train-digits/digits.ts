/** @file The handwritten digits (UCI, 8x8, as scikit-learn ships them; CC BY 4.0), resized to 28x28. */
import { readFile } from 'node:fs/promises';
import { data, F, io, noGrad, type Tensor } from 'tessera';
import { dataFile } from '../shared/data-file.js';

/** The first so many are for training, the rest for testing: a fixed split. */
const TRAINING = 1437;
const SIZE = 28;

export interface Digits {
  readonly train: data.TensorDataset;
  readonly test: data.TensorDataset;
}

/** Images (N, 1, 28, 28) from 0 to 1, and labels (N). */
export async function loadDigits(): Promise<Digits> {
  const tensors = io.loadSafetensors(await readFile(dataFile('digits.safetensors')));
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
