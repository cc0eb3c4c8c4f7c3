/** @file Plugins as third parties would publish them: ES modules that import nothing. */
import { join } from 'node:path';
import { build, defaultClientConditions, type Rolldown } from 'vite';

/** Core's plain backend, seven kernels in loops, bundled with a core of its own. */
export async function plainBackend(): Promise<string> {
  const output = (await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['tessera-source', ...defaultClientConditions] },
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    build: {
      write: false,
      minify: false,
      // One file, as it is offered at one address.
      rolldownOptions: { output: { codeSplitting: false } },
      lib: { entry: join(import.meta.dirname, 'plain-plugin.ts'), formats: ['es'], fileName: 'plain' },
    },
  })) as Rolldown.RolldownOutput[];
  return output[0]!.output[0].code;
}

/** Backends that cannot be used: one says so, one only finds out when it starts. */
export const BROKEN_BACKENDS = `
const provider = (id, isAvailable, create) => ({ id, version: '1.0.0', priority: 1, isAvailable, create });
export const broken = {
  name: 'broken-backends', version: '1.0.0', contract: 1,
  register({ container, core }) {
    const add = (value) => container.register(core.BACKEND, { useValue: value });
    add(provider('absent', () => ({ available: false, reason: 'this machine has no abacus' }), () => { throw new Error('never called'); }));
    add(provider('failing', () => ({ available: true }), () => { throw new Error('the abacus fell down'); }));
  },
};
`;

/** A layer, written with the core that it is handed. */
export const SWISH_LAYER = `
export default {
  name: 'swish', version: '2.1.0', contract: 1,
  register({ container, core }) {
    class Swish extends core.Module {
      static typeName = 'Swish';
      forward(x) { return x.mul(x.sigmoid()); }
    }
    container.register(core.LAYER, { useValue: { name: 'Swish', module: Swish } });
  },
};
`;
