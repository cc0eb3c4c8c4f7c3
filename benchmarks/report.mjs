// npm run bench -- [--quick] [--lib tessera-wasm,tfjs-wasm] [--case matmul512,matmul_64] [--out DIR] [--seconds S] [--rounds N] [--limit S] [--busy]
// Writes bench.json, bench.md and bench.html: Tessera beside its peers (and PyTorch, if TORCH_PY names a Python that has it), and how time grows
// with size. Exit code 1 if one of Tessera's results is wrong, 2 for an option that is none.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CASES } from './cases.mjs';
import { library, libraryNames } from './libs.mjs';
import { describeMachine, installed } from './report/machine.mjs';
import { htmlPage, markdownPage } from './report/page.mjs';
import { runCases } from './runner.mjs';
import { table } from './table.mjs';

const USAGE = `npm run bench -- [options]
  --quick            a few cases, small sizes, one short round: about two minutes
  --lib LIST         libraries, separated by commas; the first is the one that others are compared with
                     ${libraryNames().join(' ')}
  --case LIST        cases; all of them if not given
  --out DIR          where bench.json, bench.md and bench.html go (benchmarks/results)
  --seconds S        of each case and round (0.4)
  --rounds N         the best counts (2)
  --limit S          a case that takes longer has failed (120)
  --busy             the machine does other things too: count CPU time where that is less
TORCH_PY names a Python that has PyTorch.`;

const PEERS = 'tessera-wasm,tessera-wasm-1,tessera-cpu,tfjs-cpu,tfjs-wasm,tfjs-wasm-mt,jax-wasm,js-pytorch,ortweb-1,ortnode-1,torch-1';
const QUICK = {
  libs: 'tessera-wasm,tessera-cpu,tfjs-cpu,tfjs-wasm,jax-wasm,torch-1',
  cases: ['matmul256', 'add1m', 'softmax', 'tiny_add', 'mlp_train'],
  largest: { matmul: 512, batch: 256, sequence: 128 },
};

function fail(message) {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}

let options;
try {
  const string = { type: 'string' };
  options = parseArgs({
    options: {
      quick: { type: 'boolean' },
      busy: { type: 'boolean' },
      help: { type: 'boolean' },
      lib: string,
      case: string,
      out: string,
      seconds: string,
      rounds: string,
      limit: string,
    },
  }).values;
} catch (error) {
  fail(error.message);
}
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
const { quick = false } = options;
const number = (name, otherwise) => {
  const value = Number(options[name] ?? otherwise);
  if (!(value > 0)) fail(`--${name} takes a number above 0, not '${options[name]}'`);
  return value;
};

const all = Object.keys(CASES).filter(
  (name) =>
    !quick || QUICK.cases.includes(name) || (CASES[name].scale && CASES[name].scale.size <= QUICK.largest[CASES[name].scale.family]),
);
const cases = options.case?.split(',') ?? all;
const asked = (options.lib ?? (quick ? QUICK.libs : PEERS)).split(',');
const unknown = [...asked.filter((lib) => !library(lib)), ...cases.filter((name) => !Object.hasOwn(CASES, name))];
if (unknown.length > 0) fail(`unknown: ${unknown.join(', ')}`);
const settings = {
  seconds: number('seconds', quick ? 0.15 : 0.4),
  rounds: number('rounds', quick ? 1 : 2),
  limit: number('limit', quick ? 30 : 120),
};

const here = new URL('.', import.meta.url).pathname;
// One-time set-up: inputs for PyTorch, a bundle of TensorFlow.js.
if (fs.existsSync(`${here}node_modules`) && !(fs.existsSync(`${here}build/tf-node.cjs`) && fs.existsSync(`${here}data/manifest.json`)))
  spawnSync('bash', ['build.sh'], { cwd: here, stdio: 'inherit' });
const libs = asked.filter(installed);
for (const lib of asked.filter((name) => !libs.includes(name)))
  console.error(
    lib.startsWith('tessera-')
      ? `${lib} is left out: it is not built (npm run build)`
      : lib.startsWith('torch-')
        ? `${lib} is left out: TORCH_PY names no Python`
        : `${lib} is left out: it is not installed (cd benchmarks && npm ci --ignore-scripts)`,
  );
if (libs.length === 0) fail('nothing to run');

const machine = describeMachine(libs);
let done = 0;
const rows = await runCases({
  libs,
  cases,
  ...settings,
  limit: settings.limit * 1000,
  busy: options.busy ?? false,
  onRow: ({ case: name, lib, value, unit = '', status, error = '' }) => {
    done++;
    process.stderr.write(
      `[${done}/${libs.length * cases.length * settings.rounds}] ${name} ${lib}: ${value === undefined ? `${status} ${error}` : `${value.toPrecision(4)} ${unit}`}\n`,
    );
  },
});

const out = path.resolve(process.env.INIT_CWD ?? '.', options.out ?? `${here}results`);
fs.mkdirSync(out, { recursive: true });
const report = { command: ['npm run bench --', ...process.argv.slice(2)].join(' '), machine, settings, libs, cases, rows };
fs.writeFileSync(`${out}/bench.json`, JSON.stringify(report, null, 1));
fs.writeFileSync(`${out}/bench.md`, markdownPage(report));
fs.writeFileSync(`${out}/bench.html`, htmlPage(report));
console.log(table(rows, libs, cases));
console.log(`\n${out}/bench.html, bench.md, bench.json`);
const wrong = rows.filter((row) => row.lib.startsWith('tessera-') && row.status !== 'ok' && row.status !== 'skip');
for (const row of wrong) console.error(`${row.lib} ${row.case}: ${row.status} ${row.error ?? row.err}`);
process.exit(wrong.length > 0 ? 1 : 0);
