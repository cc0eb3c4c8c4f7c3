#!/usr/bin/env node
// The program `tessera-conformance`. It is in the repository, unlike what it starts, so that npm can link it before anything is built.
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli.js', import.meta.url);
if (existsSync(program)) await import(program);
else {
  console.error('error: tessera-conformance is not built yet; run: npm run build');
  process.exitCode = 1;
}
