/** @file Datasets and loaders. PyTorch: torch.utils.data. */
export { defaultCollate, defaultConvert } from './collate.js';
export { DataLoader, type DataLoaderOptions } from './data-loader.js';
export type { DataLoaderState } from './loader-state.js';
export {
  ChainDataset,
  ConcatDataset,
  type Dataset,
  isIterableDataset,
  type IterableDataset,
  randomSplit,
  StackDataset,
  Subset,
  TensorDataset,
} from './dataset.js';
export {
  BatchSampler,
  DistributedSampler,
  type DistributedSamplerOptions,
  type GeneratorOptions,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from './sampler.js';
export { getWorkerInfo, serveDataset, type WorkerInfo } from './worker/serve.js';
export { WorkerError } from './worker/worker-pool.js';
export * from './python-names.js';
