/** @file All layers run on a backend of the seven required kernels, and call for nothing but what the contract has. */
import * as core from '@tessera/core';
import { KERNEL_DTYPES, makeProgram } from '@tessera/core';
import * as nn from '@tessera/layers';
import { describe, expect, it } from 'vitest';
import { runConformance } from '../src/index.js';
import { recordingBackend } from './support/recording-backend.js';

const LAZY_BATCH_NORMS = [nn.LazyBatchNorm1d, nn.LazyBatchNorm2d, nn.LazyBatchNorm3d] as const;
const LAZY_INSTANCE_NORMS = [nn.LazyInstanceNorm1d, nn.LazyInstanceNorm2d, nn.LazyInstanceNorm3d] as const;

/** Containers, which compute nothing, and base classes. */
const CONTAINERS = ['Module', 'ModuleDict', 'ModuleList', 'ParameterDict', 'ParameterList', 'RNNBase', 'RNNCellBase', 'Sequential'];

const x = (...shape: number[]): core.Tensor => core.rand(shape).requiresGrad_();

/** Layers that PyTorch's data has no usable case for, with a call of ours. */
const OWN: Readonly<Record<string, () => unknown>> = {
  CrossMapLRN2d: () => new nn.CrossMapLRN2d(3)(x(1, 4, 2, 2)),
  FractionalMaxPool2d: () => new nn.FractionalMaxPool2d(2, { outputRatio: 0.5 })(x(1, 2, 6, 6)),
  FractionalMaxPool3d: () => new nn.FractionalMaxPool3d(2, { outputSize: 2 })(x(1, 1, 4, 4, 4)),
  TransformerDecoder: () =>
    new nn.TransformerDecoder(new nn.TransformerDecoderLayer(4, 2, { dimFeedforward: 8 }), 1)(x(3, 1, 4), x(2, 1, 4)),
  TripletMarginWithDistanceLoss: () => new nn.TripletMarginWithDistanceLoss()(x(3, 4), x(3, 4), x(3, 4)),
  ...Object.fromEntries(
    ([1, 2, 3] as const).flatMap((n) => {
      const input = (): core.Tensor => x(2, 3, ...[4, 3, 2].slice(0, n));
      return [
        [`LazyBatchNorm${n}d`, () => new LAZY_BATCH_NORMS[n - 1]()(input())],
        [`LazyInstanceNorm${n}d`, () => new LAZY_INSTANCE_NORMS[n - 1]()(input())],
      ] as const;
    }),
  ),
};

const layers = Object.entries(nn)
  .filter(([, value]) => typeof value === 'function' && (value as { prototype?: unknown }).prototype instanceof core.Module)
  .map(([name]) => name)
  .filter((name) => !CONTAINERS.includes(name));

/** A runtime with that backend alone. */
function runtimeOf(backend: core.Backend): core.Runtime {
  return new core.Runtime(core).use({
    name: 'recording',
    version: '0',
    contract: core.CONTRACT_VERSION,
    register({ container }) {
      const create = (): core.Backend => backend;
      container.register<core.BackendProvider>(core.BACKEND, {
        useValue: { id: backend.id, priority: 0, isAvailable: () => ({ available: true }), create, createSync: create },
      });
    },
  });
}

describe('the layers on a recording backend', () => {
  it('give what PyTorch gives, by the seven kernels and within the contract', async () => {
    const { backend, calls, offences } = recordingBackend();
    const card = await runConformance({ backend, levels: ['modules'] });
    expect([...offences]).toEqual([]);
    expect(card.rows.flatMap((row) => row.failures.map(({ id, message }) => `${id}: ${message}`))).toEqual([]);
    core.withRuntime(runtimeOf(backend), () => {
      for (const call of Object.values(OWN)) (call() as core.Tensor).sum().backward();
    });
    expect([...offences]).toEqual([]);
    const ran = new Set(card.rows.filter((row) => row.passed > 0).map((row) => row.name));
    expect(layers.filter((name) => !ran.has(name) && !(name in OWN))).toEqual([]);
    // No layer sorts; each of the other six is needed.
    const kernels = Object.keys(KERNEL_DTYPES).filter((name) => calls.has(name));
    expect(kernels.toSorted()).toEqual(['gather', 'matmul', 'pointwise', 'reduce', 'scan', 'scatter']);
  });
});

