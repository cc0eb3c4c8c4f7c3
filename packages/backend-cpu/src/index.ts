/** @file The plain TypeScript backend of Tessera: the living specification of its kernels. */
export {};
