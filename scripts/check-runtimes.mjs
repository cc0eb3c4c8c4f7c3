/**
 * @file The packages where people run them: installs their tarballs into an empty folder, with runtimes and bundlers from npm, and runs one
 * program (train, save, load, on cpu and wasm, with and without threads) under each. Needs a build and the registry; not a part of CI's every run.
 *
 *   npm run check:runtimes                    # all
 *   npm run check:runtimes -- node@24 deno    # some
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, run } from './packed.mjs';

const PROGRAM = `
import { data, F, init, io, manualSeed, nn, optim, rand, tensor } from 'tessera';
import * as f from 'tessera/functional';

const results = [];
for (const [device, options] of [['cpu', {}], ['wasm', { threads: 1 }], ['wasm', { threads: 2 }]]) {
  if (results.includes('wasm')) { results.push('wasm again'); break; }
  await init({ device, backendOptions: { wasm: options } });
  manualSeed(0);
  const model = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 1));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.05 });
  const x = rand(64, 4);
  const loader = new data.DataLoader(new data.TensorDataset(x, x.sum(1, { keepdim: true })), { batchSize: 16, shuffle: true });
  let loss;
  for (let epoch = 0; epoch < 20; epoch++)
    for await (const [input, target] of loader) {
      optimizer.zeroGrad();
      loss = F.mseLoss(model(input), target);
      loss.backward();
      optimizer.step();
    }
  const value = await loss.itemAsync();
  if (!(value < 0.05)) throw new Error(device + ': the loss is ' + value);
  const bytes = await io.saveSafetensorsAsync(model.stateDict());
  model.loadStateDict(io.loadSafetensors(bytes));
  results.push(device);
}
const sum = f.add(tensor([1, 2]), 1);
if (String(await sum.toArrayAsync()) !== '2,3') throw new Error('functional: ' + (await sum.toArrayAsync()));
console.log('ok ' + results.join(', '));
`;

/** What can be asked for: what npm has to install, and the command that runs the program. */
const platform = `${process.platform}-${process.arch}`;
/** A runtime whose binary comes in a package of its own a platform; that of the same name without it would need an install script. */
const binary = (install, path, ...args) => ({
  install: [install],
  run: (cwd) => run(cwd, join(cwd, 'node_modules', path), ...args, 'program.mjs'),
});

const TARGETS = {
  node: { install: [], run: (cwd) => run(cwd, 'node', 'program.mjs') },
  'node@22': binary(`node-${platform}@22`, `node-${platform}/bin/node`),
  'node@24': binary(`node-${platform}@24`, `node-${platform}/bin/node`),
  'node@26': binary(`node-${platform}@26`, `node-${platform}/bin/node`),
  deno: binary(`@deno/${platform}-glibc`, `@deno/${platform}-glibc/deno`, 'run', '--allow-all'),
  bun: binary(`@oven/bun-${platform}`, `@oven/bun-${platform}/bin/bun`, 'run'),
  esbuild: {
    install: ['esbuild'],
    run: (cwd) => {
      run(
        cwd,
        'npx',
        'esbuild',
        'program.mjs',
        '--bundle',
        '--splitting',
        '--format=esm',
        '--outdir=out-esbuild',
        '--platform=node',
        '--external:webgpu',
        '--minify',
      );
      writeFileSync(join(cwd, 'out-esbuild/package.json'), '{"type":"module"}');
      return run(cwd, 'node', 'out-esbuild/program.js');
    },
  },
  webpack: {
    install: ['webpack', 'webpack-cli'],
    run: (cwd) => {
      writeFileSync(
        join(cwd, 'webpack.config.mjs'),
        `export default { mode: 'production', target: 'node20', entry: './program.mjs', externals: { webgpu: 'module webgpu' }, externalsPresets: { node: true },
          experiments: { outputModule: true }, output: { module: true, chunkFormat: 'module', path: ${JSON.stringify(join(cwd, 'out-webpack'))}, filename: 'main.mjs', chunkFilename: '[id].mjs' } };`,
      );
      run(cwd, 'npx', 'webpack');
      return run(cwd, 'node', 'out-webpack/main.mjs');
    },
  },
  vite: {
    install: ['vite'],
    run: (cwd) => {
      run(cwd, 'npx', 'vite', 'build', '--ssr', 'program.mjs', '--outDir', 'out-vite');
      return run(cwd, 'node', 'out-vite/program.js');
    },
  },
  standalone: {
    install: [],
    run: (cwd) => {
      writeFileSync(
        join(cwd, 'standalone.mjs'),
        PROGRAM.replace("from 'tessera'", "from 'tessera/standalone'")
          .replace("import * as f from 'tessera/functional';", '')
          .replace('f.add(tensor([1, 2]), 1)', 'tensor([1, 2]).add(1)'),
      );
      return run(cwd, 'node', 'standalone.mjs');
    },
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in TARGETS));
if (unknown.length > 0) {
  console.error(`error: there is no ${unknown.join(', ')}; there are ${Object.keys(TARGETS).join(', ')}`);
  process.exit(2);
}
const home = mkdtempSync(join(tmpdir(), 'tessera-runtimes-'));
let failed = 0;
try {
  const tarballs = pack(join(home, 'tarballs')).filter(({ name }) => name !== 'create-tessera' && name !== '@tessera/conformance-tests');
  const cwd = join(home, 'app');
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
  writeFileSync(join(cwd, 'program.mjs'), PROGRAM);
  const install = (...what) => run(cwd, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...what);
  install('--omit=optional', ...tarballs.map(({ file }) => file));
  for (const name of wanted.length > 0 ? wanted : Object.keys(TARGETS)) {
    const target = TARGETS[name];
    try {
      if (target.install.length > 0) install('--no-save', ...target.install);
      console.log(`${name}: ${target.run(cwd).trim().split('\n').at(-1)}`);
    } catch (error) {
      failed++;
      console.log(`${name}: FAILED (${String(error.message).split('\n')[0]})`);
    }
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
