/** @file Ctrl-C, in a process of its own: the first asks, a second ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformWithOxc } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Saves for a while when it is asked to stop, and says so. */
const PROGRAM = `
import { listenForInterrupt } from './interrupt.mjs';
const interrupt = listenForInterrupt(() => console.log('at once'), Number(process.argv[2]));
const running = setInterval(() => {}, 1000);
interrupt.signal.addEventListener('abort', () => {
  console.log('saving');
  setTimeout(() => { console.log('saved'); process.exitCode = interrupt.exitCode; clearInterval(running); }, 500);
});
console.log('running');
`;

describe('Ctrl-C', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'interrupt-'));
    const source = join(import.meta.dirname, 'interrupt.ts');
    await writeFile(join(folder, 'interrupt.mjs'), (await transformWithOxc(await readFile(source, 'utf8'), source)).code);
    await writeFile(join(folder, 'main.mjs'), PROGRAM);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Sends each signal when the program has said something. `sameMs`: within so many ms, two are one. */
  async function run(signals: readonly NodeJS.Signals[], sameMs: number): Promise<{ said: string[]; code: number }> {
    const child = spawn(process.execPath, [join(folder, 'main.mjs'), String(sameMs)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit') as Promise<[number]>;
    let said = '';
    child.stdout.on('data', (text: Buffer) => void (said += text.toString()));
    for (const signal of signals) {
      await once(child.stdout, 'data');
      child.kill(signal);
    }
    const [code] = await exit;
    return { said: said.trim().split('\n'), code };
  }

  it('saves, and ends with what a shell expects', async () => {
    expect(await run(['SIGINT'], 0)).toEqual({ said: ['running', 'saving', 'saved'], code: 130 });
    expect(await run(['SIGTERM'], 0)).toEqual({ said: ['running', 'saving', 'saved'], code: 143 });
  });

  it('ends at once when it comes again, but not when npm hands on the one that the terminal sent', async () => {
    expect(await run(['SIGINT', 'SIGINT'], 0)).toEqual({ said: ['running', 'saving', 'at once'], code: 130 });
    expect(await run(['SIGINT', 'SIGINT'], 60_000)).toEqual({ said: ['running', 'saving', 'saved'], code: 130 });
  });
});
