// What the figures were measured on: machine, versions, date.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { library } from '../libs.mjs';

const at = (path) => new URL(`../${path}`, import.meta.url);

function version(path) {
  try {
    return JSON.parse(fs.readFileSync(at(path), 'utf8')).version;
  } catch {
    return undefined;
  }
}

/** The output of a command; undefined where it cannot be run. */
function output(command, args) {
  try {
    return execFileSync(command, args, { cwd: at('.'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

export const torchPython = () => process.env.TORCH_PY ?? [at('torch-venv/bin/python').pathname].find((path) => fs.existsSync(path));

/** npm packages behind the libraries, by the first word of their names. */
const PACKAGES = {
  tfjs: '@tensorflow/tfjs-core',
  jax: '@jax-js/jax',
  js: 'js-pytorch',
  ortweb: 'onnxruntime-web',
  ortnode: 'onnxruntime-node',
};

/** Is what a library needs installed? */
export function installed(lib) {
  const own = /^tessera-([a-z]+)/.exec(lib);
  if (own) return fs.existsSync(at(`../packages/backend-${own[1]}/dist/index.js`));
  if (library(lib)?.python) return torchPython() !== undefined;
  return fs.existsSync(at(`node_modules/${PACKAGES[lib.split('-')[0]]}/package.json`));
}

export function describeMachine(libs) {
  const versions = { tessera: version('../packages/tessera/package.json') };
  const commit = output('git', ['rev-parse', '--short', 'HEAD']);
  if (commit !== undefined) versions.tessera += ` (${commit}${output('git', ['status', '--porcelain', '-uno']) ? ', changed' : ''})`;
  for (const [word, name] of Object.entries(PACKAGES))
    if (libs.some((lib) => lib.split('-')[0] === word)) versions[name] = version(`node_modules/${name}/package.json`);
  if (libs.some((lib) => library(lib).python)) versions.PyTorch = output(torchPython(), ['-c', 'import torch; print(torch.__version__)']);
  const cpus = os.cpus();
  return {
    date: new Date().toISOString(),
    cpu: cpus[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    // Above the number of cores others were computing too: figures are too high then.
    load: os.loadavg().map((value) => Number(value.toFixed(1))),
    node: process.versions.node,
    v8: process.versions.v8,
    versions,
  };
}
