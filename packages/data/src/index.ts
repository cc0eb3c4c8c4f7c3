/** @file The data loading of Tessera: PyTorch's torch.utils.data datasets, samplers and loaders. */
export {};
