/** @file Trains the CNN of the README on handwritten digits: `npm start`, with options after `--`. */
import { main } from './cli.js';
import { listenForInterrupt } from './interrupt.js';

process.exitCode = await main(process.argv.slice(2), { out: process.stdout, error: process.stderr }, listenForInterrupt);