describe('the limit on buffers', () => {
  const { backend, offences } = recordingBackend();
  const runtime = runtimeOf(backend);
  const numbers = (count: number): core.Tensor[] => Array.from({ length: count }, (_, i) => core.tensor([i, i + 1, i + 2]));

  it('holds for sums of many tensors, however they are put together', () => {
    core.withRuntime(runtime, () => {
      const list = numbers(24);
      const left = list.reduce((a, b) => a.add(b));
      const right = list.reduceRight((b, a) => a.sub(b));
      const tree = (from: number, to: number): core.Tensor =>
        to - from === 1
          ? list[from]
          : tree(from, (from + to) >> 1)
              .mul(0.5)
              .add(tree((from + to) >> 1, to));
      const chosen = core.where(left.gt(right), list[0].add(list[1]).add(list[2]), list[3].mul(list[4]).mul(list[5]).mul(list[6]));
      expect([left, right, tree(0, 24), chosen].map((t) => t.data().length)).toEqual([3, 3, 3, 3]);
    });
    expect([...offences]).toEqual([]);
  });

  it('holds for an update of tensors that pending work still reads', () => {
    core.withRuntime(runtime, () => {
      const update = new core.Update('test', 4, (e, [a, b, c, d, g]) => [e.add(a, g), e.sub(b, g), e.mul(c, g), e.add(d, e.mul(g, 2))]);
      const tensors = numbers(5);
      const pending = tensors.map((t) => t.mul(10));
      update.run(tensors, []);
      expect(pending.map((t) => t.toArray())).toEqual([0, 1, 2, 3, 4].map((i) => [i * 10, i * 10 + 10, i * 10 + 20]));
      expect(tensors.map((t) => t.toArray())).toEqual([
        [4, 6, 8],
        [-3, -3, -3],
        [8, 15, 24],
        [11, 14, 17],
        [4, 5, 6],
      ]);
    });
    expect([...offences]).toEqual([]);
  });
});

describe('the recording backend', () => {
  it('notices what the contract does not allow', () => {
    const { backend, offences } = recordingBackend();
    const a = backend.allocate('float32', 4);
    const view = (shape: number[], strides: number[], offset = 0): core.View<typeof a> => ({
      buffer: a,
      dtype: 'float32',
      shape,
      strides,
      offset,
    });
    const copy = makeProgram({ inputs: ['float32'], scalars: [], instructions: [], outputs: [{ register: 0, dtype: 'float32' }] });
    const noticed = (fn: () => unknown): string[] => {
      offences.clear();
      try {
        fn();
      } catch {
        // The kernel beneath may refuse it too.
      }
      return [...offences];
    };
    expect(noticed(() => backend.kernels.pointwise(copy, [], [view([3], [1])], [view([3], [1], 1)]))).toEqual([
      'pointwise: an output that overlaps an input',
    ]);
    expect(noticed(() => backend.kernels.pointwise(copy, [], [view([2], [1])], [view([2], [0], 3)]))).toEqual([
      'pointwise: an output that overlaps itself',
    ]);
    expect(noticed(() => backend.kernels.pointwise(copy, [], [view([5], [1])], [view([5], [1])]))).toEqual([
      'pointwise: a view that reaches outside its buffer',
    ]);
    expect(noticed(() => backend.kernels.scan('sum', false, view([2], [1]), view([2], [1]), 1))).toEqual(['scan: shapes that do not fit']);
    expect(noticed(() => (backend as unknown as { softmax: unknown }).softmax)).toEqual([
      "backend: 'softmax' was asked for, which the contract has not",
    ]);
    backend.free(a);
    expect(noticed(() => backend.free(a))).toEqual(['free: a buffer that was freed, or is not of this backend']);
  });
});
