#!/usr/bin/env node
/** @file The conformance suite as a command: `npm run conformance -- --device cpu --level ops`. */
import { main } from './cli/main.js';

process.exitCode = await main(process.argv.slice(2), { program: 'npm run conformance --' });
