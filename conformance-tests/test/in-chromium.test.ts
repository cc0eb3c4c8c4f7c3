/** @file `--browser`: the command's run in real Chromium, and what it says where that cannot be. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { chromiumPath, loadPlaywright } from '../src/browser/optional.js';
import { main } from '../src/cli/main.js';
import type { Scorecard } from '../src/report/scorecard.js';

const PLUGINS = path.join(import.meta.dirname, 'support/plugins-for-pages.ts');

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
// Continuous integration asks for it.
if (noChromium && (process.env['TESSERA_REQUIRE'] ?? '').split(',').includes('browser')) throw new Error(noChromium);

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

  it('says so where the page crashes', { timeout: 120_000 }, async () => {
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
