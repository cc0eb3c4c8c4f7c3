#!/usr/bin/env node
/** @file The conformance suite as a command: `npx tessera-conformance ./my-backend.js --level training`, and here `npm run conformance --`. */
import { main } from './cli/main.js';

// `… | head` has read enough: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await main(process.argv.slice(2), {
  program: process.env['npm_lifecycle_event']?.startsWith('conformance') ? 'npm run conformance --' : 'npx tessera-conformance',
});
