/** @file The end of a process: with work pending, it must be an end and no crash of the driver. Runs what is built. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { noAdapter } from './support/device.js';

const built = join(import.meta.dirname, '../dist/index.js');
const notBuilt = !existsSync(built);
if (notBuilt) console.warn('skipped: not built (npm run build)');

/** Launches a chain of products and then does what `end` says; answers the exit code. */
function run(end: string): Promise<{ code: number | null; output: string }> {
  const code = `
import { createWebGpuBackend } from ${JSON.stringify(built)};
const gpu = await createWebGpuBackend();
const n = 48;
const view = (buffer) => ({ buffer, dtype: 'float32', shape: [1, n, n], strides: [n * n, n, 1], offset: 0 });
const [a, b] = [0, 1].map(() => view(gpu.allocate('float32', n * n)));
for (let i = 0; i < 200; i++) gpu.kernels.matmul(i % 2 ? a : b, i % 2 ? a : b, i % 2 ? b : a);
${end}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((resolve) => child.on('close', (status) => resolve({ code: status, output })));
}

describe.skipIf(noAdapter || notBuilt)('the end of a process', () => {
  it.each([
    ['by itself', '', 0],
    ['process.exit', 'process.exit(3);', 3],
    ['an error', "throw new Error('of the user');", 1],
    ['a read that nobody waits for', 'void gpu.read(a.buffer, 0, 1); process.exit(0);', 0],
    ['dispose', 'await gpu.dispose();', 0],
  ])('%s', async (_, end, expected) => {
    const { code, output } = await run(end);
    expect(output).not.toContain('FATAL');
    expect(code).toBe(expected);
  });
});
