// One library in a process of its own: gets { case, seconds, memSeconds } messages from bench.mjs, answers each with its result.
import fs from 'node:fs';
import { CASES } from './cases.mjs';
import { runCase } from './core.mjs';
import { library } from './libs.mjs';

const name = process.argv[2];
const lib = library(name);
let adapter;
let failed;
const load = performance.now();
try {
  adapter = await (await import(lib.file)).default(lib.opts ?? {});
  adapter.name = name;
} catch (e) {
  failed = String(e?.message ?? e).slice(0, 200);
}
const loadMs = Math.round(performance.now() - load);

const cpuTime = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

async function measure({ name: c, seconds, memSeconds, busy }) {
  if (failed) return { lib: name, case: c, status: 'fail', error: `init: ${failed}` };
  if (lib.skip?.[c]) return { lib: name, case: c, status: 'skip', error: lib.skip[c] };
  const rss = process.memoryUsage().rss;
  const result = await runCase(adapter, c, JSON.parse(fs.readFileSync(`refs/${c}.json`)), {
    seconds,
    memSeconds,
    cpuTime: busy ? cpuTime : null,
  });
  result.load_ms = loadMs;
  if (CASES[c].mem && result.status !== 'fail') {
    result.peak_rss_mb = process.resourceUsage().maxRSS / 1024;
    result.rss_before_mb = rss / 1e6;
    result.rss_after_mb = process.memoryUsage().rss / 1e6;
    result.value = result.peak_rss_mb;
    result.unit = 'MB';
  }
  return result;
}

process.on('message', (message) => void measure(message).then((result) => process.send(result)));
process.send('ready');
