/** @file The end of a process with live workers: nothing has to be disposed of, whatever they do at that moment. Runs what is built. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const built = join(import.meta.dirname, '../dist/index.js');
const notBuilt = !existsSync(built);
if (notBuilt) console.warn('skipped: not built (npm run build)');

/** Starts two workers, by work that is worth them, and then does what `end` says. */
function run(end: string): Promise<{ code: number | null; errors: string }> {
  const program = `
import { createWasmBackend } from ${JSON.stringify(pathToFileURL(built).href)};
const wasm = createWasmBackend({ threads: 3 });
const n = 256;
const view = () => ({ buffer: wasm.allocate('float32', n * n), dtype: 'float32', shape: [1, n, n], strides: [n * n, n, 1], offset: 0 });
const [a, b, c] = [view(), view(), view()];
const work = () => { for (let i = 0; i < 30; i++) wasm.kernels.matmul(a, b, c); };
work();
// Workers come up meanwhile.
await new Promise((resolve) => setTimeout(resolve, 500));
work();
${end}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, errors })));
}

describe.skipIf(notBuilt)('a process with workers ends', () => {
  it.each([
    ['by itself', '', 0],
    ['while they sleep', 'await new Promise((resolve) => setTimeout(resolve, 100));', 0],
    ['at process.exit', 'work(); process.exit(3);', 3],
    ['after an error of the user', "work(); throw new Error('of the user');", 1],
    ['after dispose', 'await wasm.dispose();', 0],
  ])('%s', async (_, end, expected) => {
    const { code, errors } = await run(end);
    expect(errors).not.toMatch(/FATAL|Tessera/);
    expect(code).toBe(expected);
  });
});
