/** @file `--browser`: the command's run in real Chromium, and what it says where that cannot be. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { chromiumPath, loadPlaywright } from '../src/browser/optional.js';
import { main } from '../src/cli/main.js';
import type { Scorecard } from '../src/report/scorecard.js';

const PLUGINS = path.join(import.meta.dirname, 'support/plugins-for-pages.ts');

const COMMAND = path.join(import.meta.dirname, '../dist/cli.js');

/** Processes with an argument, on Linux. */
async function processesWith(argument: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return ids.filter((_, i) => lines[i]!.split('\0').includes(argument));
}

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'conformance-browser-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...argv: string[]): Promise<{ code: number; lines: string[]; card: Scorecard | undefined }> {
  const lines: string[] = [];
  const file = path.join(folder, `${expect.getState().currentTestName!.replaceAll(/\W/g, '')}-${argv.includes('--browser')}.json`);
  const code = await main([...argv, '--json', file], { program: 'conformance', write: (line) => lines.push(line) });
  const card = code === 2 ? undefined : (JSON.parse(await readFile(file, 'utf8')) as Scorecard);
  return { code, lines, card };
}

function setEnvironment(name: string, value: string): void {
  vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

const noChromium = await loadPlaywright()
  .then(chromiumPath)
  .then(
    () => false as const,
    (error: Error) => error.message,
  );

const required = (process.env['TESSERA_REQUIRE'] ?? '').split(',').includes('browser');
if (noChromium && required) throw new Error(noChromium);

describe.skipIf(noChromium)('in Chromium', () => {
  it('gives the scorecard that Node gives', { timeout: 120_000 }, async () => {
    const what = ['--device', 'wasm', '--option', 'threads=2', '--only', 'scan/sum,log_softmax/sample,nn.Softmax,Adagrad'];
    const [node, chromium] = [await run(...what), await run(...what, '--browser')];
    expect(chromium.code).toBe(0);
    const { browser, ...card } = chromium.card!;
    expect(browser).toMatch(/^Chromium \d[\d.]+, in a worker$/);
    expect(card).toEqual(node.card);
    expect(chromium.lines).toEqual(node.lines);
  });

  it('sees a wrong backend fail, and prints the command that runs the case there', { timeout: 120_000 }, async () => {
    const only = 'scan/sum/prime';
    const { code, lines, card } = await run(
      '--plugin',
      PLUGINS,
      '--device',
      'sound,wrong',
      '--just',
      'kernels',
      '--only',
      only,
      '--browser',
      'page',
    );
    expect(code).toBe(1);
    expect(card).toMatchObject([
      { device: 'sound', passed: 1, failed: 0 },
      { device: 'wrong', passed: 0, failed: 1, rows: [{ failures: [{ id: only }] }] },
    ]);
    expect(lines).toContainEqual(
      `    run it    conformance --device wrong --plugin ${PLUGINS} --browser page --just kernels --only '${only}'`,
    );
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped');
  });

  // Where it is asked for, as in continuous integration, which has built the command and a Linux to look at.
  it.skipIf(!required)('ends at Ctrl-C, and Chromium with it, however busy its page is', { timeout: 120_000 }, async () => {
    const marker = `--marker-of-a-test=${process.pid}`;
    const argv = [COMMAND, '--plugin', PLUGINS, '--device', 'sound,endless', '--only', 'scan/sum/prime', '--browser', 'page'];
    const child = spawn(process.execPath, argv, { env: { ...process.env, CHROMIUM_FLAGS: marker }, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data'); // the first device is done
    await setTimeout(1000); // and the second one's page is at it, on a machine that is not slow
    expect(await processesWith(marker)).not.toEqual([]);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    await expect.poll(() => processesWith(marker)).toEqual([]);
  });

  it.skipIf(!required)('says so where the page crashes', { timeout: 120_000 }, async () => {
    setEnvironment('CHROMIUM_FLAGS', '--js-flags=--max-old-space-size=64');
    const { code, lines } = await run('--plugin', PLUGINS, '--device', 'greedy', '--browser');
    expect(code).toBe(2);
    expect(lines.join('\n')).toMatch(/^DeviceError \[ERR_BROWSER_CRASHED\]: the page crashed/);
  });
});

it('says what to install where there is no Chromium', async () => {
  setEnvironment('CHROMIUM_PATH', path.join(folder, 'none'));
  const { code, lines } = await run('--browser');
  expect(code).toBe(2);
  expect(lines).toEqual([expect.stringMatching(/^DeviceError \[ERR_BROWSER_MISSING\]: .* which CHROMIUM_PATH names: install Chromium/)]);
});

it('says which module cannot be bundled', async () => {
  if (noChromium) setEnvironment('CHROMIUM_PATH', process.execPath); // it does not come to be started
  const { code, lines } = await run('./nowhere.js', '--browser');
  expect(code).toBe(2);
  expect(lines).toEqual([
    expect.stringMatching(
      /^DeviceError \[ERR_BROWSER_BUNDLE\]: '\.\/nowhere\.js' cannot be bundled for a page: there is no file .*nowhere\.js$/,
    ),
  ]);
});
