/** @file nn.init and the layers' first weights against PyTorch's, bit for bit. */
import { readFileSync } from 'node:fs';
import { cpuPlugin } from '@tessera/backend-cpu';
import { empty, manualSeed, runtimes, type Tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../src/index.js';
import { init } from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const fixture = (name: string): Buffer => readFileSync(new URL(`../../core/test/fixtures/rng/${name}`, import.meta.url));
const file = fixture('rng.safetensors');
const { entries } = JSON.parse(fixture('rng.json').toString()) as {
  readonly entries: readonly { readonly name: string; readonly tensors: readonly string[] }[];
};

/** PyTorch's numbers by name: just enough safetensors. */
function golden(name: string): Float32Array {
  const end = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, end).toString()) as Record<string, { readonly data_offsets: readonly [number, number] }>;
  const [from, to] = header[name]!.data_offsets;
  return new Float32Array(Uint8Array.from(file.subarray(end + from, end + to)).buffer);
}
const tensorsOf = (name: string): Float32Array[] => entries.find((e) => e.name === name)!.tensors.map(golden);
const values = (t: Tensor): Float32Array => t.detach().data() as Float32Array;

const fills: readonly (readonly [name: string, fill: (t: Tensor) => Tensor])[] = [
  ['init.xavier_uniform_', (t) => init.xavierUniform_(t)],
  ['init.xavier_normal_', (t) => init.xavierNormal_(t)],
  ['init.kaiming_uniform_', (t) => init.kaimingUniform_(t)],
  ['init.kaiming_normal_', (t) => init.kaimingNormal_(t, { nonlinearity: 'relu' })],
  ['init.trunc_normal_', (t) => init.truncNormal_(t, 0, 0.02)],
  ['init.uniform_', (t) => init.uniform_(t, -0.1, 0.1)],
  ['init.normal_', (t) => init.normal_(t, 0, 0.02)],
];

describe('nn.init', () => {
  it.each(fills)('%s', (name, fill) => {
    manualSeed(0);
    expect(values(fill(empty(12, 8)))).toEqual(tensorsOf(name)[0]);
  });

  it('init.orthogonal_, up to the rounding of its decomposition', () => {
    manualSeed(0);
    const got = values(init.orthogonal_(empty(12, 8)));
    tensorsOf('init.orthogonal_')[0]!.forEach((x, i) => expect(got[i]).toBeCloseTo(x, 6));
  });

  it('fills without drawing', () => {
    expect(init.eye_(empty(2, 3)).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(init.constant_(empty(2), 3).toArray()).toEqual([3, 3]);
    const layer = new nn.Conv1d(2, 2, 3, { padding: 1, bias: false });
    init.dirac_(layer.weight);
    const x = init.normal_(empty(1, 2, 5));
    expect(layer(x).toArray()).toEqual(x.toArray());
    expect(init.sparse_(empty(10, 4), 0.3).eq(0).sum(0).toArray()).toEqual([3, 3, 3, 3]);
  });
});

describe('first weights', () => {
  const layers: readonly (readonly [name: string, make: () => nn.Module])[] = [
    ['nn.Linear(10,5)', () => new nn.Linear(10, 5)],
    ['nn.Conv2d(1,16,3)', () => new nn.Conv2d(1, 16, 3)],
    ['nn.ConvTranspose2d(4,6,3)', () => new nn.ConvTranspose2d(4, 6, 3)],
    ['nn.RNN(10,20)', () => new nn.RNN(10, 20)],
    ['nn.LSTM(4,3,2,bidirectional=True)', () => new nn.LSTM(4, 3, { numLayers: 2, bidirectional: true })],
    ['nn.GRU(4,3)', () => new nn.GRU(4, 3)],
    ['nn.Embedding(10,8)', () => new nn.Embedding(10, 8)],
    ['nn.Bilinear(3,4,5)', () => new nn.Bilinear(3, 4, 5)],
    ['nn.MultiheadAttention(16,4)', () => new nn.MultiheadAttention(16, 4)],
    ['nn.TransformerEncoderLayer(16,4,32)', () => new nn.TransformerEncoderLayer(16, 4, { dimFeedforward: 32 })],
    ['nn.BatchNorm2d(4)', () => new nn.BatchNorm2d(4)],
    ['nn.PReLU(3)', () => new nn.PReLU(3)],
  ];
  it.each(layers)('%s', (name, make) => {
    manualSeed(0);
    const parameters = make().parameters();
    const expected = tensorsOf(name);
    expect(parameters).toHaveLength(expected.length);
    parameters.forEach((p, i) => expect(values(p)).toEqual(expected[i]));
  });
});
