/** @file One test project per package. Tests run on the sources: the `tessera-source` condition spares them a build. */
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

const source = 'tessera-source';
const folders = [...readdirSync('packages').map((name) => `packages/${name}`), 'conformance-tests', 'examples', 'playground'];

export default defineConfig({
  test: {
    passWithNoTests: true,
    // Vitest leaves one core free: on two, that is half of the machine.
    maxWorkers: availableParallelism(),
    projects: ['.', ...folders.filter((folder) => existsSync(`${folder}/package.json`))].map((root) => ({
      root,
      // Decorators as TypeScript emits them for tsyringe; Vitest would look for a tsconfig that includes the test file.
      oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
      resolve: { conditions: [source, ...defaultClientConditions] },
      ssr: { resolve: { conditions: [source, ...defaultServerConditions], externalConditions: [source, 'node', 'import'] } },
      test: {
        name: root === '.' ? 'repository' : root.replace('packages/', ''),
        include: root === 'examples' ? ['*/**/*.test.ts'] : root === '.' ? ['test/**/*.test.ts'] : ['{src,test}/**/*.test.ts'],
        // Plugins out of tree are projects of their own: npm run test:packed.
        exclude: ['plugin-*/**', '**/node_modules/**', '**/dist/**'],
        // Generous: a shared machine may run at a tenth of its speed.
        testTimeout: 240_000,
        // The playground's tests run the built site.
        // A browser that computes on two cores of its own: one file at a time, when the other projects are done.
        ...(root === 'playground' && { fileParallelism: false, sequence: { groupOrder: 1 } }),
        ...(root === 'playground' && { globalSetup: `${import.meta.dirname}/playground/test/support/build.ts`, hookTimeout: 240_000 }),
      },
    })),
  },
});
