import { cpuPlugin } from '@tessera/backend-cpu';
import { isModule, type LayerProvider, Module, Parameter, type Plugin, randn, Runtime, runtimes, type Tensor } from '@tessera/core';
import * as core from '@tessera/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../src/index.js';
import { fromConfig, type ModelDocument, toConfig } from '../src/index.js';

const outer = runtimes.current;
beforeAll(() => {
  runtimes.current = new Runtime(core).use(cpuPlugin);
});
afterAll(() => {
  runtimes.current = outer;
});

/** y = scale · x, with a signature as a plugin's author writes it. */
class Scale extends Module {
  static override readonly typeName = 'Scale';
  static readonly signature = "{ scale: number = 1, kind: 'fixed' | 'learnt' = 'fixed' }";
  readonly weight: Parameter | null;
  readonly scale: number;
  readonly kind: string;

  constructor({ scale = 1, kind = 'fixed' }: { readonly scale?: number; readonly kind?: string } = {}) {
    super();
    this.scale = scale;
    this.kind = kind;
    this.weight = kind === 'learnt' ? new Parameter(core.full([1], scale)) : null;
  }

  forward(x: Tensor): Tensor {
    return x.mul(this.weight ?? this.scale);
  }
}

const document = (model: object, more: object = {}): object => ({ format: 'tessera.model', version: 1, model, ...more });
const throughJson = (model: Module, options = {}): Module => fromConfig(JSON.parse(JSON.stringify(toConfig(model, options))), options);

describe('toConfig', () => {
  it('writes what a person would: names, required arguments, and the options that are not the default', () => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 16, 3, { stride: 1, padding: 1, bias: false }),
      new nn.BatchNorm2d(16, { momentum: null }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(16, 10),
    );
    expect(toConfig(model)).toEqual(
      document({
        type: 'Sequential',
        args: [
          { type: 'Conv2d', args: [1, 16, [3, 3], { bias: false, padding: [1, 1] }] },
          { type: 'BatchNorm2d', args: [16, { momentum: null }] },
          { type: 'ReLU' },
          { type: 'MaxPool2d', args: [2, 2] },
          { type: 'Flatten' },
          { type: 'Linear', args: [16, 10] },
        ],
      }),
    );
  });

  it('keeps names of containers, nested ones too, and numbers that JSON lacks', () => {
    const model = new nn.ModuleDict<Module>([
      ['10', new nn.Linear(2, 3)],
      ['2', new nn.Sequential([['bounded', new nn.Hardtanh({ minVal: 0, maxVal: Infinity })]])],
    ]);
    const again = throughJson(model);
    expect(again.toString()).toBe(model.toString());
    expect((again.getSubmodule('2.bounded') as nn.Hardtanh).maxVal).toBe(Infinity);
  });

  it('keeps shared layers shared, and tied weights tied', () => {
    const relu = new nn.ReLU();
    const twice = new nn.Linear(4, 4);
    const embedding = new nn.Embedding(7, 4);
    const head = new nn.Linear(4, 7, { bias: false });
    head.weight = embedding.weight;
    const model = throughJson(new nn.Sequential(embedding, twice, relu, twice, relu, head)) as nn.Sequential;
    expect(model.at(1)).toBe(model.at(3));
    expect(model.at(2)).toBe(model.at(4));
    expect((model.at(5) as nn.Linear).weight).toBe((model.at(0) as nn.Embedding).weight);
    expect(model.parameters()).toHaveLength(3);
  });

  it('builds whole transformers, and losses with weights', () => {
    const model = new nn.Transformer({
      dModel: 8,
      nhead: 2,
      numEncoderLayers: 2,
      numDecoderLayers: 1,
      dimFeedforward: 16,
      normFirst: true,
    });
    expect(throughJson(model).toString()).toBe(model.toString());
    const loss = throughJson(new nn.CrossEntropyLoss({ weight: core.tensor([1, 2, 0.5]), labelSmoothing: 0.1 })) as nn.CrossEntropyLoss;
    expect(loss.weight!.toArray()).toEqual([1, 2, 0.5]);
    expect(loss.labelSmoothing).toBe(0.1);
  });

  it('reads layers as they are now', () => {
    const dropout = new nn.BatchNorm1d(3);
    dropout.momentum = 0.5;
    expect(toConfig(dropout).model).toEqual({ type: 'BatchNorm1d', args: [3, { momentum: 0.5 }] });
    const linear = new nn.Linear(3, 4).double();
    expect(toConfig(linear).model).toEqual({ type: 'Linear', args: [3, 4, { dtype: 'float64' }] });
    const lazy = new nn.LazyLinear(3);
    expect(toConfig(lazy).model.type).toBe('LazyLinear');
    lazy(randn(2, 5));
    expect(toConfig(lazy).model).toEqual({ type: 'Linear', args: [5, 3] });
  });

  it('refuses what its document would lose', () => {
    const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16 });
    layer.linear1 = new nn.Linear(8, 16, { bias: false });
    expect(() => toConfig(layer)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_LOSSY', details: { path: 'model.linear1' } }));
    const loss = new nn.TripletMarginWithDistanceLoss({ distanceFunction: (x, y) => x.sub(y).abs().sum(-1) });
    expect(() => toConfig(loss)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_VALUE', details: { path: 'model.distanceFunction' } }),
    );
    class Own extends nn.Linear {}
    expect(() => toConfig(new nn.Sequential(new nn.ReLU(), new Own(1, 2)))).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_LAYER', details: { path: 'model.modules[1]' } }),
    );
  });

  it('draws no random numbers while it checks', () => {
    const model = new nn.Linear(3, 3);
    core.manualSeed(1);
    const expected = randn(3).toArray();
    core.manualSeed(1);
    toConfig(model);
    expect(randn(3).toArray()).toEqual(expected);
  });
});

