/** @file PyTorch's files: fixtures that it wrote are read, training goes on from them, and broken or hostile ones are refused. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cpuPlugin } from '@tessera/backend-cpu';
import { isTensor, runtimes, tensor, type Tensor } from '@tessera/core';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTorch, saveTorch, saveTorchAsync, type TorchValue } from '../src/index.js';

beforeAll(() => void runtimes.current.use(cpuPlugin));

const folder = fileURLToPath(new URL('fixtures/torch/', import.meta.url));
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(folder + name));
const expectedOf = (name: string): unknown => JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8'));

/** A value as the script that made the fixtures describes it. */
function describeValue(value: TorchValue): unknown {
  if (isTensor(value)) {
    return {
      dtype: value.dtype,
      shape: value.shape,
      values: Array.from(value.data(), (x) => (value.dtype === 'bool' ? x === 1 : x)),
      grad: value.requiresGrad,
    };
  }
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (value instanceof Set) return [...(value as ReadonlySet<number>)].toSorted((a, b) => a - b);
  if (Array.isArray(value)) return (value as readonly TorchValue[]).map(describeValue);
  if (value instanceof Map) return { dict: [...(value as ReadonlyMap<string, TorchValue>)].map(([k, v]) => [k, describeValue(v)]) };
  if (typeof value === 'bigint') return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : { bigint: String(value) };
  if (typeof value === 'number' && !Number.isFinite(value)) return { float: value > 0 ? 'inf' : '-inf' };
  if (typeof value === 'object' && value !== null)
    return { dict: Object.entries(value).map(([k, v]) => [k, describeValue(v as TorchValue)]) };
  return value;
}

/** Dicts by key: a plain object lists keys that look like whole numbers first. */
const sorted = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, v: unknown) => {
    const dict = (v as { dict?: [unknown, unknown][] } | null)?.dict;
    return dict ? { dict: Object.fromEntries(dict.map(([k, item]) => [String(k), item])) } : v;
  });

const INTEGERS = new Set(['int64', 'int16', 'int8', 'uint16', 'uint32']);
/** Integers of other sizes are int32 here. */
const asOurs = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, v: unknown) => (key === 'dtype' && INTEGERS.has(v as string) ? 'int32' : v));

