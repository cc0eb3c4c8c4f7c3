/** @file The layers of Tessera: PyTorch's torch.nn modules, functional forms, losses and initialisers. */
export * as F from './functional/index.js';