describe('fromConfig', () => {
  it('builds from a document that a person wrote', () => {
    const model = fromConfig(
      document({
        type: 'Sequential',
        args: [
          { type: 'Linear', args: [4, 2, { bias: false }] },
          { type: 'Dropout', args: [{ inplace: true }] },
        ],
      }),
    ) as nn.Sequential;
    expect(model(randn(3, 4)).shape).toEqual([3, 2]);
    expect((model.at(1) as nn.Dropout).p).toBe(0.5);
    expect((model.at(1) as nn.Dropout).inplace).toBe(true);
  });

  const inSequence = (layer: unknown): object => document({ type: 'Sequential', args: [{ type: 'ReLU' }, layer as object] });
  it.each([
    ['an unknown layer', inSequence({ type: 'Liner', args: [1, 2] }), 'ERR_CONFIG_LAYER', 'model.args[1].type', 'did you mean Linear'],
    ['an inherited name', inSequence({ type: 'constructor' }), 'ERR_CONFIG_LAYER', 'model.args[1].type', 'no layer'],
    [
      'an unknown option',
      inSequence({ type: 'Linear', args: [1, 2, { bais: true }] }),
      'ERR_CONFIG_ARGUMENT',
      'model.args[1].args[2].bais',
      'no such option',
    ],
    [
      'a value of a wrong type',
      inSequence({ type: 'Linear', args: ['1', 2] }),
      'ERR_CONFIG_ARGUMENT',
      'model.args[1].args[0]',
      'inFeatures is "1"',
    ],
    [
      'a wrong option',
      inSequence({ type: 'Conv2d', args: [1, 2, 3, { paddingMode: 'mirror' }] }),
      'ERR_CONFIG_ARGUMENT',
      'model.args[1].args[3].paddingMode',
      "'reflect'",
    ],
    [
      'a missing argument',
      inSequence({ type: 'Linear', args: [1] }),
      'ERR_CONFIG_ARGUMENT',
      'model.args[1].args',
      'outFeatures is missing',
    ],
    ['one too many', inSequence({ type: 'PixelShuffle', args: [2, 3] }), 'ERR_CONFIG_ARGUMENT', 'model.args[1].args[1]', 'too many'],
    [
      'what the constructor refuses',
      inSequence({ type: 'Conv2d', args: [3, 4, 3, { groups: 2 }] }),
      'ERR_CONFIG_ARGUMENT',
      'model.args[1].args',
      'divisible by groups',
    ],
    ['no layer where one must be', inSequence(7 as never), 'ERR_CONFIG_ARGUMENT', 'model.args[1]', 'expected module'],
    ['another key', inSequence({ type: 'ReLU', weights: [] }), 'ERR_CONFIG_DOCUMENT', 'model.args[1].weights', 'nothing else'],
    ['a reference to nothing', inSequence({ ref: 'a' }), 'ERR_CONFIG_DOCUMENT', 'model.args[1]', 'no layer before it'],
    ['another format', { format: 'keras', version: 1 }, 'ERR_CONFIG_DOCUMENT', 'format', 'tessera.model'],
    ['another version', { format: 'tessera.model', version: 2, model: {} }, 'ERR_CONFIG_DOCUMENT', 'version', 'version 1'],
    [
      'a tie of unlike sizes',
      document(
        {
          type: 'Sequential',
          args: [
            { type: 'Linear', args: [1, 2] },
            { type: 'Linear', args: [2, 2] },
          ],
        },
        { tied: [['0.weight', '1.weight']] },
      ),
      'ERR_CONFIG_ARGUMENT',
      'tied[0]',
      '(2x1)',
    ],
    [
      'a tie of nothing',
      document({ type: 'Linear', args: [1, 2] }, { tied: [['weight', 'wait']] }),
      'ERR_CONFIG_DOCUMENT',
      'tied[0]',
      'wait',
    ],
    ['nothing', null, 'ERR_CONFIG_DOCUMENT', 'document', 'no object'],
  ])('refuses %s, and says where', (_, given, code, path, text) => {
    expect(() => fromConfig(given)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text), details: { path } }));
  });

  it('refuses a document that is nested without end', () => {
    let deep: object = { type: 'ReLU' };
    for (let i = 0; i < 5000; i++) deep = { type: 'Sequential', args: [deep] };
    expect(() => fromConfig(document(deep))).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_DOCUMENT' }));
  });
});

