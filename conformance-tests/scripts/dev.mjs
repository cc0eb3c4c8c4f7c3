/**
 * @file The conformance CLI on the sources of all packages: no build, types are not checked, so that other people's work in progress is in
 * nobody's way. Arguments are those of the CLI.
 *
 *   node conformance-tests/scripts/dev.mjs --only add
 */
import { fileURLToPath } from 'node:url';
import { createServer, defaultServerConditions } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = 'tessera-source';
const server = await createServer({
  root,
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true, include: [] },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  ssr: {
    noExternal: [/^@tessera\//],
    resolve: { conditions: [source, ...defaultServerConditions], externalConditions: [source, 'node', 'import'] },
  },
});
try {
  const { main } = await server.ssrLoadModule('/conformance-tests/src/cli/main.ts');
  process.exitCode = await main(process.argv.slice(2), { program: 'node conformance-tests/scripts/dev.mjs' });
} finally {
  await server.close();
}
process.exit();
