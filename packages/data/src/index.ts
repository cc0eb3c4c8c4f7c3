/** @file Datasets and loaders. PyTorch: torch.utils.data. */
export { defaultCollate } from './collate.js';
export { DataLoader, type DataLoaderOptions } from './data-loader.js';
export { type Dataset, randomSplit, Subset, TensorDataset } from './dataset.js';
export { BatchSampler, RandomSampler, type RandomSamplerOptions, type Sampler, SequentialSampler } from './sampler.js';
