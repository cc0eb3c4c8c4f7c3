/** @file The reference data that this package ships: complete, undamaged, and every value of it can be decoded. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isTesseraError } from '@tessera/core';
import { describe, expect, it } from 'vitest';
import {
  decodeCall,
  decodeModuleCase,
  decodeOpCase,
  decodeOptimizerCase,
  decodeTensor,
  decodeValue,
  directoryFiles,
  fetchFiles,
  fixtureSource,
  memoryFiles,
  shippedFixtures,
  tensorsIn,
} from '../src/fixtures/index.js';
import type { EncodedValue, Fixture, FixtureKind, OpManifest, TensorTable, TensorValue } from '../src/fixtures/index.js';

const root = new URL('../fixtures/', import.meta.url);
const contents = JSON.parse(readFileSync(new URL('contents.json', root), 'utf8')) as {
  kinds: Record<FixtureKind, string[]>;
  sha256: Record<string, string>;
};
const source = shippedFixtures();

/** Everything of a kind, read once for all tests. */
const loaded = new Map<FixtureKind, Promise<Map<string, Fixture>>>();
async function loadAll<K extends FixtureKind>(kind: K): Promise<Map<string, Fixture<K>>> {
  if (!loaded.has(kind)) loaded.set(kind, readAll(kind));
  return (await loaded.get(kind)) as Map<string, Fixture<K>>;
}
async function readAll<K extends FixtureKind>(kind: K): Promise<Map<string, Fixture<K>>> {
  return new Map(await Promise.all((await source.list(kind)).map(async (name) => [name, await source.load(kind, name)] as const)));
}
async function listAll<K extends FixtureKind>(kind: K): Promise<Fixture<K>[]> {
  return [...(await loadAll(kind)).values()];
}

/** How often each of some things occurs. */
function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** What must hold of a case of any op: as many gradients as leaves, cotangents of their outputs' shapes, an error for each output. */
function problemsOf({ manifest, tensors }: { manifest: OpManifest; tensors: TensorTable }): string[] {
  return manifest.cases.flatMap((opCase) => {
    const { leaves, out, backward } = decodeOpCase(opCase, tensors);
    const outputs = out ? [...tensorsIn(out)] : [];
    const problems = [
      !opCase.shape_only && outputs.map(({ dtype }) => dtype).join() !== opCase.out_dtypes.join() && 'out_dtypes',
      backward && backward.grads.length !== leaves.length && 'grads',
      backward?.cotangents.some(({ output, value }) => !sameShape(outputs[output], value)) && 'cot',
      backward?.grads.some((grad, i) => grad && !sameShape(leaves[i], grad)) && 'shape of grads',
      opCase.f32err && opCase.f32err.length !== outputs.length && 'f32err',
    ];
    return problems.filter(Boolean).map((problem) => `${opCase.id}: ${String(problem)}`);
  });
}

const sameShape = (a: TensorValue, b: TensorValue): boolean => a.shape.join() === b.shape.join();

