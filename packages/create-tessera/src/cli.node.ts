#!/usr/bin/env node
/** @file `npm create tessera@latest my-project`. */
import { main } from './main.node.js';

process.exitCode = await main(
  process.argv.slice(2),
  (line) => console.log(line),
  (line) => console.error(line),
);
