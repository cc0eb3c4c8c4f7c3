/** @file The other libraries that this page can time: those that run in a browser from a bundle. Their code is fetched when they are chosen. */

export interface Peer {
  readonly id: string;
  readonly label: string;
  /** Needs an adapter of WebGPU. */
  readonly gpu?: true;
}

export const PEERS: readonly Peer[] = [
  { id: 'tfjs-cpu', label: `TensorFlow.js ${VERSIONS['@tensorflow/tfjs-core']}, JavaScript` },
  { id: 'tfjs-wasm', label: `TensorFlow.js ${VERSIONS['@tensorflow/tfjs-core']}, WebAssembly` },
  { id: 'tfjs-webgpu', label: `TensorFlow.js ${VERSIONS['@tensorflow/tfjs-core']}, WebGPU`, gpu: true },
  { id: 'jax-wasm', label: `jax-js ${VERSIONS['@jax-js/jax']}, WebAssembly` },
  { id: 'jax-webgpu', label: `jax-js ${VERSIONS['@jax-js/jax']}, WebGPU`, gpu: true },
];
