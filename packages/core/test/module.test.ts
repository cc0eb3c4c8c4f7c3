/** Modules: what they find among their fields, how they are called, shown, moved, saved and loaded. */
import { inspect } from 'node:util';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  Buffer,
  isModule,
  isParameter,
  isTesseraError,
  Module,
  ModuleError,
  noGrad,
  ones,
  Parameter,
  randn,
  runtimes,
  scope,
  type StateDict,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

class Linear extends Module {
  static override readonly typeName = 'Linear';
  weight: Parameter;
  bias: Parameter | null;
  constructor(
    private readonly inFeatures: number,
    private readonly outFeatures: number,
    bias = true,
  ) {
    super();
    this.weight = new Parameter(ones(outFeatures, inFeatures));
    this.bias = bias ? new Parameter(zeros(outFeatures)) : null;
  }
  forward(x: Tensor): Tensor {
    const y = x.matmul(this.weight.t());
    return this.bias === null ? y : y.add(this.bias);
  }
  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${this.bias === null ? 'False' : 'True'}`;
  }
  override explainError(): string {
    return `Linear(${this.inFeatures}, ${this.outFeatures}) takes inputs whose last size is ${this.inFeatures}.`;
  }
}

class Norm extends Module {
  weight = new Parameter(ones(3));
  running_mean = new Buffer(zeros(3));
  steps = new Buffer(zeros([], { dtype: 'int32' }), { persistent: false });
  forward(x: Tensor): Tensor {
    return x.sub(this.running_mean).mul(this.weight);
  }
}

class Net extends Module {
  first = new Linear(2, 3);
  norm = new Norm();
  scale = new Parameter(tensor([2]));
  last = new Linear(3, 1, false);
  plain = ones(4);
  forward(x: Tensor): Tensor {
    return this.last(this.norm(this.first(x))).mul(this.scale);
  }
}

const keys = (sd: StateDict): string[] => [...sd.keys()];

describe('a module', () => {
  it('is a function with the arguments and the result of forward', () => {
    const net = new Net();
    expectTypeOf(net).parameters.toEqualTypeOf<[x: Tensor]>();
    expectTypeOf(net).returns.toEqualTypeOf<Tensor>();
    expectTypeOf(net).toExtend<Module>();
    expectTypeOf<Tensor>().not.toExtend<Parameter>();
    // @ts-expect-error -- forward takes a tensor
    const wrong = (): unknown => net('x');
    expect(wrong).toThrow(TypeError);
    expect(net).toBeInstanceOf(Net);
    expect(net).toBeInstanceOf(Module);
    expect(isModule(net)).toBe(true);
    expect(isModule(Net)).toBe(false);
    expect(isModule(() => 1)).toBe(false);
    expect(net(tensor([[1, 2]])).toArray()).toEqual([[18]]);
  });

  it('lets a model have fields called name and length, and has none of a function by itself', () => {
    class Named extends Module {
      override name = new Linear(1, 1);
      override length = 3;
      #secret = 4;
      forward(): void {}
      secret(): number {
        return this.#secret;
      }
    }
    const model = new Named();
    expect(model.namedChildren().map(([n]) => n)).toEqual(['name']);
    expect(model.length).toBe(3);
    expect(model.secret()).toBe(4);
    const plain = new Linear(1, 1);
    expect('name' in plain).toBe(false);
    expect('length' in plain).toBe(false);
    expect('call' in plain).toBe(false);
    expect('bind' in plain).toBe(false);
  });

  it('lists parameters, buffers and children in the order of its fields', () => {
    const net = new Net();
    expect(net.namedParameters().map(([n]) => n)).toEqual(['scale', 'first.weight', 'first.bias', 'norm.weight', 'last.weight']);
    expect(net.parameters().every(isParameter)).toBe(true);
    expect(net.namedParameters({ recurse: false, prefix: 'p' }).map(([n]) => n)).toEqual(['p.scale']);
    expect(net.namedBuffers().map(([n]) => n)).toEqual(['norm.running_mean', 'norm.steps']);
    expect(net.buffers()).toHaveLength(2);
    expect(net.namedModules().map(([n]) => n)).toEqual(['', 'first', 'norm', 'last']);
    expect(net.modules()[0]).toBe(net);
    expect(keys(net.stateDict())).toEqual(['scale', 'first.weight', 'first.bias', 'norm.weight', 'norm.running_mean', 'last.weight']);
    expect(keys(net.stateDict({ prefix: 'net.' }))[0]).toBe('net.scale');
  });

  it('counts what is shared once, and saves it under each name', () => {
    class Shared extends Module {
      a = new Linear(2, 2);
      b = this.a;
      forward(): void {}
    }
    const shared = new Shared();
    expect(shared.namedParameters().map(([n]) => n)).toEqual(['a.weight', 'a.bias']);
    expect(shared.namedParameters({ removeDuplicate: false }).map(([n]) => n)).toEqual(['a.weight', 'a.bias', 'b.weight', 'b.bias']);
    expect(shared.children()).toEqual([shared.a]);
    expect(shared.namedChildren().map(([n]) => n)).toEqual(['a']);
    expect(keys(shared.stateDict())).toEqual(['a.weight', 'a.bias', 'b.weight', 'b.bias']);
  });

  it('follows fields that are deleted, replaced or set to null', () => {
    class Loose extends Module {
      a?: Parameter | null = new Parameter(ones(1));
      b: Parameter | Tensor | null = new Parameter(ones(1));
      c = new Parameter(ones(1));
      forward(): void {}
    }
    const m = new Loose();
    const names = (): string[] => m.namedParameters().map(([n]) => n);
    m.b = null;
    expect(names()).toEqual(['a', 'c']);
    m.b = new Parameter(ones(2));
    expect(names()).toEqual(['a', 'b', 'c']);
    m.b = ones(2);
    expect(names()).toEqual(['a', 'c']);
    delete m.a;
    expect(names()).toEqual(['c']);
  });

  it('keeps a buffer a buffer when a tensor is assigned to its name', () => {
    const norm = new Norm();
    expect(norm.buffers()).toHaveLength(2);
    (norm as { running_mean: Tensor }).running_mean = ones(3);
    expect(norm.namedBuffers().map(([n]) => n)).toEqual(['running_mean', 'steps']);
    expect(norm.getBuffer('running_mean').toArray()).toEqual([1, 1, 1]);
  });

  it('registers under computed names, and refuses bad ones', () => {
    class Holder extends Module {
      forward(): void {}
    }
    const m = new Holder();
    m.registerParameter('w_0', new Parameter(ones(1)));
    m.registerParameter('none', null);
    m.registerBuffer('seen', zeros(1), { persistent: false });
    m.registerBuffer('mean', zeros(1));
    m.addModule('1', new Linear(1, 1));
    m.registerModule('0', new Linear(1, 1));
    expect(keys(m.stateDict())).toEqual(['w_0', 'mean', '1.weight', '1.bias', '0.weight', '0.bias']);
    expect(m.namedBuffers().map(([n]) => n)).toEqual(['seen', 'mean']);
    m.registerParameter('none', new Parameter(ones(1)));
    expect(m.namedParameters({ recurse: false }).map(([n]) => n)).toEqual(['w_0', 'none']);
    expect(() => m.registerParameter('a.b', null)).toThrow('parameter name can\'t contain "."');
    expect(() => m.registerBuffer('', null)).toThrow('buffer name can\'t be empty string ""');
    expect(() => m.registerModule('forward', null)).toThrow("attribute 'forward' already exists");
    expect(() => m.registerBuffer('w_0', zeros(1))).toThrow("attribute 'w_0' already exists");
    expect(() => m.registerParameter('p', zeros(1) as Parameter)).toThrow("cannot assign 'Tensor' object to parameter 'p'");
    expect(() => m.registerModule('q', zeros(1) as never)).toThrow('is not a Module subclass');
    const Base = Module as unknown as new () => () => void;
    class Formless extends Base {}
    expect(() => new Formless()()).toThrow('Module [Formless] is missing the required "forward" function');
  });

  it('finds members by path', () => {
    const net = new Net();
    expect(net.getSubmodule('')).toBe(net);
    expect(net.getSubmodule('norm')).toBe(net.norm);
    expect(net.getParameter('first.weight')).toBe(net.first.weight);
    expect(net.getBuffer('norm.steps')).toBe(net.norm.steps);
    expect(() => net.getSubmodule('norm.x')).toThrow('Norm has no attribute `x`');
    expect(() => net.getSubmodule('scale')).toThrow('`scale` is not an nn.Module');
    expect(() => net.getParameter('norm.running_mean')).toThrow('`running_mean` is not an nn.Parameter');
    expect(() => net.getBuffer('plain')).toThrow('`plain` is not a buffer');
    const better = new Norm();
    net.setSubmodule('norm', better);
    expect(net.norm).toBe(better);
    expect(() => net.setSubmodule('other', better, { strict: true })).toThrow('Net has no attribute `other`');
    expect(() => net.setSubmodule('', better)).toThrow('without a target name');
  });

  it('shows itself as in PyTorch', () => {
    expect(new Linear(2, 3).toString()).toBe('Linear(in_features=2, out_features=3, bias=True)');
    expect(inspect(new Net())).toBe(
      'Net(\n  (first): Linear(in_features=2, out_features=3, bias=True)\n  (norm): Norm()\n  (last): Linear(in_features=3, out_features=1, bias=False)\n)',
    );
    class Sub extends Linear {}
    expect(new Sub(1, 1).toString()).toMatch(/^Sub\(/);
  });

  it('switches modes, applies functions, and forgets gradients', () => {
    const net = new Net();
    expect(
      net
        .eval()
        .modules()
        .map((m) => m.training),
    ).toEqual([false, false, false, false]);
    expect(net.train().norm.training).toBe(true);
    const order: string[] = [];
    expect(net.apply((m) => order.push(m.constructor.name))).toBe(net);
    expect(order).toEqual(['Linear', 'Norm', 'Linear', 'Net']);
    net(ones(1, 2)).sum().backward();
    expect(net.parameters().every((p) => p.grad !== null)).toBe(true);
    net.zeroGrad({ setToNone: false });
    expect(net.scale.grad!.toArray()).toEqual([0]);
    net.zeroGrad();
    expect(net.parameters().every((p) => p.grad === null)).toBe(true);
    expect(
      net
        .requiresGrad_(false)
        .parameters()
        .some((p) => p.requiresGrad),
    ).toBe(false);
  });

  it('may have an async forward', async () => {
    class Slow extends Module {
      lin = new Linear(2, 1);
      override async forward(x: Tensor): Promise<Tensor> {
        await Promise.resolve();
        return this.lin(x);
      }
    }
    const slow = new Slow();
    expectTypeOf(slow).returns.toEqualTypeOf<Promise<Tensor>>();
    expect((await slow(ones(1, 2))).toArray()).toEqual([[2]]);
    await expect(slow(ones(1, 3))).rejects.toThrow('in Slow.lin (Linear), device plain, float32');
    slow.registerForwardHook((_m, _args, out) => (out as Tensor).mul(10));
    expect((await slow(ones(1, 2))).toArray()).toEqual([[20]]);
  });

  it('keeps its parameters out of scopes', () => {
    const model = scope(() => ({ model: new Net() }).model);
    expect(model(ones(1, 2)).toArray()).toEqual([[12]]);
  });
});

describe('to()', () => {
  it('converts floats in place: parameters, gradients and buffers keep their handles', () => {
    const net = new Net();
    net(ones(1, 2)).sum().backward();
    const { weight } = net.first;
    const { grad } = weight;
    expect(net.double()).toBe(net);
    expect(net.first.weight).toBe(weight);
    expect(weight.grad).toBe(grad);
    expect([weight.dtype, grad!.dtype, net.norm.running_mean.dtype, net.norm.steps.dtype]).toEqual([
      'float64',
      'float64',
      'float64',
      'int32',
    ]);
    expect(weight.requiresGrad && weight.isLeaf).toBe(true);
    expect(net(ones([1, 2], { dtype: 'float64' })).dtype).toBe('float64');
    net.float().zeroGrad();
    net(ones(1, 2)).sum().backward();
    expect(weight.grad!.toArray()).toEqual([
      [2, 2],
      [2, 2],
      [2, 2],
    ]);
    expect(() => net.to('int32')).toThrow('only accepts floating point dtypes');
    expect(net.type('float64').norm.steps.dtype).toBe('float64');
  });

  it('refuses to run a graph that was recorded with what was there before', () => {
    const net = new Norm();
    const loss = net(ones([1, 3], { requiresGrad: true })).sum();
    net.double();
    expect(() => loss.backward()).toThrow(/modified by an inplace operation/);
  });
});

describe('state', () => {
  it('comes out detached, sharing memory, and goes back in', () => {
    const net = new Net();
    const sd = net.stateDict();
    expect(sd.get('scale')!.requiresGrad).toBe(false);
    expect(net.stateDict({ keepVars: true }).get('scale')).toBe(net.scale);
    noGrad(() => net.scale.mul_(3));
    expect(sd.get('scale')!.toArray()).toEqual([6]);
    const other = new Net();
    const { scale } = other;
    expect(other.loadStateDict(sd)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(other.scale).toBe(scale);
    expect(scale.toArray()).toEqual([6]);
    expect(other.loadStateDict(Object.fromEntries(sd))).toEqual({ missingKeys: [], unexpectedKeys: [] });
  });

  it('names all that does not fit, as PyTorch does, and changes nothing then', () => {
    const net = new Net();
    const sd = net.stateDict();
    const wrong = new Map<string, Tensor>([...sd].filter(([k]) => k !== 'norm.weight'));
    wrong.set('scale', tensor([9]));
    wrong.set('extra', ones(1));
    wrong.set('norm.more', ones(1));
    wrong.set('first.bias', ones(4));
    let error: unknown;
    try {
      net.loadStateDict(wrong);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(ModuleError);
    expect((error as ModuleError).code).toBe('ERR_STATE_DICT');
    expect((error as Error).message).toBe(
      'Error(s) in loading state_dict for Net:\n\tMissing key(s) in state_dict: "norm.weight". \n\tUnexpected key(s) in state_dict: "extra", "norm.more". \n\t' +
        'size mismatch for first.bias: copying a param with shape torch.Size([4]) from checkpoint, the shape in current model is torch.Size([3]).',
    );
    expect(net.scale.toArray()).toEqual([2]);
    expect(() => net.loadStateDict(wrong, { strict: false })).toThrow('size mismatch');
    expect(net.scale.toArray()).toEqual([2]);
    wrong.delete('first.bias');
    // As PyTorch does: not strict means no error, and the keys are told all the same.
    expect(net.loadStateDict(wrong, { strict: false })).toEqual({
      missingKeys: ['first.bias', 'norm.weight'],
      unexpectedKeys: ['extra', 'norm.more'],
    });
    expect(net.scale.toArray()).toEqual([9]);
  });

  it('assigns the loaded tensors themselves when asked to', async () => {
    const net = new Linear(2, 1);
    const weight = ones([1, 2], { dtype: 'float64' });
    net.loadStateDict({ weight, bias: zeros([1], { dtype: 'float64' }) }, { assign: true });
    expect(net.weight.dtype).toBe('float64');
    expect(isParameter(net.weight) && net.weight.requiresGrad).toBe(true);
    expect(net.weight.storage).toBe(weight.storage);
    await net.loadStateDictAsync({ weight: weight.mul(5), bias: zeros(1) });
    expect(net.weight.toArray()).toEqual([[5, 5]]);
  });

  it('has extra state and hooks', () => {
    class Counted extends Linear {
      count = 0;
      override getExtraState(): Tensor {
        return tensor([this.count]);
      }
      override setExtraState(state: Tensor): void {
        this.count = state.item();
      }
    }
    const a = new Counted(1, 1);
    a.count = 7;
    const seen: string[] = [];
    a.registerStateDictPreHook((_m, prefix) => void seen.push(`pre ${prefix}`));
    a.registerStateDictPostHook((_m, sd) => void sd.set('mark', ones(1)));
    const sd = a.stateDict();
    expect(keys(sd)).toEqual(['weight', 'bias', '_extra_state', 'mark']);
    expect(seen).toEqual(['pre ']);
    const b = new Counted(1, 1);
    expect(() => b.loadStateDict(sd)).toThrow('Unexpected key(s) in state_dict: "mark"');
    b.registerLoadStateDictPreHook((_m, entries, prefix) => void entries.delete(`${prefix}mark`));
    b.registerLoadStateDictPostHook((_m, { missingKeys }) => void seen.push(`post ${missingKeys.length}`));
    b.loadStateDict(sd);
    expect(b.count).toBe(7);
    expect(seen).toEqual(['pre ', 'post 0']);
    expect(sd.has('mark')).toBe(true);
  });
});

describe('hooks', () => {
  it('see and change arguments and outputs, in order', () => {
    const lin = new Linear(2, 1);
    const log: string[] = [];
    const pre = lin.registerForwardPreHook((m, [x]) => {
      expect(m).toBe(lin);
      log.push('pre');
      return (x as Tensor).mul(2);
    });
    lin.registerForwardHook(() => void log.push('second'));
    lin.registerForwardHook(
      (_m, args, out) => (log.push('first'), expect((args[0] as Tensor).toArray()).toEqual([[2, 2]]), (out as Tensor).add(1)),
      { prepend: true },
    );
    expect(lin(ones(1, 2)).toArray()).toEqual([[5]]);
    expect(log).toEqual(['pre', 'first', 'second']);
    pre.remove();
    let always = 0;
    lin.registerForwardHook((_m, _args, out) => void (always += out === undefined ? 100 : 1), { alwaysCall: true });
    expect(() => lin(ones(1, 3))).toThrow('Linear(2, 1) takes inputs whose last size is 2.');
    expect(always).toBe(100);
  });

  it('see and change gradients of inputs and outputs', () => {
    class Two extends Module {
      forward(a: Tensor, b: Tensor): [Tensor, Tensor] {
        return [a.mul(b), a.add(b)];
      }
    }
    const two = new Two();
    const log: unknown[] = [];
    two.registerFullBackwardPreHook((_m, gradOutput) => {
      log.push(gradOutput.map((g) => g?.toArray() ?? null));
      return gradOutput.map((g) => g?.mul(10) ?? null);
    });
    two.registerFullBackwardHook((_m, gradInput, gradOutput) => {
      log.push(
        gradInput.map((g) => g?.toArray() ?? null),
        gradOutput.map((g) => g?.toArray() ?? null),
      );
      return gradInput.map((g) => g?.neg() ?? null);
    });
    const a = tensor([2], { requiresGrad: true });
    const b = tensor([3]);
    const [product, sum] = two(a, b);
    product.add(sum.mul(5)).backward();
    expect(log).toEqual([
      [[1], [5]],
      [[80], null],
      [[10], [50]],
    ]);
    expect(a.grad!.toArray()).toEqual([-80]);
    log.length = 0;
    two(a, b)[0].backward();
    expect(log).toEqual([
      [[1], null],
      [[30], null],
      [[10], null],
    ]);
  });

  it('are called for modules whose inputs need no gradient', () => {
    const lin = new Linear(2, 1);
    const log: unknown[] = [];
    lin.registerFullBackwardHook((_m, gradInput, gradOutput) => void log.push(gradInput, gradOutput[0]!.toArray()));
    lin(ones(1, 2)).sum().backward();
    expect(log).toEqual([[null], [[1]]]);
    expect(lin.weight.grad!.toArray()).toEqual([[1, 1]]);
  });
});

describe('an error in forward', () => {
  it('tells the path from the outermost module, once', () => {
    class Deep extends Module {
      net = new Net();
      forward(x: Tensor): Tensor {
        return this.net(x);
      }
    }
    let error: unknown;
    try {
      new Deep()(randn(4, 5));
    } catch (e) {
      error = e;
    }
    if (!isTesseraError(error)) throw error;
    expect(error.code).toBe('ERR_MATMUL_SHAPE');
    expect(error.details.path).toBe('Deep.net.first (Linear)');
    expect(error.message.split('\n').slice(1)).toEqual([
      '  in Deep.net.first (Linear), device plain, float32',
      '  Linear(2, 3) takes inputs whose last size is 2.',
    ]);
    expect(error.stack).toContain('in Deep.net.first (Linear)');
  });

  it('leaves errors of others alone', () => {
    class Broken extends Module {
      forward(): void {
        throw new RangeError('mine');
      }
    }
    expect(() => new Broken()()).toThrow(/^mine$/);
  });
});
