/** @file The layers of Tessera: PyTorch's torch.nn modules, functional forms, losses and initialisers. */
export {};
