/** @file A PyTorch-modelled deep-learning framework for TypeScript whose backends and layers are plugins. */
export {};
