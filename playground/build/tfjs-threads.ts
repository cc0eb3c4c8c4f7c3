/**
 * @file A Vite plugin: threads of TensorFlow.js in a minified bundle. Its threads are started from a function's text, which a minifier breaks by
 * moving what the function refers to; they get the text of the file instead.
 */
import type { Plugin } from 'vite';

const FROM = '`var WasmBackendModuleThreadedSimd = ` +\n                    wasmFactoryThreadedSimd.toString()';

export function tfjsThreads(): Plugin {
  return {
    name: 'tessera-tfjs-threads',
    transform(code, id) {
      if (!id.includes('@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js')) return undefined;
      if (!code.includes(FROM)) throw new Error('TensorFlow.js starts its threads in another way now: build/tfjs-threads.ts');
      return `import threadText from '../wasm-out/tfjs-backend-wasm-threaded-simd.js?raw';\n${code.replace(FROM, 'threadText')}`;
    },
  };
}
