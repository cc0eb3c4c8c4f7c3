/** @file Options that there are not: every layer, loss, optimizer, scheduler and function refuses them, and says what it takes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_SIGNATURES } from '../../layers/src/config/built-in-signatures.js';
import { type Argument, parseSignature } from '../../layers/src/config/signature.js';
import * as tessera from '../src/index.js';
import { data, F, init, io, nn, ones, optim, tensor, type Tensor } from '../src/index.js';

type Class = (new (...args: unknown[]) => object) & { readonly typeName: string };
const NOT_ONE = { thisIsNoOption: 1 };

/** What is thrown by callers without a compiler. */
function thrown(fn: () => unknown): { readonly code?: string; readonly message: string } {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  return { message: 'nothing was thrown' };
}
const classesOf = (namespace: object, base: abstract new (...args: never[]) => object): [string, Class][] =>
  Object.entries(namespace as Record<string, Class>).filter(([, one]) => typeof one === 'function' && one.prototype instanceof base);

describe('every layer and loss', () => {
  // Identity takes anything, as PyTorch's does, and containers take modules.
  const OTHERS = ['Identity', 'Sequential', 'ModuleList', 'ModuleDict'];
  const layers = classesOf(nn, nn.Module).filter(([name]) => BUILT_IN_SIGNATURES.has(name) && !OTHERS.includes(name));

  function valueOf({ name, types }: Argument): unknown {
    if (name === 'encoderLayer') return new nn.TransformerEncoderLayer(4, 2);
    if (name === 'decoderLayer') return new nn.TransformerDecoderLayer(4, 2);
    if (types.includes('int[]')) return [2];
    return types.includes('string') ? 'x' : 2;
  }
  const required = (name: string): unknown[] =>
    parseSignature(BUILT_IN_SIGNATURES.get(name)!)
      .positional.filter(({ byDefault, rest }) => byDefault === undefined && !rest)
      .map(valueOf);

  it('there are all of them', () => {
    expect(layers.length).toBe(BUILT_IN_SIGNATURES.size - OTHERS.length);
    expect(layers.length).toBeGreaterThan(130);
  });
  it.each(layers)('%s refuses an unknown option', (name, layer) => {
    const error = thrown(() => new layer(...required(name), NOT_ONE));
    expect(error).toMatchObject({ code: 'ERR_OPTION', message: expect.stringContaining(name) as string });
  });
  it.each(layers)('%s takes all options that it names', (name, layer) => {
    const { options } = parseSignature(BUILT_IN_SIGNATURES.get(name)!);
    const given = Object.fromEntries([...options].map(([option, { byDefault }]) => [option, byDefault]));
    if (options.has('outputRatio')) given['outputRatio'] = [0.5, 0.5, 0.5];
    // One of PyTorch's size would take its time.
    if (name === 'Transformer') Object.assign(given, { dModel: 4, nhead: 2, dimFeedforward: 4, numEncoderLayers: 1, numDecoderLayers: 1 });
    // Some refuse two of them together: with one each at least, none may be unknown.
    for (const [option, value] of Object.entries(given))
      expect(thrown(() => new layer(...required(name), name === 'Transformer' ? given : { [option]: value })).code).not.toBe('ERR_OPTION');
  });
  it.each(layers.filter(([name]) => BUILT_IN_SIGNATURES.get(name)!.includes('{')))('%s refuses more positions', (name, layer) => {
    const { positional } = parseSignature(BUILT_IN_SIGNATURES.get(name)!);
    const args = positional.map((argument) => argument.byDefault ?? valueOf(argument));
    expect(thrown(() => new layer(...args, 'more'))).toMatchObject({ code: 'ERR_OPTION' });
  });
});

describe('every optimizer', () => {
  const optimizers = classesOf(optim, optim.Optimizer);
  const params = (): unknown => [new nn.Linear(2, 3).weight];

  it('there are all of them', () => expect(optimizers.length).toBeGreaterThanOrEqual(14));
  it.each(optimizers)('%s refuses an unknown option, and a learning rate that is no option', (_, Optimizer) => {
    for (const wrong of [NOT_ONE, 0.1, null])
      expect(thrown(() => new Optimizer(params(), wrong))).toMatchObject({ code: 'ERR_OPTIM_OPTION' });
    expect(thrown(() => (new Optimizer(params()) as optim.SGD).zeroGrad(NOT_ONE as object))).toMatchObject({ code: 'ERR_OPTION' });
  });
});

