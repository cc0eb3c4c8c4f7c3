// The libraries: to add one, write lib/<x>.mjs (default export: async (opts) => ({ ops: {...}, mem() })) and add a line here.
// `tessera-<device>` needs no line: any device id works, with the plugin of packages/backend-<device>.
const LIBS = {
  'tfjs-cpu': { file: './lib/tfjs-node.mjs', opts: { backend: 'cpu' } },
  'tfjs-wasm': { file: './lib/tfjs-node.mjs', opts: { backend: 'wasm' } },
  'tfjs-wasm-mt': { file: './lib/tfjs-node.mjs', opts: { backend: 'wasm', threads: 2 } },
  'ortweb-1': { file: './lib/ort.mjs', opts: { pkg: 'onnxruntime-web', threads: 1 } },
  'ortweb-2': { file: './lib/ort.mjs', opts: { pkg: 'onnxruntime-web', threads: 2 } },
  'ortnode-1': { file: './lib/ort.mjs', opts: { pkg: 'onnxruntime-node', threads: 1 } },
  'ortnode-2': { file: './lib/ort.mjs', opts: { pkg: 'onnxruntime-node', threads: 2 } },
  'jax-wasm': { file: './lib/jax-node.mjs', opts: { device: 'wasm' } },
  'jax-wasm-eager': { file: './lib/jax-node.mjs', opts: { device: 'wasm', eager: true } },
  'jax-cpu': { file: './lib/jax-node.mjs', opts: { device: 'cpu' } },
  'js-pytorch': {
    file: './lib/js-pytorch.mjs',
    opts: {},
    skip: { encoder: 'first call did not finish before a 200 s process limit; call time not measured' },
  },
  'torch-1': { python: 1 },
  'torch-2': { python: 2 },
};

export const libraryNames = () => ['tessera-<device>', ...Object.keys(LIBS)];

/** The library of that name; undefined if there is none. */
export function library(name) {
  // `tessera-wasm-2`: the device, then options that the adapter understands (threads).
  const own = /^tessera-([a-z]+)(?:-(\d+))?$/.exec(name);
  if (own) return { file: './lib/tessera.mjs', opts: { device: own[1], threads: own[2] ? Number(own[2]) : undefined } };
  return Object.hasOwn(LIBS, name) ? LIBS[name] : undefined;
}
