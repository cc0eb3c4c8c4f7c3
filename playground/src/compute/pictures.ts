/** @file Filters and activations as grey pictures. */
import { F, isTensor, noGrad, type nn, type Tensor, typeNameOf } from 'tessera';
import type { Pictures, Prediction } from '../shared/reports.js';
import { enlarge } from './digits.js';
import type { ImageModel } from './model-source.js';

const MAX_PICTURES = 64;

/** The planes of a tensor (…, H, W) that was read, each scaled by the lowest and highest value of all. */
function picturesOf(title: string, values: ArrayLike<number>, height: number, width: number, total: number): Pictures {
  const size = height * width;
  const count = Math.min(total, MAX_PICTURES);
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < count * size; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  const scale = high > low ? 255 / (high - low) : 0;
  const pictures = Array.from({ length: count }, (_, n) =>
    Uint8ClampedArray.from({ length: size }, (_value, i) => (values[n * size + i]! - low) * scale),
  );
  return { title, width, height, pictures, total, low, high };
}

/** The kernels of each 2-d convolution: a picture for each output channel and input channel. */
export async function filtersOf(model: ImageModel): Promise<Pictures[]> {
  const convolutions = model.namedModules().filter(([, module]) => typeNameOf(module) === 'Conv2d');
  return Promise.all(
    convolutions.map(async ([path, module]) => {
      const weight = (module as nn.Conv2d).weight.detach();
      const [outputs, inputs, height, width] = weight.shape as [number, number, number, number];
      return picturesOf(
        `${path} (${outputs}×${inputs} of ${height}×${width})`,
        (await weight.dataAsync()) as ArrayLike<number>,
        height,
        width,
        outputs * inputs,
      );
    }),
  );
}

/** What the model makes of one image (1, 1, 8, 8) on the CPU: probabilities, and what each module gave that still looks like pictures. */
export async function predict(model: ImageModel, small: Tensor, device: string): Promise<Prediction> {
  const image = enlarge(small);
  const outputs: [string, Tensor][] = [];
  const hooks = model.namedModules().flatMap(([path, module]) =>
    path === '' || module.children().length > 0
      ? []
      : [
          module.registerForwardHook((_module, _args, output) => {
            if (isTensor(output) && (output as Tensor).dim() === 4)
              outputs.push([`${path} (${typeNameOf(module)})`, (output as Tensor).detach()]);
          }),
        ],
  );
  const training = model.training;
  let probabilities: ArrayLike<number>;
  try {
    model.eval();
    const there = await image.toAsync({ device });
    const scores = await noGrad(() => model(there));
    probabilities = (await noGrad(() => F.softmax(scores, 1)).dataAsync()) as ArrayLike<number>;
  } finally {
    for (const hook of hooks) hook.remove();
    model.train(training);
  }
  const activations = await Promise.all(
    outputs.map(async ([title, output]) => {
      const [, channels, height, width] = output.shape as [number, number, number, number];
      return picturesOf(title, (await output.dataAsync()) as ArrayLike<number>, height, width, channels);
    }),
  );
  const pixels = (await image.dataAsync()) as ArrayLike<number>;
  return {
    probabilities: Array.from(probabilities),
    seen: Uint8ClampedArray.from({ length: pixels.length }, (_, i) => pixels[i]! * 255),
    activations,
  };
}
