/** @file NumPy's files: what it wrote is read, what we write is what it writes, and broken files are refused. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cpuPlugin } from '@tessera/backend-cpu';
import { runtimes, tensor } from '@tessera/core';
import { strToU8, zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNpy, loadNpz, saveNpy, saveNpyAsync, saveNpz, saveNpzAsync } from '../src/index.js';

beforeAll(() => void runtimes.current.use(cpuPlugin));

const folder = fileURLToPath(new URL('fixtures/numpy/', import.meta.url));
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(folder + name));
const BASE = [
  [0, 1, 2],
  [3, 100, 77],
];

describe('reading', () => {
  const all = loadNpzLater('all.npz');
  it.each(['float64', 'float32', 'float16', 'int32', 'uint8'] as const)('%s', (name) => {
    const t = all().get(name)!;
    expect([t.dtype, t.toArray()]).toEqual([name, BASE]);
  });
  it.each(['int64', 'int16', 'int8', 'uint64', 'uint32', 'uint16'])('%s as int32', (name) => {
    const t = all().get(name)!;
    expect([t.dtype, t.toArray()]).toEqual(['int32', BASE]);
  });
  it('bools, big-endian and Fortran-ordered arrays, scalars and empty ones', () => {
    expect(all().get('bool')!.toArray()).toEqual(BASE.map((row) => row.map(Boolean)));
    expect(all().get('big_endian')!.toArray()).toEqual(BASE);
    const fortran = all().get('fortran')!;
    expect([fortran.shape, [...fortran.contiguous().data()]]).toEqual([[2, 3, 4], Array.from({ length: 24 }, (_, i) => i)]);
    expect(all().get('scalar')!.toArray()).toBe(1.5);
    expect(all().get('empty')!.shape).toEqual([0, 3]);
  });
  it('compressed archives, and names with slashes', () => {
    const found = loadNpz(file('compressed.npz'), { filter: (name) => name === 'a/b' });
    expect([...found.keys()]).toEqual(['a/b']);
    expect(found.get('a/b')!.toArray()).toEqual(BASE);
  });
  it('refuses objects, records and complex numbers', () => {
    for (const name of ['objects.npy', 'records.npy', 'complex.npy'])
      expect(() => loadNpy(file(name))).toThrow(expect.objectContaining({ code: 'ERR_NPY_DTYPE' }));
  });
});

function loadNpzLater(name: string): () => ReturnType<typeof loadNpz> {
  let found: ReturnType<typeof loadNpz> | undefined;
  return () => (found ??= loadNpz(file(name)));
}

describe('writing', () => {
  it('gives the bytes that NumPy gives', async () => {
    const t = tensor(BASE);
    expect(saveNpy(t)).toEqual(file('matrix.npy'));
    expect(await saveNpyAsync(t.t().t())).toEqual(file('matrix.npy'));
  });
  it('comes back as it was', async () => {
    const tensors = {
      a: tensor([1.5, 2], { dtype: 'float64' }),
      'layer.0': tensor([[true]]),
      h: tensor([0.5], { dtype: 'float16' }),
      s: tensor(3, { dtype: 'int32' }),
    };
    for (const bytes of [saveNpz(tensors), saveNpz(tensors, { compressed: true }), await saveNpzAsync(tensors)]) {
      const back = loadNpz(bytes);
      for (const [name, t] of Object.entries(tensors))
        expect([back.get(name)!.dtype, back.get(name)!.toArray()]).toEqual([t.dtype, t.toArray()]);
    }
  });
  it('refuses bfloat16', () =>
    expect(() => saveNpy(tensor([1], { dtype: 'bfloat16' }))).toThrow(expect.objectContaining({ code: 'ERR_NPY_DTYPE' })));
});

describe('broken files', () => {
  const npy = (header: string, data: number[] = []): Uint8Array =>
    Uint8Array.from([0x93, ...strToU8('NUMPY'), 1, 0, header.length & 255, header.length >> 8, ...strToU8(header), ...data]);
  it.each([
    ['nothing', new Uint8Array(0), 'ERR_NPY'],
    [
      'a header that claims more than there is',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }").subarray(0, 30),
      'ERR_NPY',
    ],
    ['data cut short', npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", [0, 0, 0, 0]), 'ERR_NPY'],
    [
      'code in the header',
      npy("{'descr': __import__('os').system('x'), 'fortran_order': False, 'shape': (1,), }", [0, 0, 0, 0]),
      'ERR_NPY',
    ],
    [
      'a shape beyond all memory',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740991, 9007199254740991), }", [0, 0, 0, 0]),
      'ERR_NPY',
    ],
    ['a key twice', npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (), }", [0, 0, 0, 0]), 'ERR_NPY'],
    ['a version of the future', Uint8Array.from([...npy('{}').subarray(0, 6), 9, 0, 2, 0]), 'ERR_NPY_VERSION'],
  ])('%s', (_, bytes, code) => expect(() => loadNpy(bytes)).toThrow(expect.objectContaining({ code })));

  it('an integer beyond int32', () => {
    const bytes = npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", [0, 0, 0, 0, 1, 0, 0, 0]);
    expect(() => loadNpy(bytes)).toThrow(expect.objectContaining({ code: 'ERR_INT32_RANGE' }));
  });
  it('a zip bomb', () => {
    const bomb = zipSync({ 'x.npy': new Uint8Array(200_000_000) }, { level: 9 });
    expect(() => loadNpz(bomb)).toThrow(expect.objectContaining({ code: 'ERR_ZIP_SIZE' }));
  });
});
