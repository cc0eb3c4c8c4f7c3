import type { Adapter } from './adapter.mjs';

/** @param jax jax-js, on its default device. */
export declare function makeJax(jax: object, options?: { readonly eager?: boolean }): Adapter;
