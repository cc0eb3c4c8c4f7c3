/** @file The handwritten digits (UCI, 8x8, as scikit-learn ships them; CC BY 4.0), resized to 28x28, as the example program has them. */
import { data, F, io, noGrad, type Tensor } from 'tessera';
import file from '../../../examples/data/digits/digits.safetensors?url';

const TRAINING = 1437;

export interface Digits {
  readonly train: data.TensorDataset;
  /** Images (360, 1, 28, 28) from 0 to 1. */
  readonly testImages: Tensor;
  readonly testLabels: Tensor;
  /** The same images as they are in the file, (360, 8, 8) from 0 to 1. */
  readonly testSmall: Tensor;
}

let loaded: Promise<Digits> | undefined;

/** On the CPU, once. What failed is tried again at the next call. */
export const loadDigits = (): Promise<Digits> =>
  (loaded ??= load().catch((error: unknown) => {
    loaded = undefined;
    throw error;
  }));

async function load(): Promise<Digits> {
  const response = await fetch(new URL(file, import.meta.url));
  if (!response.ok) throw new Error(`the digits could not be loaded: ${response.status} ${response.statusText}`);
  const tensors = io.loadSafetensors(new Uint8Array(await response.arrayBuffer()), { device: 'cpu' });
  const small = tensors.get('images')!.to('float32').div(16).realize();
  const images = enlarge(small.unsqueeze(1));
  const labels = tensors.get('labels')!.to('int32');
  const rest = images.size(0) - TRAINING;
  return {
    train: new data.TensorDataset(images.narrow(0, 0, TRAINING), labels.narrow(0, 0, TRAINING)),
    testImages: images.narrow(0, TRAINING, rest),
    testLabels: labels.narrow(0, TRAINING, rest),
    testSmall: small.narrow(0, TRAINING, rest),
  };
}

/** Images (N, 1, 8, 8) to (N, 1, 28, 28). */
export const enlarge = (small: Tensor): Tensor =>
  noGrad(() => F.interpolate(small, { size: [28, 28], mode: 'bilinear', alignCorners: false }).realize());
