/** @file The core of Tessera: tensors, autograd, modules and the kernel contract that backends implement. */
export {};