describe('every scheduler', () => {
  const { lrScheduler } = optim;
  const schedulers = [
    ...classesOf(lrScheduler, lrScheduler.Scheduler).filter(([name]) => !['LRScheduler', 'Scheduler', 'ChainedScheduler'].includes(name)),
    ...classesOf(optim.swaUtils, lrScheduler.Scheduler),
  ];
  const makeOptimizer = (): optim.SGD => new optim.SGD([new nn.Linear(2, 3).weight], { momentum: 0.9 });
  /** What stands between the optimizer and the options. */
  const BETWEEN: Readonly<Record<string, readonly unknown[]>> = {
    StepLR: [3],
    MultiStepLR: [[3]],
    ExponentialLR: [0.9],
    LambdaLR: [() => 1],
    MultiplicativeLR: [() => 1],
    CosineAnnealingLR: [10],
    CosineAnnealingWarmRestarts: [10],
    CyclicLR: [0.1, 0.2],
    OneCycleLR: [0.1],
    SWALR: [0.1],
  };

  it('there are all of them', () => expect(schedulers.length).toBeGreaterThanOrEqual(14));
  it.each(schedulers)('%s refuses an unknown option, and more positions', (name, Scheduler) => {
    for (const wrong of [NOT_ONE, 3]) {
      const optimizer = makeOptimizer();
      const between = name === 'SequentialLR' ? [[new lrScheduler.StepLR(optimizer, 3)], []] : (BETWEEN[name] ?? []);
      expect(thrown(() => new Scheduler(optimizer, ...between, wrong))).toMatchObject({
        code: 'ERR_OPTION',
        message: expect.stringContaining(name) as string,
      });
    }
  });
  it('options in the place of a number', () => {
    for (const wrong of [{ stepSize: 3 }, { stepsize: 3 }, undefined, '3'])
      expect(thrown(() => new lrScheduler.StepLR(makeOptimizer(), wrong as never))).toMatchObject({
        code: 'ERR_SCHEDULER',
        message: expect.stringContaining('stepSize') as string,
      });
  });
});

/** The functions of the sources that take options, by name: those with a parameter of that kind. */
function functionsWithOptions(folders: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const folder of folders) {
    const root = join(import.meta.dirname, '../..', folder);
    for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
      const text = readFileSync(join(root, file), 'utf8');
      for (const match of text.matchAll(/^export (?:async )?(?:function (\w+)|const (\w+) = (?:async )?)(?:<[^\n]*>)?\(/gm)) {
        let end = match.index + match[0].length;
        for (let depth = 1; depth > 0 && end < text.length; end++) depth += Number(text[end] === '(') - Number(text[end] === ')');
        const parameters = text.slice(match.index + match[0].length, end);
        if (/\boptions\??: /.test(parameters) || /\}: .* = \{\}/s.test(parameters)) found.add((match[1] ?? match[2])!);
      }
    }
  }
  return found;
}

describe('every function with options', () => {
  const named = functionsWithOptions(['core/src', 'layers/src', 'data/src', 'io/src']);
  const namespaces = [
    tessera,
    F,
    nn,
    nn.init,
    nn.utils,
    nn.utils.parametrizations,
    tessera.linalg,
    tessera.autograd,
    data,
    io,
    tessera.func,
  ];
  const functions = new Map<string, (...args: unknown[]) => unknown>();
  for (const namespace of namespaces)
    for (const [name, one] of Object.entries(namespace as Record<string, unknown>))
      if (typeof one === 'function' && named.has(name) && name !== 'checkOptions')
        functions.set(name, one as (...args: unknown[]) => unknown);

  it('there are very many', () => expect(functions.size).toBeGreaterThan(200));
  it.each([...functions])('%s refuses an unknown option', async (_, fn) => {
    // Options are looked at before anything else, so that it is enough to put them in each place, as far as the first that is theirs.
    let code: string | undefined;
    for (let place = 0; place < 14 && code !== 'ERR_OPTION'; place++) {
      try {
        const made = fn(...new Array<undefined>(place).fill(undefined), NOT_ONE);
        // A transform looks at them when the function that it made is called.
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await (typeof made === 'function' ? (made as () => unknown)() : made);
      } catch (error) {
        code = (error as { code?: string }).code;
      }
    }
    expect(code).toBe('ERR_OPTION');
  });
});

