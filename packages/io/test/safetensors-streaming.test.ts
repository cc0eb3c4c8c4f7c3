/** @file safetensors piece by piece: one tensor at a time from files, Blobs and streams; written so, too; and in shards with an index. */
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuPlugin } from '@tessera/backend-cpu';
import { arange, runtimes, tensor, type Tensor, zeros } from '@tessera/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ByteSource,
  openSafetensors,
  openSafetensorsShards,
  type Readable,
  type SafetensorsReader,
  safetensorsChunks,
  saveSafetensors,
  saveSafetensorsFile,
  saveSafetensorsShards,
  shardSafetensors,
  streamSafetensors,
} from '../src/index.js';
import { fileOf } from './safetensors-files.js';

let folder: string;
beforeAll(async () => {
  runtimes.current.use(cpuPlugin);
  folder = await mkdtemp(join(tmpdir(), 'tessera-safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

const state = (): Map<string, Tensor> =>
  new Map<string, Tensor>([
    ['encoder.weight', arange(12).to('float32').view(4, 3)],
    ['encoder.half', tensor([0.5, 2], { dtype: 'float16' })],
    ['encoder.turned', arange(6).view(2, 3).t()],
    ['norm.num_batches_tracked', tensor(7, { dtype: 'int32' })],
    ['head.mask', tensor([true, false, true])],
    ['head.none', zeros(0, 5)],
  ]);
const values = (tensors: Iterable<readonly [string, Tensor]>): unknown =>
  Object.fromEntries([...tensors].map(([name, t]) => [name, [t.dtype, t.shape, t.toArray()]]));

/** Bytes in memory that tell how many are read. */
function counted(bytes: Uint8Array): ByteSource & { total: number; largest: number } {
  const source = {
    size: bytes.length,
    total: 0,
    largest: 0,
    read: async (offset: number, length: number) => {
      source.total += length;
      source.largest = Math.max(source.largest, length);
      return bytes.slice(offset, offset + length);
    },
  };
  return source;
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

const code = (code: string): unknown => expect.objectContaining({ code: `ERR_SAFETENSORS_${code}` });

describe('openSafetensors', () => {
  it('reads one tensor at a time, from paths, handles, Blobs and sources of one’s own', async () => {
    const path = join(folder, 'model.safetensors');
    const bytes = saveSafetensors(state(), { metadata: { format: 'pt' } });
    await writeFile(path, bytes);
    const handle = await open(path);
    for (const from of [path, folder, handle, new Blob([bytes as BlobPart]), counted(bytes)]) {
      const file = await openSafetensors(from);
      expect({ ...file.metadata }).toEqual({ format: 'pt' });
      expect(file.tensors.get('norm.num_batches_tracked')).toMatchObject({ dtype: 'I64', shape: [], byteLength: 8 });
      expect(values(await collect(file))).toEqual(values(state()));
      expect((await file.getTensor('encoder.half')).toArray()).toEqual([0.5, 2]);
      await file.close();
    }
    // A handle is its owner's; what was opened from a path is closed.
    expect((await handle.stat()).size).toBe(bytes.length);
    await handle.close();
    const closed = await openSafetensors(path);
    await closed.close();
    await closed.close();
    await expect(closed.getTensor('encoder.half')).rejects.toThrow('closed');
  });

  it('reads no more than is asked for', async () => {
    const big = new Map([['small', tensor([1, 2])], ...Array.from({ length: 8 }, (_, i) => [`big.${i}`, arange(1000).add(i)] as const)]);
    const source = counted(saveSafetensors(big));
    const file = await openSafetensors(source);
    const header = source.total;
    expect(header).toBeLessThan(1000);
    expect((await file.getTensor('big.3')).toArray()).toEqual(Array.from({ length: 1000 }, (_, i) => i + 3));
    expect(source.total - header).toBe(4000);
    expect(await collect(file.entries({ filter: (name) => name === 'small' }))).toHaveLength(1);
    expect(source.total - header).toBe(4008);
    await collect(file);
    expect(source.largest).toBe(4000);
  });

  it('reads rows', async () => {
    const file = await openSafetensors(counted(saveSafetensors(state())));
    const rows = async (start: number, end: number): Promise<unknown> => (await file.getSlice('encoder.weight', start, end)).toArray();
    expect(await rows(1, 3)).toEqual([
      [3, 4, 5],
      [6, 7, 8],
    ]);
    expect(await rows(-1, 99)).toEqual([[9, 10, 11]]);
    expect((await file.getSlice('encoder.weight', 3, 1)).shape).toEqual([0, 3]);
    expect((await file.getSlice('head.none', 0, 1)).shape).toEqual([0, 5]);
    await expect(file.getSlice('norm.num_batches_tracked', 0, 1)).rejects.toEqual(code('SLICE'));
    await expect(file.getSlice('encoder.weight', 0.5, 1)).rejects.toEqual(code('SLICE'));
  });

  it('says what is not there, and what is broken', async () => {
    const bytes = saveSafetensors(state());
    const file = await openSafetensors(counted(bytes));
    await expect(file.getTensor('encoder.wieght')).rejects.toThrow(/Did you mean 'encoder.weight'/);
    await expect(openSafetensors(counted(bytes.slice(0, -1)))).rejects.toEqual(code('TRUNCATED'));
    await expect(openSafetensors(counted(new Uint8Array(3)))).rejects.toEqual(code('TRUNCATED'));
    await expect(openSafetensors(counted(fileOf('{', 0, 99_000_000n)))).rejects.toEqual(code('TRUNCATED'));
    await expect(openSafetensors({ size: 1e6, read: async (_: number, length: number) => new Uint8Array(length) })).rejects.toEqual(
      code('HEADER_JSON'),
    );
    await expect(openSafetensors({ size: 1e6, read: async () => new Uint8Array(4) })).rejects.toEqual(code('TRUNCATED'));
    await expect(openSafetensors(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(openSafetensors(tmpdir())).rejects.toEqual(code('MISSING'));
  });
});

describe('streamSafetensors', () => {
  const bytes = (): Uint8Array => saveSafetensors(state());

  it.each([1, 7, 1 << 20])('gives each tensor when it is whole, from pieces of %i bytes', async (size) => {
    expect(values(await collect(streamSafetensors(inPieces(bytes(), size))))).toEqual(values(state()));
    const heads = await collect(streamSafetensors(inPieces(bytes(), size), { filter: (name) => name.startsWith('head.') }));
    expect(heads.map(([name]) => name).toSorted()).toEqual(['head.mask', 'head.none']);
  });

  it('reads responses and streams, and cancels those that are not read to their end', async () => {
    expect(values(await collect(streamSafetensors(new Response(bytes() as BodyInit))))).toEqual(values(state()));
    await expect(collect(streamSafetensors(new Response('', { status: 404 })))).rejects.toEqual(code('RESPONSE'));
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes()),
      cancel: () => void (cancelled = true),
    });
    for await (const [name] of streamSafetensors(stream)) if (name !== '') break;
    expect(cancelled).toBe(true);
  });

  it('gives what comes before the fault, and then tells it', async () => {
    const seen: string[] = [];
    const read = async (cut: Uint8Array): Promise<void> => {
      for await (const [name] of streamSafetensors(inPieces(cut, 5))) seen.push(name);
    };
    await expect(read(bytes().slice(0, -1))).rejects.toEqual(code('TRUNCATED'));
    expect(seen).toHaveLength(5);
    const longer = new Uint8Array(bytes().length + 1);
    longer.set(bytes());
    await expect(read(longer)).rejects.toEqual(code('TRAILING'));
    // A petabyte is claimed; nothing is allocated for it.
    const claim = fileOf('{"a":{"dtype":"U8","shape":[1000000000000000],"data_offsets":[0,1000000000000000]}}', 100);
    await expect(read(claim)).rejects.toEqual(code('TRUNCATED'));
    await expect(read(fileOf('{}', 0, 2n ** 63n))).rejects.toEqual(code('HEADER_SIZE'));
  });
});

describe('writing', () => {
  it('gives the bytes of saveSafetensors, piece by piece', async () => {
    const options = { metadata: { format: 'pt' }, int64: (name: string) => name === 'encoder.turned' };
    const pieces = await collect(safetensorsChunks(state(), options));
    // The header, and each tensor that has elements.
    expect(pieces).toHaveLength(1 + 5);
    expect(new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer())).toEqual(saveSafetensors(state(), options));
    const path = join(folder, 'deep', 'weights.safetensors');
    await saveSafetensorsFile(path, state(), options);
    expect(new Uint8Array(await readFile(path))).toEqual(saveSafetensors(state(), options));
    await expect(saveSafetensorsFile(path, new Map([['__proto__', tensor([1])]]))).rejects.toEqual(code('NAME'));
    expect(await readdir(join(folder, 'deep'))).toEqual(['weights.safetensors']);
  });
});

describe('shards', () => {
  const four = (): Map<string, Tensor> => new Map(['d', 'c', 'b', 'a'].map((name, i) => [name, arange(10).add(i)]));

  it('are filled in order, with the names and the index of Hugging Face', async () => {
    const { files, index } = shardSafetensors(four(), { maxShardSize: 100 });
    expect([...files].map(([file, part]) => [file, part.map(([name]) => name)])).toEqual([
      ['model-00001-of-00002.safetensors', ['d', 'c']],
      ['model-00002-of-00002.safetensors', ['b', 'a']],
    ]);
    // As json.dumps(index, indent=2, sort_keys=True) writes it.
    expect(index).toBe(`{
  "metadata": {
    "total_size": 160
  },
  "weight_map": {
    "a": "model-00002-of-00002.safetensors",
    "b": "model-00002-of-00002.safetensors",
    "c": "model-00001-of-00002.safetensors",
    "d": "model-00001-of-00002.safetensors"
  }
}
`);
    expect(shardSafetensors(four()).index).toBeNull();
    // A tensor that is larger than a shard may be has its own.
    expect(shardSafetensors(four(), { maxShardSize: '0.01KB' }).files.size).toBe(4);
    expect(shardSafetensors(four(), { maxShardSize: '0.15625KiB' }).files.size).toBe(1);
    const twice = [['a', tensor([1])] as const, ['a', tensor([2])] as const];
    expect(() => shardSafetensors(twice, { maxShardSize: 4 })).toThrow(expect.objectContaining({ code: 'ERR_SAFETENSORS_NAME' }));
    for (const maxShardSize of [0, -1, NaN, '5 apples', ''])
      expect(() => shardSafetensors(four(), { maxShardSize })).toThrow(expect.objectContaining({ code: 'ERR_SAFETENSORS_SHARD_SIZE' }));
  });

  it('are written and read as one model; those of an earlier one go', async () => {
    const model = join(folder, 'model');
    for (const maxShardSize of [40, 80, '5GB', 120]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await saveSafetensorsShards(model, four(), { maxShardSize });
      // oxlint-disable-next-line no-await-in-loop -- as above
      const file = await openSafetensors(model);
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(values(await collect(file))).toEqual(values(four()));
      expect({ ...file.metadata }).toEqual({ format: 'pt' });
      // oxlint-disable-next-line no-await-in-loop -- as above
      await file.close();
    }
    expect((await readdir(model)).toSorted()).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ]);
    const byIndex = await openSafetensors(join(model, 'model.safetensors.index.json'));
    expect((await byIndex.getTensor('b')).toArray()).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await byIndex.close();
    await rm(join(model, 'model-00002-of-00002.safetensors'));
    await expect(openSafetensors(model)).rejects.toEqual(code('MISSING'));
  });

  /** Two shards in memory, and an index that may be wrong. */
  const opened = (index: unknown, options = {}): Promise<SafetensorsReader> => {
    const files: Record<string, Uint8Array> = {
      'one.safetensors': saveSafetensors({ a: tensor([1]), b: tensor([2]) }),
      'two.safetensors': saveSafetensors({ c: tensor([3]) }),
      'twice.safetensors': saveSafetensors({ a: tensor([1]), d: tensor([3]) }),
    };
    const open = async (file: string): Promise<Readable> => {
      const bytes = files[file];
      if (bytes === undefined) throw Object.assign(new Error(`${file} was opened`), { code: 'ENOENT' });
      return new Blob([bytes as BlobPart]);
    };
    return openSafetensorsShards(typeof index === 'string' ? index : JSON.stringify(index), open, options);
  };
  const good = { a: 'one.safetensors', b: 'one.safetensors', c: 'two.safetensors' };

  it('may have an index that tells no size, or tells it as a fraction', async () => {
    for (const [index, options] of [
      [{ weight_map: good }],
      [{ metadata: { total_size: 12, total_parameters: 3 }, weight_map: good }],
      ['{"metadata":{"total_size":4.0},"weight_map":{"c":"two.safetensors"}}'],
      [{ metadata: { total_size: 5 }, weight_map: good }, { ignoreTotalSize: true }],
    ])
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await opened(index, options)).tensors.has('c')).toBe(true);
    expect((await opened({ weight_map: {} })).tensors.size).toBe(0);
  });

  it.each<[string, string, unknown]>([
    ['INDEX', 'a way out of the folder', { weight_map: { a: '../one.safetensors' } }],
    ['INDEX', 'an absolute path', { weight_map: { a: '/etc/passwd.safetensors' } }],
    ['INDEX', 'a folder of Windows', { weight_map: { a: '..\\one.safetensors' } }],
    ['INDEX', 'a drive', { weight_map: { a: 'C:one.safetensors' } }],
    ['INDEX', 'a URL', { weight_map: { a: 'http://host/one.safetensors' } }],
    ['INDEX', 'a zero byte', { weight_map: { a: 'one\0.safetensors' } }],
    ['INDEX', 'a file of another kind', { weight_map: { a: 'model.pt' } }],
    ['INDEX', 'no text for a file', { weight_map: { a: ['one.safetensors'] } }],
    ['MISSING', 'a shard that is not there', { weight_map: { ...good, d: 'three.safetensors' } }],
    ['INDEX', 'a tensor that its shard lacks', { weight_map: { ...good, d: 'two.safetensors' } }],
    ['INDEX', 'a tensor in another shard', { weight_map: { ...good, b: 'two.safetensors' } }],
    ['INDEX', 'a name in two shards', { weight_map: { ...good, d: 'twice.safetensors' } }],
    ['INDEX', 'a tensor that it does not list', { weight_map: { a: 'one.safetensors' } }],
    ['DUPLICATE_KEY', 'a name twice', '{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}'],
    ['NAME', 'a forbidden name', '{"weight_map":{"__proto__":"one.safetensors"}}'],
    ['INDEX', 'a wrong total size', { metadata: { total_size: 13 }, weight_map: good }],
    ['INDEX', 'a total size that is none', { metadata: { total_size: '12' }, weight_map: good }],
    ['INDEX', 'a negative one', { metadata: { total_size: -12 }, weight_map: good }],
    ['INDEX', 'no map', { weight_map: [] }],
    ['INDEX', 'nothing', 'null'],
    ['INDEX', 'no JSON', '{'],
    ['INDEX', 'nesting without end', '['.repeat(1e5)],
  ])('are refused with %s: %s', async (expected, _, index) => {
    await expect(opened(index)).rejects.toEqual(code(expected));
  });
});
