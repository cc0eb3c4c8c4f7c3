/** @file What dev.mjs runs: the CLI, and core's plain test backend as one more device. */
import { plainPlugin } from '../../packages/core/test/support/plain-backend.js';
import { main as cli } from '../src/cli/main.js';

export const main = (argv: readonly string[], program: string): Promise<number> =>
  cli(argv, { program, plugins: { plain: plainPlugin() } });