describe('layers of others', () => {
  it('are given by class, with their signature', () => {
    const layers = { layers: [Scale] };
    const model = new nn.Sequential(new Scale({ scale: 3, kind: 'learnt' }), new Scale());
    expect(toConfig(model, layers).model.args).toEqual([{ type: 'Scale', args: [{ scale: 3, kind: 'learnt' }] }, { type: 'Scale' }]);
    expect(throughJson(model, layers).toString()).toBe(model.toString());
    expect(() => fromConfig(document({ type: 'Scale', args: [{ kind: 'none' }] }), layers)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_ARGUMENT' }),
    );
  });

  it('come with plugins, which register them by name', () => {
    const plugin: Plugin = {
      name: 'scales',
      version: '1.0.0',
      contract: core.CONTRACT_VERSION,
      register({ container, core: { LAYER } }) {
        container.register<LayerProvider>(LAYER, { useValue: { name: 'Scale', module: Scale } });
        container.register<LayerProvider>(LAYER, { useValue: { name: 'Twice', module: Scale, signature: '', read: () => ({}) } });
      },
    };
    const runtime = new Runtime(core).use(cpuPlugin).use(plugin);
    const model = core.withRuntime(runtime, () =>
      fromConfig(document({ type: 'Sequential', args: [{ type: 'Scale', args: [{ scale: 2 }] }] })),
    );
    expect(isModule(model)).toBe(true);
    expect(() => fromConfig(document({ type: 'Scale' }))).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_LAYER' }));
  });

  it('may not take a name of nn', () => {
    expect(() => fromConfig(document({ type: 'ReLU' }), { layers: { ReLU: Scale } })).toThrow(
      expect.objectContaining({ code: 'ERR_LAYER_NAME' }),
    );
  });

  it('without a signature get their arguments as they stand, with layers built', () => {
    class Twice extends Module {
      constructor(
        readonly inner: Module,
        readonly settings: { readonly factor: number },
      ) {
        super();
      }
      forward(x: Tensor): Tensor {
        return (this.inner as nn.ReLU)(x).mul(this.settings.factor);
      }
    }
    const written = document({ type: 'Twice', args: [{ type: 'ReLU' }, { factor: 2 }] });
    const model = fromConfig(written, { layers: { Twice } }) as Twice;
    expect(model(core.tensor([-1, 3])).toArray()).toEqual([0, 6]);
    expect(() => toConfig(model, { layers: { Twice } })).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_LOSSY' }));
  });
});

describe('signatures', () => {
  it('are there for every layer of nn', () => {
    const without = Object.entries(nn).filter(
      ([name, value]) =>
        typeof value === 'function' &&
        value.prototype instanceof Module &&
        !(name in { ParameterList: 1, ParameterDict: 1, RNNBase: 1, RNNCellBase: 1 }) &&
        !(() => {
          try {
            fromConfig(document({ type: name, args: [null, null, null, null, null, null, null] }));
          } catch (error) {
            return (error as { code: string }).code === 'ERR_CONFIG_ARGUMENT' || name === 'Sequential';
          }
          return true;
        })(),
    );
    expect(without.map(([name]) => name)).toEqual([]);
  });

  it('that cannot be read are refused', () => {
    class Odd extends Module {
      static readonly signature = 'a: float';
      forward(): void {}
    }
    expect(() => fromConfig(document({ type: 'Odd', args: [1] }) as ModelDocument, { layers: [Odd] })).toThrow(
      expect.objectContaining({ code: 'ERR_LAYER_SIGNATURE' }),
    );
    class Around extends Module {
      static readonly signature = 'inner: module?';
      forward(): void {}
    }
    expect(() => fromConfig(document({ type: 'Around', args: [] }) as ModelDocument, { layers: [Around] })).toThrow(
      "'module?' is no type; there are int, int?, number, bool, string, null, int[], int?[], number[], size, dtype, module, module[], modules, tensor, and texts in quotes. Did you mean 'module | null'?",
    );
  });
});