describe('reading what PyTorch wrote', () => {
  it.each(['dtypes', 'views', 'nested'])('%s.pt', (name) => {
    expect(sorted(describeValue(loadTorch(file(`${name}.pt`))))).toEqual(sorted(asOurs(expectedOf(name))));
  });

  it('pickles of protocol 4 too', () => {
    expect(sorted(describeValue(loadTorch(file('protocol4.pt'))))).toEqual(sorted(asOurs(expectedOf('nested'))));
  });

  it('keeps memory shared', () => {
    const views = loadTorch(file('views.pt')) as Map<string, Tensor>;
    views.get('whole')!.select(0, 1).fill_(-1);
    expect(views.get('column')!.toArray()).toEqual([2, -1, 14, 20]);
    expect(views.get('transposed')!.select(1, 1).toArray()).toEqual([-1, -1, -1, -1, -1, -1]);
    expect(views.get('first')!.storage).toBe(views.get('second')!.storage);
  });

  it('refuses whole modules, scripts, the old form and dtypes that are not here, saying why', () => {
    const refused = (name: string): unknown => {
      try {
        return loadTorch(file(name));
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    expect(refused('module.pt')).toBe('ERR_PICKLE_GLOBAL');
    expect(refused('script.pt')).toBe('ERR_TORCH_SCRIPT');
    expect(refused('legacy.pt')).toBe('ERR_TORCH');
    expect(refused('complex.pt')).toBe('ERR_PICKLE_GLOBAL');
    expect(() => loadTorch(file('module.pt'))).toThrow(/nothing was run/);
  });
});

describe('writing', () => {
  const value = (): Parameters<typeof saveTorch>[0] => {
    const base = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    return {
      model: new Map<string, Tensor>([
        ['fc.weight', base],
        ['tied', base],
        ['turned', base.t()],
        ['bn.num_batches_tracked', tensor(3, { dtype: 'int32' })],
      ]),
      halves: [tensor([0.5, 2], { dtype: 'float16' }), tensor([0.5, 2], { dtype: 'bfloat16' })],
      flags: tensor([true, false]),
      state: { 0: { step: 1, exp_avg: tensor([0.25]) } },
      empty: tensor([]),
      numbers: [1, -5, 2 ** 40, 0.1, -0, Infinity, 2n ** 70n, -(2n ** 70n), -128n, 127n, 128n],
      text: 'Größe ∑ 𝄞',
      nothing: null,
      bytes: new Uint8Array([0, 255]),
      set: new Set([1, 2]),
    };
  };

  it('comes back as it was', () => {
    const back = loadTorch(saveTorch(value()));
    expect(describeValue(back)).toEqual(describeValue(value() as TorchValue));
    const model = (back as { model: Map<string, Tensor> }).model;
    model.get('fc.weight')!.fill_(9);
    expect(model.get('turned')!.toArray()).toEqual([
      [9, 9],
      [9, 9],
      [9, 9],
    ]);
  });

  it('gives the same bytes for the same value, with and without awaiting', async () => {
    expect(await saveTorchAsync(value())).toEqual(saveTorch(value()));
  });

  it('writes what PyTorch keeps as int64 so', () => {
    const entries = unzipSync(saveTorch(new Map([['n.num_batches_tracked', tensor(-7, { dtype: 'int32' })]])));
    expect(new BigInt64Array(entries['archive/data/0']!.slice().buffer)).toEqual(new BigInt64Array([-7n]));
  });

  it('refuses what no checkpoint holds, with its path', () => {
    const cycle: Record<string, never> = {};
    Object.assign(cycle, { self: cycle });
    for (const [bad, path] of [
      [{ a: { b: () => 1 } }, 'a.b'],
      [{ a: [new Date()] }, 'a.0'],
      [cycle, 'self'],
    ] as const)
      expect(() => saveTorch(bad as never)).toThrow(
        expect.objectContaining({ code: 'ERR_TORCH_VALUE', message: expect.stringContaining(path) as string }),
      );
  });
});

/** A checkpoint with a pickle of one's own. */
const archive = (pickle: readonly number[], files: Record<string, Uint8Array> = {}): Uint8Array =>
  zipSync({ 'archive/data.pkl': Uint8Array.from(pickle), 'archive/version': strToU8('3\n'), ...files });
const bytes = (text: string): number[] => [...strToU8(text)];
const PROTO = [0x80, 2];
const STOP = 0x2e;

describe('hostile files', () => {
  const expectRefused = (data: Uint8Array, code: string): void =>
    expect(() => loadTorch(data, { maxBytes: 1e6 })).toThrow(expect.objectContaining({ code }));

  it('runs nothing: os.system', () => {
    expectRefused(
      archive([...PROTO, 0x63, ...bytes('os\nsystem\n'), 0x58, 4, 0, 0, 0, ...bytes('echo'), 0x85, 0x52, STOP]),
      'ERR_PICKLE_GLOBAL',
    );
  });

  it('runs nothing: builtins.eval by STACK_GLOBAL', () => {
    expectRefused(archive([0x80, 4, 0x8c, 8, ...bytes('builtins'), 0x8c, 4, ...bytes('eval'), 0x93, STOP]), 'ERR_PICKLE_GLOBAL');
  });

  it.each(['__proto__.x', 'constructor.constructor', 'torch.load', 'collections.OrderedDict.__class__'])('knows no %s', (name) => {
    const at = name.lastIndexOf('.');
    expectRefused(archive([...PROTO, 0x63, ...bytes(`${name.slice(0, at)}\n${name.slice(at + 1)}\n`), STOP]), 'ERR_PICKLE_GLOBAL');
  });

  it('has no INST, OBJ, EXT or REDUCE of something else', () => {
    for (const op of [0x69, 0x6f, 0x82, 0x83, 0x84, 0x92])
      expectRefused(archive([...PROTO, 0x28, op, ...bytes('os\nsystem\n'), STOP]), 'ERR_PICKLE_OPCODE');
    expectRefused(archive([...PROTO, 0x4b, 1, 0x29, 0x52, STOP]), 'ERR_PICKLE');
  });

  it('finds cycles', () => expectRefused(archive([...PROTO, 0x5d, 0x71, 0, 0x68, 0, 0x61, STOP]), 'ERR_PICKLE_CYCLE'));

  it('bounds depth', () =>
    expectRefused(
      archive([...PROTO, ...new Array<number>(5000).fill(0x5d), ...new Array<number>(4999).fill(0x61), STOP]),
      'ERR_PICKLE_SIZE',
    ));

  it('is not fooled by lists of lists of the same list', () => {
    // Each level lists the one before ten times: 10^30 leaves in a few hundred bytes.
    const levels: number[] = [];
    for (let i = 0; i < 30; i++) levels.push(0x71, i, 0x30, 0x5d, 0x28, ...new Array<number[]>(10).fill([0x68, i]).flat(), 0x65);
    const value = loadTorch(archive([...PROTO, 0x5d, ...levels, STOP]));
    expect(Array.isArray(value)).toBe(true);
  });

  it('allocates nothing that a length only claims', () => {
    expectRefused(archive([...PROTO, 0x58, 0xff, 0xff, 0xff, 0xff, STOP]), 'ERR_PICKLE');
    expectRefused(archive([...PROTO, 0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80, STOP]), 'ERR_PICKLE');
    expectRefused(archive([...PROTO, 0x8b, 0xff, 0xff, 0xff, 0x7f, STOP]), 'ERR_PICKLE');
  });

  it('refuses a zip bomb', () => {
    expectRefused(
      zipSync({ 'archive/data.pkl': new Uint8Array(20_000_000), 'archive/version': strToU8('3\n') }, { level: 9 }),
      'ERR_ZIP_SIZE',
    );
  });

  it('refuses what is no archive, or one without a pickle', () => {
    expectRefused(new Uint8Array(0), 'ERR_TORCH');
    expectRefused(strToU8('hello, this is no checkpoint'), 'ERR_TORCH');
    expectRefused(zipSync({ 'a.txt': strToU8('x') }), 'ERR_TORCH');
    expectRefused(saveTorch({ a: tensor([1, 2, 3]) }).slice(0, 200), 'ERR_ZIP');
  });

  it.each([
    ['an offset beyond the storage', { offset: 3 }],
    ['strides beyond the storage', { strides: [2] }],
    ['a negative size', { sizes: [-1] }],
    ['more strides than sizes', { strides: [1, 1] }],
    ['a storage that is longer than its bytes', { length: 100 }],
    ['a storage of another path', { key: '../../data' }],
    ['a storage that is not there', { key: '7' }],
  ])('refuses %s', (_, change) => {
    expectRefused(tensorFile({ offset: 0, sizes: [3], strides: [1], length: 4, key: '0', ...change }), 'ERR_TORCH');
  });
  it('reads the same file with nothing wrong', () => {
    expect((loadTorch(tensorFile({ offset: 1, sizes: [3], strides: [1], length: 4, key: '0' })) as Tensor).toArray()).toEqual([2, 3, 4]);
  });

  it('checks int64 against int32', () => {
    const data = new Uint8Array(new BigInt64Array([1n, 2n ** 40n, 3n, 4n]).buffer);
    expectRefused(tensorFile({ offset: 0, sizes: [3], strides: [1], length: 4, key: '0', type: 'LongStorage', data }), 'ERR_INT32_RANGE');
  });
});

interface TensorFile {
  offset: number;
  sizes: number[];
  strides: number[];
  length: number;
  key: string;
  type?: string;
  data?: Uint8Array;
}
/** A checkpoint that is one tensor, described as asked. */
function tensorFile({
  offset,
  sizes,
  strides,
  length,
  key,
  type = 'FloatStorage',
  data = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer),
}: TensorFile): Uint8Array {
  const int = (x: number): number[] => [0x4a, ...new Uint8Array(new Int32Array([x]).buffer)];
  const text = (s: string): number[] => [0x58, s.length, 0, 0, 0, ...bytes(s)];
  const tuple = (items: number[][]): number[] => [0x28, ...items.flat(), 0x74];
  const storage = [...tuple([text('storage'), [0x63, ...bytes(`torch\n${type}\n`)], text(key), text('cpu'), int(length)]), 0x51];
  const hooks = [0x63, ...bytes('collections\nOrderedDict\n'), 0x29, 0x52];
  const call = [
    0x63,
    ...bytes('torch._utils\n_rebuild_tensor_v2\n'),
    ...tuple([storage, int(offset), tuple(sizes.map(int)), tuple(strides.map(int)), [0x89], hooks]),
    0x52,
  ];
  return archive([...PROTO, ...call, STOP], { 'archive/data/0': data });
}
