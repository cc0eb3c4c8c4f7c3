/** @file The optimizers of Tessera: PyTorch's torch.optim, learning-rate schedulers and gradient clipping. */
export {};
