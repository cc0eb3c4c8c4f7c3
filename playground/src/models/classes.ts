/** @file The models that the page brings, as they run. `sources.ts` has the same ids. */
import type { ImageModel } from '../compute/model-source.js';
import { CNN } from './cnn.js';
import { SharedModel } from './custom-layer.js';
import { MLP } from './mlp.js';
import { RegularizedCNN } from './regularized.js';
import { RNNModel } from './row-reader.js';

export const MODELS: Readonly<Record<string, new () => ImageModel>> = {
  cnn: CNN,
  mlp: MLP,
  rnn: RNNModel,
  shared: SharedModel,
  regularized: RegularizedCNN,
};