describe('the shipped fixtures', { timeout: 120_000 }, () => {
  it('are as many as README says', async () => {
    const [ops, extraOps, modules, optimizers] = [
      await listAll('ops'),
      await listAll('extra_ops'),
      await listAll('modules'),
      await listAll('optim'),
    ];
    const total = (list: readonly { manifest: { cases: readonly unknown[]; errors: readonly unknown[] } }[]): unknown => ({
      files: list.length,
      cases: list.flatMap(({ manifest }) => manifest.cases).length,
      errors: list.flatMap(({ manifest }) => manifest.errors).length,
    });
    expect(total(ops)).toEqual({ files: 506, cases: 8874, errors: 579 });
    expect(total(extraOps)).toEqual({ files: 8, cases: 30, errors: 0 });
    expect(total(modules)).toEqual({ files: 139, cases: 768, errors: 31 });
    expect(total(optimizers)).toEqual({ files: 14, cases: 87, errors: 98 });
    const opCases = ops.flatMap(({ manifest }) => manifest.cases);
    expect(opCases.filter(({ grads }) => grads)).toHaveLength(5123);
    expect(tally(opCases.map(({ variant }) => variant))).toEqual({
      sample: 4034,
      int64: 1141,
      reference: 951,
      bool: 814,
      edge: 810,
      noncontig: 785,
      special: 339,
    });
    expect(new Set(opCases.map(({ id }) => id)).size).toBe(8874);
    expect(await source.list('schedulers')).toHaveLength(12);
    expect(await source.list('seed_examples')).toHaveLength(7);
  });

  it.each(['ops', 'extra_ops', 'modules', 'optim', 'seed_examples'] as const)('%s lost nothing in packing', async (kind) => {
    const digest = createHash('sha256');
    const files = directoryFiles(root);
    for (const [name, { tensors }] of await loadAll(kind)) {
      digest.update(await files.read(`${kind}/${kind === 'ops' ? name.replaceAll(/[A-Z]/g, '=$&') : name}.json`));
      for (const key of [...tensors.keys()].toSorted()) digest.update(tensors.get(key)!.data);
    }
    expect(digest.digest('hex')).toBe(contents.sha256[kind]);
  });

  it('decode: ops', async () => {
    const all = [...(await listAll('ops')), ...(await listAll('extra_ops'))];
    expect(all.flatMap(problemsOf)).toEqual([]);
    const refused = all.flatMap(({ manifest, tensors }) => manifest.errors.map((error) => decodeCall(error, tensors)));
    expect(refused).toHaveLength(579);
  });

  it('decode: modules', async () => {
    for (const { manifest, tensors } of await listAll('modules')) {
      const cases = manifest.cases.map((moduleCase) => decodeModuleCase(moduleCase, tensors));
      expect(cases.every(({ backward, leaves }) => !backward || backward.grads.length === leaves.length)).toBe(true);
      for (const error of manifest.errors) decodeCall(error.ctor, tensors);
      for (const { args, kwargs } of manifest.errors) if (args && kwargs) decodeCall({ args, kwargs }, tensors);
    }
  });

  it('decode: optimizers, schedulers and the models of the seed', async () => {
    for (const { manifest, tensors } of await listAll('optim')) {
      for (const optimizerCase of manifest.cases) {
        const { after, x } = decodeOptimizerCase(optimizerCase, tensors);
        expect(after.map(({ step }) => step)).toEqual([1, 2, 5, 20]);
        expect(x.shape).toEqual([8, optimizerCase.sizes[0]]);
        expect(optimizerCase.losses).toHaveLength(20);
      }
      for (const { kwargs } of manifest.errors) decodeCall({ args: [], kwargs }, tensors);
    }
    for (const { manifest } of await listAll('schedulers')) expect(manifest.lrs.length).toBeGreaterThan(10);
    for (const { manifest, tensors } of await listAll('seed_examples')) {
      expect(Object.values(manifest.runs).map(({ losses }) => losses.length)).toEqual([10, 10, 10]);
      expect([...tensors.keys()]).toEqual(expect.arrayContaining(manifest.state_dict_keys.map((key) => `param.${key}`)));
    }
  });
});

describe('the sources of fixtures', () => {
  const onDisk = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(new URL(path, root)));
  const served = fixtureSource(
    fetchFiles('https://example.org/fixtures', async ({ pathname }) => {
      try {
        return new Response(onDisk(pathname.replace('/fixtures/', '')));
      } catch {
        return new Response(null, { status: 404 });
      }
    }),
  );
  const paths = ['ops/=T.json.gz', 'ops/=T.safetensors.gz', 'ops/t.json.gz', 'ops/t.safetensors.gz', 'optim/lr_schedulers.json.gz'];
  const inMemory = fixtureSource(memoryFiles(new Map(paths.map((path) => [path, onDisk(path)]))));

  it('give the same from disk, from a server and from memory; T is not t', async () => {
    const fromDisk = await source.load('ops', 'T');
    expect(fromDisk.manifest.op).toBe('T');
    expect((await source.load('ops', 't')).manifest.op).toBe('t');
    for (const other of [served, inMemory]) {
      expect(await other.load('ops', 'T')).toEqual(fromDisk);
      expect(await other.load('schedulers', 'StepLR')).toEqual(await source.load('schedulers', 'StepLR'));
    }
  });

  it('list the same', async () => {
    for (const kind of ['ops', 'extra_ops', 'modules', 'optim', 'seed_examples', 'schedulers'] as const) {
      expect(await served.list(kind)).toEqual(await source.list(kind));
    }
    expect(await source.list('ops')).toEqual(contents.kinds.ops);
    expect(await inMemory.list('ops')).toEqual(['T', 't']);
  });

  it('read files that are not packed, with names that are not marked', async () => {
    const unpacked = (path: string): Promise<Uint8Array> => directoryFiles(root).read(path);
    const plain = new Map([
      ['ops/T.json', await unpacked('ops/=T.json')],
      ['ops/T.safetensors', await unpacked('ops/=T.safetensors')],
    ]);
    expect(await fixtureSource(memoryFiles(plain)).load('ops', 'T')).toEqual(await source.load('ops', 'T'));
  });

  it.each([
    ['ERR_FIXTURE_MISSING', new Map()],
    ['ERR_FIXTURE_MISSING', new Map([['ops/add.json', '{}']])],
    ['ERR_FIXTURE_JSON', new Map([['ops/add.json', '{']])],
    ['ERR_FIXTURE_GZIP', new Map([['ops/add.json.gz', '\u001f\u008bno']])],
    [
      'ERR_SAFETENSORS_TRUNCATED',
      new Map([
        ['ops/add.json', '{}'],
        ['ops/add.safetensors', 'short'],
      ]),
    ],
  ])('say %s of %j', async (code, files: Map<string, string>) => {
    const bytes = [...files].map(([path, text]) => [path, Uint8Array.from(text, (character) => character.codePointAt(0)!)] as const);
    expect(await codeOf(() => fixtureSource(memoryFiles(new Map(bytes))).load('ops', 'add'))).toBe(code);
    expect(await codeOf(() => served.load('ops', 'no_such_op'))).toBe('ERR_FIXTURE_MISSING');
    expect(await codeOf(() => source.load('schedulers', 'NoSuchLR'))).toBe('ERR_FIXTURE_MISSING');
  });
});

