/**
 * @file Runs the conformance kit whole on the three backends of Tessera and the two example plugins, on the three in Chromium too, and on wasm in
 * each of its ways, and writes docs/conformance-scorecards.md.
 *
 *   npm run scorecards                                # all, which takes an hour on two cores; those of which there is a report are not run again
 *   npm run scorecards -- --again cpu,kernels         # run these devices and levels anew; chromium-wasm-2-ops is one level of one
 *   npm run scorecards -- --page                      # the page alone, from the reports that there are
 *
 * Reports are kept in reports/scorecards. WebGPU needs an adapter (VK_ICD_FILENAMES, for one in software), OpenBLAS the system's library.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { merged, scorecardsPage } from './page.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const reports = join(root, 'reports/scorecards');
const built = (name) => `examples/${name}/dist/src/index.js`;
const LEVELS = ['kernels', 'ops', 'modules', 'optimizers', 'training'];

/** What is run of each, a level at a time; reports are in the folders `NAME-LEVEL`, where the name is the title if none is given. */
const DEVICES = [
  { title: 'cpu', about: '`@tessera/backend-cpu`, plain TypeScript', args: ['--device', 'cpu'] },
  { title: 'wasm', about: '`@tessera/backend-wasm`, WebAssembly with SIMD, as it starts by default', args: ['--device', 'wasm'] },
  {
    title: 'webgpu',
    about: '`@tessera/backend-webgpu`, in Node on a GPU in software (SwiftShader)',
    args: ['--device', 'webgpu'],
  },
  {
    title: 'openblas',
    about: '`examples/plugin-backend-openblas`, the CPU backend with products and convolutions by OpenBLAS',
    plugin: 'plugin-backend-openblas',
  },
  {
    title: 'blocks',
    about: '`examples/plugin-backend-blocks`, the seven kernels in under 400 lines, written from the docs alone',
    plugin: 'plugin-backend-blocks',
  },
];

const WAYS = [1, 2].flatMap((threads) => [false, true].map((deterministic) => ({ threads, deterministic })));
const wasmIn = (place, { threads, deterministic }) => ({
  title: `wasm, ${threads === 1 ? '1 thread' : `${threads} threads`}${deterministic ? ', deterministic' : ''}`,
  name: `${place}-wasm-${threads}${deterministic ? '-deterministic' : ''}`,
  about: deterministic ? 'without fused multiply-adds' : 'with fused multiply-adds, of relaxed SIMD',
  args: ['--device', 'wasm', '--option', `threads=${threads}`, '--option', `deterministic=${deterministic}`],
});
/** Node 20 has relaxed SIMD behind a flag; newer ones have it anyway, and may not know the flag. */
const RELAXED = ['--experimental-wasm-relaxed-simd'];
const engine = spawnSync(process.execPath, [...RELAXED, '-e', '0']).status === 0 ? RELAXED : [];
const WASM = WAYS.map((way) => ({ ...wasmIn('node', way), engine }));

const CHROMIUM = [
  { title: 'cpu', name: 'chromium-cpu', about: 'plain TypeScript, in a worker of the page', args: ['--device', 'cpu', '--browser'] },
  ...WAYS.map((way) => wasmIn('chromium', way)).map(({ about, args, ...one }) => ({
    ...one,
    about: `${about}, in a worker of the page`,
    args: [...args, '--browser'],
  })),
  {
    title: 'wasm, 2 threads, main thread',
    name: 'chromium-wasm-2-page',
    about: 'as it starts by default, on the main thread of the page, which may not wait and spins',
    args: ['--device', 'wasm', '--option', 'threads=2', '--browser', 'page'],
  },
  {
    title: 'webgpu',
    name: 'chromium-webgpu-direct',
    about: 'on a GPU in software (SwiftShader), as it starts by default: on the main thread of the page, which reads by `await` only',
    args: ['--device', 'webgpu', '--browser', 'page'],
  },
  {
    title: 'webgpu, `syncReads`',
    name: 'chromium-webgpu',
    about: 'the same in a worker of the page, read at once from another worker, which owns the device',
    args: ['--device', 'webgpu', '--browser', '--option', 'syncReads=true'],
  },
];

const argv = process.argv.slice(2);
const again = argv.includes('--again') ? argv[argv.indexOf('--again') + 1].split(',') : [];
const cardOf = (name) => join(reports, name, 'scorecard.json');

/** Builds a plugin, with what it depends on besides Tessera. */
function prepare(name) {
  const folder = join(root, 'examples', name);
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const others = Object.entries(dependencies).filter(([dependency]) => !dependency.startsWith('@tessera/'));
  if (others.some(([dependency]) => !existsSync(join(folder, 'node_modules', dependency)))) {
    // Apart: of the packages of Tessera, the registry may have none of these sources.
    const aside = mkdtempSync(join(tmpdir(), 'tessera-plugin-'));
    writeFileSync(join(aside, 'package.json'), JSON.stringify({ private: true, dependencies: Object.fromEntries(others) }));
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'], { cwd: aside, stdio: 'inherit' });
    cpSync(join(aside, 'node_modules'), join(folder, 'node_modules'), { recursive: true });
    rmSync(aside, { recursive: true });
  }
  execFileSync('npx', ['tsc', '-p', folder], { cwd: root, stdio: 'inherit' });
}

/** The runs of a device: the name of each report, and its level. */
const runsOf = ({ title, name = title }) => LEVELS.map((level) => ({ name: `${name}-${level}`, level }));

/** Is the run, its device or its level among those to run anew? */
const isAgain = ({ title, name = title }, run) => [name, run.level, run.name].some((word) => again.includes(word));

for (const device of argv.includes('--page') ? [] : [...DEVICES, ...WASM, ...CHROMIUM]) {
  for (const run of runsOf(device)) {
    const { name, level } = run;
    if (existsSync(cardOf(name)) && !isAgain(device, run)) continue;
    if (device.plugin !== undefined) prepare(device.plugin);
    mkdirSync(join(reports, name), { recursive: true });
    console.log(`\n${name}`);
    const what = device.args ?? [built(device.plugin)];
    const command = [
      ...(device.engine ?? []),
      'conformance-tests/dist/cli.js',
      ...what,
      '--just',
      level,
      '--quiet',
      '--report',
      join(reports, name),
    ];
    const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
    // A failed case is on the scorecard; a device that does not start has none.
    if (status !== 0 && status !== 1) process.exitCode = 2;
  }
}

const withCard = (device) => {
  const names = runsOf(device).map(({ name }) => name);
  const found = names.filter((name) => existsSync(cardOf(name)));
  const missing = names.filter((name) => !found.includes(name));
  if (missing.length > 0) throw new Error(`there is no report of ${missing.join(', ')}: npm run scorecards`);
  const card = merged(found.map((name) => JSON.parse(readFileSync(cardOf(name), 'utf8'))));
  return { title: device.title, about: device.about, card };
};
const [five, wasm, chromium] = [DEVICES.map(withCard), WASM.map(withCard), CHROMIUM.map(withCard)];
writeFileSync(join(root, 'docs/conformance-scorecards.md'), scorecardsPage({ five, wasm, chromium }));
const { htmlOf } = await import(pathToFileURL(join(root, 'conformance-tests/dist/index.js')).href);
const titled = [...five, ...wasm, ...chromium].map(({ title, card }) => ({ ...card, device: title }));
writeFileSync(join(reports, 'scorecards.html'), htmlOf(titled));
console.log('\ndocs/conformance-scorecards.md, and case by case: reports/scorecards/scorecards.html');
