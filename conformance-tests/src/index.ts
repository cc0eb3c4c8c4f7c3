/** @file The conformance suite of Tessera: what every backend must pass, with PyTorch as the truth. */
export {};