describe('decodeValue', () => {
  const tensors: TensorTable = new Map([
    ['t0', { dtype: 'I64', shape: [4], data: new Uint8Array(BigInt64Array.of(1n, 2n, 3n, 2n ** 40n).buffer) }],
    ['t1', { dtype: 'F16', shape: [], data: Uint8Array.of(0, 0x3c) }],
    ['t2', { dtype: 'C64', shape: [], data: new Uint8Array(8) }],
  ]);

  it.each<[EncodedValue, unknown]>([
    [1, { kind: 'int', value: 1 }],
    [{ f: 1 }, { kind: 'float', value: 1 }],
    [{ f: 'nan' }, { kind: 'float', value: NaN }],
    [{ f: '-inf' }, { kind: 'float', value: -Infinity }],
    [{ i: '9223372036854775807' }, { kind: 'int', value: 2n ** 63n - 1n }],
    [null, { kind: 'null' }],
    [
      [true, 'x'],
      {
        kind: 'list',
        items: [
          { kind: 'bool', value: true },
          { kind: 'string', value: 'x' },
        ],
      },
    ],
    [{ tuple: [{ ellipsis: true }] }, { kind: 'tuple', items: [{ kind: 'ellipsis' }] }],
    [{ dict: { f: 1 } }, { kind: 'dict', entries: { f: { kind: 'int', value: 1 } } }],
    [{ slice: [null, 3, null] }, { kind: 'slice', start: { kind: 'null' }, stop: { kind: 'int', value: 3 }, step: { kind: 'null' } }],
    [{ dtype: 'float64' }, { kind: 'dtype', name: 'float64' }],
    [{ fn: 'gelu' }, { kind: 'fn', name: 'gelu' }],
    [
      { module: 'LayerNorm', kwargs: { normalized_shape: [3], eps: 1e-5 } },
      {
        kind: 'module',
        name: 'LayerNorm',
        kwargs: { normalized_shape: { kind: 'list', items: [{ kind: 'int', value: 3 }] }, eps: { kind: 'float', value: 1e-5 } },
        repr: null,
      },
    ],
    [{ t: 1 }, { kind: 'tensor', dtype: 'float16', shape: [], data: Uint16Array.of(0x3c00), grad: false }],
    [
      { t: 0, grad: true, alias: 0, view: { size: [2, 2], stride: [2, 1], offset: 0 } },
      {
        kind: 'tensor',
        dtype: 'int64',
        shape: [2, 2],
        data: BigInt64Array.of(1n, 2n, 3n, 2n ** 40n),
        view: { size: [2, 2], stride: [2, 1], offset: 0 },
        grad: true,
        alias: 0,
      },
    ],
  ])('reads %j', (encoded, value) => expect(decodeValue(encoded, tensors)).toEqual(value));

  it('gives each use of a tensor bytes of its own', () => {
    decodeTensor(0, tensors).data.fill(0n as never);
    expect(decodeTensor(0, tensors).data).toEqual(BigInt64Array.of(1n, 2n, 3n, 2n ** 40n));
  });

  it.each<[string, EncodedValue]>([
    ['ERR_FIXTURE_VALUE', 1.5],
    ['ERR_FIXTURE_VALUE', { i: '1.5' }],
    ['ERR_FIXTURE_VALUE', { f: 'infinity' } as never],
    ['ERR_FIXTURE_VALUE', [{ complex: [1, 2] }] as never],
    ['ERR_FIXTURE_TENSOR', { t: 9 }],
    ['ERR_FIXTURE_TENSOR', { t: 2 }],
    ['ERR_FIXTURE_TENSOR', { t: 0, view: { size: [3], stride: [2], offset: 0 } }],
    ['ERR_FIXTURE_TENSOR', { t: 0, view: { size: [1], stride: [1], offset: -1 } }],
  ])('refuses with %s %j', async (code, encoded) => {
    expect(await codeOf(() => decodeValue(encoded, tensors))).toBe(code);
  });
});

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (isTesseraError(error)) return error.code;
    throw error;
  }
  return 'no error';
}
