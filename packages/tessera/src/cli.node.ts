#!/usr/bin/env node
/** @file The program `tessera`. */
import { readFile } from 'node:fs/promises';
import { main } from './cli/main.js';
import { runtimes } from './index.js';

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
process.exitCode = await main(process.argv.slice(2), {
  runtime: runtimes.current,
  version,
  environment: process.env,
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
});
await runtimes.current.dispose();
