// Runs cases: each library in a process of its own; case by case they take turns, so that all meet the machine in the same state.
import { fork, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CASES } from './cases.mjs';
import { library } from './libs.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
/** In ms: a library that took longer for a size is not asked for the larger ones of the family. */
const TOO_SLOW = 4000;

/** A worker process of a library: `ask(message)` resolves with its answer. */
function startWorker(lib, seconds) {
  const { python } = library(lib);
  const executable = process.env.TORCH_PY ?? 'torch-venv/bin/python';
  const child = python
    ? spawn(executable, ['bench_torch.py', '--serve', '--threads', python, '--seconds', seconds].map(String), {
        cwd: here,
        stdio: ['pipe', 'pipe', 'ignore'],
      })
    : fork('worker.mjs', [lib], { cwd: here, execArgv: ['--max-old-space-size=8192'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let answer = null;
  let errors = '';
  const finish = (value) => {
    answer?.(value);
    answer = null;
  };
  const gone = (why) => finish({ status: 'fail', error: `${why} ${errors}`.trim().slice(0, 300) });
  child.stderr?.on('data', (text) => (errors = (errors + text).slice(-300)));
  child.on('exit', (code, signal) => gone(`the process ended (${signal ?? code})`));
  child.on('error', (error) => gone(error.message));
  if (python) {
    createInterface(child.stdout).on('line', (line) => line[0] === '{' && finish(JSON.parse(line)));
    child.stdin.on('error', () => {});
  } else child.on('message', (message) => finish(message));
  const next = () => new Promise((resolve) => (answer = resolve));
  return {
    first: python ? Promise.resolve() : next(),
    ask(message) {
      const result = next();
      if (child.exitCode !== null || child.pid === undefined) gone('the process does not run');
      else if (python) child.stdin.write(message.name + '\n');
      else child.send(message);
      return result;
    },
    stop: () => child.kill('SIGKILL'),
  };
}

/**
 * Rows { lib, case, status, value, unit, … }: one a library, case and round.
 * @param onRow Told each as it comes.
 */
export async function runCases({ libs, cases, seconds = 0.4, rounds = 1, limit = 120_000, busy = false, onRow = () => {} }) {
  const workers = new Map();
  const rows = [];

  async function measure(lib, name) {
    // Memory is measured in a fresh process.
    const alone = Boolean(CASES[name].mem);
    let worker = alone ? undefined : workers.get(lib);
    if (worker === undefined) {
      worker = startWorker(lib, seconds);
      await worker.first;
      if (!alone) workers.set(lib, worker);
    }
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve({ status: 'fail', error: `no result in ${limit / 1000} s` }), limit);
    });
    const result = await Promise.race([worker.ask({ name, seconds, memSeconds: Math.min(60, (limit / 1000) * 0.8), busy }), late]);
    clearTimeout(timer);
    if (alone || result.status === 'fail') {
      worker.stop();
      if (!alone) workers.delete(lib);
    }
    return { ...result, lib, case: name };
  }

  /** Why a case is not tried: a smaller one of its family took too long, or did not end. */
  const hopeless = (lib, { scale }) =>
    scale &&
    rows.some(
      (row) =>
        row.lib === lib &&
        CASES[row.case].scale?.family === scale.family &&
        CASES[row.case].scale.size < scale.size &&
        (row.status === 'skip' || row.status === 'fail' || row.value > TOO_SLOW),
    );

  for (let round = 0; round < rounds; round++) {
    for (const name of cases) {
      for (const lib of libs) {
        // What did not work in the first round is not tried again; memory does not vary.
        const before = rows.find((r) => r.lib === lib && r.case === name);
        if (before && (before.value === undefined || CASES[name].mem)) continue;
        const row = hopeless(lib, CASES[name])
          ? { lib, case: name, status: 'skip', error: `a smaller size took over ${TOO_SLOW / 1000} s` }
          : await measure(lib, name);
        rows.push(row);
        onRow(row);
      }
    }
  }
  for (const worker of workers.values()) worker.stop();
  return rows;
}