describe('other places', () => {
  const expectRefusal = async (fn: () => unknown, hint: string): Promise<void> => {
    await expect((async () => fn())()).rejects.toMatchObject({ code: 'ERR_OPTION', message: expect.stringContaining(hint) as string });
  };
  const untyped = <T>(options: object): T => options as unknown as T;

  it('say what was meant', async () => {
    await expectRefusal(() => new nn.Conv2d(1, 2, 3, untyped({ pading: 1 })), "Conv2d: there is no option 'pading'");
    await expectRefusal(() => new nn.Conv2d(1, 2, 3, untyped({ pading: 1 })), "Did you mean 'padding'?");
    await expectRefusal(() => new nn.Linear(2, 3, false as never), 'Linear: options go into one object, { bias: … }, and this is false');
    await expectRefusal(() => new nn.Conv2d(1, 16, 3, 1 as never), 'this is the number 1');
    await expectRefusal(() => F.conv2d(ones(1, 1, 4, 4), ones(1, 1, 2, 2), null, untyped({ strid: 2 })), "Did you mean 'stride'?");
    await expectRefusal(() => new nn.ReLU(untyped({ in_place: true })), "Did you mean 'inplace'?");
    await expectRefusal(() => new nn.Sigmoid(...(['extra'] as unknown as [])), 'Sigmoid takes no such argument');
  });

  it('creation, moving, starting, loading', async () => {
    await expectRefusal(() => tensor([1], untyped({ dtyp: 'int32' })), "Did you mean 'dtype'?");
    await expectRefusal(() => tessera.zeros(2, untyped({ devise: 'cpu' })), "Did you mean 'device'?");
    await expectRefusal(() => tessera.randint(10, [3], untyped({ dtyp: 'int32' })), 'randint');
    await expectRefusal(() => tessera.arange(3, untyped({ dtyp: 'int32' })), 'arange');
    await expectRefusal(() => ones(2).to(untyped({ devce: 'cpu' })), "Did you mean 'device'?");
    await expectRefusal(() => new nn.Linear(1, 1).to(untyped({ devce: 'cpu' })), "Did you mean 'device'?");
    await expectRefusal(() => init(untyped({ devise: 'cpu' })), "Did you mean 'device'?");
    await expectRefusal(() => ones(2).sum(0, untyped({ keepdims: true })), "Did you mean 'keepdim'?");
    await expectRefusal(() => ones(2).add(1, untyped({ alph: 2 })), "Did you mean 'alpha'?");
    await expectRefusal(
      () =>
        ones(2)
          .requiresGrad_()
          .sum()
          .backward(untyped({ retain_graph: true })),
      "Did you mean 'retainGraph'?",
    );
    await expectRefusal(() => new nn.Linear(1, 1).stateDict(untyped({ keep_vars: true })), "Did you mean 'keepVars'?");
    await expectRefusal(() => new nn.Linear(1, 1).loadStateDict({}, untyped({ srict: false })), "Did you mean 'strict'?");
    await expectRefusal(() => io.saveSafetensors({}, untyped({ meta_data: {} })), "Did you mean 'metadata'?");
  });

  it('what a script of the page gave to all objects is no option', () => {
    const page = Object.prototype as { fromAPage?: boolean };
    try {
      // Enumerable, as plain assignment makes it.
      page.fromAPage = true;
      expect(ones([2, 3]).sum(1).shape).toEqual([2]);
      expect(ones([2, 3]).sum(1, { keepdim: true }).shape).toEqual([2, 1]);
      expect(new nn.Linear(1, 1, { bias: false }).bias).toBeNull();
      expect(thrown(() => ones([2]).sum(0, untyped({ keepdims: true })))).toMatchObject({ code: 'ERR_OPTION' });
    } finally {
      delete page.fromAPage;
    }
  });

  it('an object without a prototype is told as any other', () => {
    const bare = Object.create(null) as object;
    expect(thrown(() => new optim.SGD([ones([1], { requiresGrad: true })], { lr: 0.1 }).step(untyped(bare)))).toMatchObject({
      code: 'ERR_OPTIM_OPTION',
      message: expect.stringContaining('not an object') as string,
    });
  });

  it('a class of one’s own takes options of its own, and hands the rest on', () => {
    interface GatedOptions extends nn.FactoryOptions {
      readonly gate?: number;
      readonly bias?: boolean;
    }
    class Gated extends nn.Linear {
      readonly gate: number;
      constructor(inFeatures: number, outFeatures: number, { gate = 1, ...rest }: GatedOptions = {}) {
        super(inFeatures, outFeatures, rest);
        this.gate = gate;
      }
    }
    expect(new Gated(2, 3, { gate: 2, bias: false }).bias).toBeNull();
    expect(thrown(() => new Gated(2, 3, untyped({ biass: false })))).toMatchObject({ code: 'ERR_OPTION' });
    class Plain extends nn.Module {
      constructor(readonly width: number) {
        super();
      }
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    expect(new Plain(3).width).toBe(3);
  });
});
