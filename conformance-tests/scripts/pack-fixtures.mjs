/**
 * @file Packs reference data, as golden-scripts/ writes them, into what this package ships. Run after `npm run build`.
 *
 *   node conformance-tests/scripts/pack-fixtures.mjs SRC DEST
 *
 * SRC holds `dev/` (ops, extra_ops, modules, optim, index.json) and `seed_examples/`; what DEST had of the same names
 * goes. Each file is gzipped by itself, so that a browser fetches only what it tests. Cotangents that our own generator
 * draws again bit for bit are left out and replaced by their seeds (a sixth of all bytes); FORMAT.md, "Packing", has the
 * details.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Generator } from '@tessera/core';
import { parseSafetensors, serializeSafetensors } from '@tessera/io';

/** Where each kind of fixture lies in SRC. */
const FOLDERS = { ops: 'dev/ops', extra_ops: 'dev/extra_ops', modules: 'dev/modules', optim: 'dev/optim', seed_examples: 'seed_examples' };
/** Below this many elements normal numbers come from another algorithm, and leaving them out saves nothing. */
const EXACT_NORMALS = 16;

const [source, destination] = process.argv.slice(2);
if (!destination) throw new Error('usage: node pack-fixtures.mjs SRC DEST');

for (const entry of [...Object.keys(FOLDERS), 'contents.json', 'index.json.gz'])
  rmSync(join(destination, entry), { recursive: true, force: true });
const { torch, seed } = readJson('dev/index.json');
const contents = { torch, seed, kinds: {}, sha256: {} };
let bytes = write('index.json', readFileSync(join(source, 'dev/index.json')));
let restored = 0;
for (const [kind, folder] of Object.entries(FOLDERS)) {
  const names = readdirSync(join(source, folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -5));
  contents.kinds[kind] = names.filter((name) => !['index', 'lr_schedulers'].includes(name)).toSorted();
  // Over all manifests and all tensors as they were, so that a test can tell that nothing was lost.
  const digest = createHash('sha256');
  for (const name of contents.kinds[kind]) bytes += packOne(kind, folder, name, digest);
  contents.sha256[kind] = digest.digest('hex');
}
bytes += write('optim/lr_schedulers.json', readFileSync(join(source, 'dev/optim/lr_schedulers.json')));
bytes += write('seed_examples/index.json', readFileSync(join(source, 'seed_examples/index.json')));
writeFileSync(join(destination, 'contents.json'), `${JSON.stringify(contents, null, 1)}\n`);
process.stdout.write(`${(bytes / 1e6).toFixed(2)} MB in ${destination}; ${restored} cotangents left to their seeds\n`);

function packOne(kind, folder, name, digest) {
  const text = readFileSync(join(source, folder, `${name}.json`));
  // Some file systems do not tell T.json from t.json.
  const file = `${kind}/${kind === 'ops' ? name.replaceAll(/[A-Z]/g, '=$&') : name}`;
  const { tensors, metadata } = parseSafetensors(readFileSync(join(source, folder, `${name}.safetensors`)));
  digest.update(text);
  for (const tensor of [...tensors.keys()].toSorted((a, b) => (a < b ? -1 : 1))) digest.update(tensors.get(tensor).data);
  const { kept, streams } = withoutCotangents(JSON.parse(text), new Map(tensors));
  const extra = streams.length ? { ...metadata, randn: JSON.stringify(streams) } : metadata;
  const size = write(`${file}.json`, text);
  return size + write(`${file}.safetensors`, serializeSafetensors(kept, Object.keys(extra).length ? extra : undefined));
}

/** Takes out each cotangent that `randn` after the case's own seed gives again, and lists the draws that give it. */
function withoutCotangents(manifest, kept) {
  const all = new Map(kept);
  const streams = [];
  for (const { id, cot } of manifest.cases ?? []) {
    if (!cot) continue;
    // golden.py draws them from manual_seed(sha1(id) % 100000 + 1), in order.
    const caseSeed = (Number.parseInt(createHash('sha1').update(id).digest('hex').slice(0, 8), 16) % 100_000) + 1;
    const generator = new Generator(caseSeed);
    const draws = [];
    let useful = false;
    for (const index of cot) {
      const tensor = all.get(`t${index}`);
      if (tensor.dtype !== 'F32') break;
      const length = tensor.data.length / 4;
      const values = generator.normal(new Float32Array(length));
      draws.push([`t${index}`, tensor.shape]);
      if (length < EXACT_NORMALS || Buffer.compare(Buffer.from(values.buffer), tensor.data) !== 0) continue;
      useful = kept.delete(`t${index}`) || useful;
    }
    if (useful) streams.push([caseSeed, draws]);
  }
  restored += all.size - kept.size;
  return { kept, streams };
}

function write(path, data) {
  const zipped = gzipSync(data, { level: 9, memLevel: 9 });
  zipped[9] = 255; // "unknown operating system": the same bytes wherever this runs
  const target = join(destination, `${path}.gz`);
  mkdirSync(join(target, '..'), { recursive: true });
  writeFileSync(target, zipped);
  return zipped.length;
}

function readJson(path) {
  return JSON.parse(readFileSync(join(source, path), 'utf8'));
}
