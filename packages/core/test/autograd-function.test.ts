/** @file Custom functions, checkpoints, hooks on saved tensors, gradcheck, and whole derivatives. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  autograd,
  checkpoint,
  checkpointSequential,
  type FunctionContext,
  grad,
  gradcheck,
  gradgradcheck,
  manualSeed,
  ones,
  rand,
  randn,
  runtimes,
  type Tensor,
  tensor,
} from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => void runtimes.current.use(plainPlugin()));

const leaf = (data: number | number[] | number[][]): Tensor => tensor(data, { dtype: 'float64', requiresGrad: true });
const numbers = (t: Tensor | null): unknown => t?.toArray();

class Exp extends autograd.Function {
  static forward(ctx: FunctionContext, x: Tensor): Tensor {
    const y = x.exp();
    ctx.saveForBackward(y);
    return y;
  }
  static backward(ctx: FunctionContext, g: Tensor): Tensor {
    return g.mul(ctx.savedTensors[0]!);
  }
}

class Scale extends autograd.Function {
  static forward(ctx: FunctionContext, x: Tensor, factor: number): Tensor {
    ctx.factor = factor;
    return x.mul(factor);
  }
  static backward(ctx: FunctionContext, g: Tensor): [Tensor, null] {
    return [g.mul(ctx.factor as number), null];
  }
}

/** Two outputs, of which the second has no gradient. */
class MaxWithPlace extends autograd.Function {
  static forward(ctx: FunctionContext, x: Tensor): [Tensor, Tensor] {
    const [value, place] = x.max(0);
    ctx.saveForBackward(place);
    ctx.markNonDifferentiable(place);
    ctx.size = x.shape[0];
    return [value, place];
  }
  static backward(ctx: FunctionContext, g: Tensor, _none: Tensor | null): Tensor {
    return g.newZeros([ctx.size as number]).scatterAdd(0, ctx.savedTensors[0]!.reshape([1]), g.reshape([1]));
  }
}

class SumAndDifference extends autograd.Function {
  static calls = 0;
  static forward(_ctx: FunctionContext, a: Tensor, b: Tensor): [Tensor, Tensor] {
    return [a.add(b), a.sub(b)];
  }
  static backward(_ctx: FunctionContext, s: Tensor, d: Tensor): [Tensor, Tensor] {
    SumAndDifference.calls++;
    return [s.add(d), s.sub(d)];
  }
}

describe('Function', () => {
  it('runs its own backward, to any order', () => {
    const x = leaf([0.5, 1]);
    expect(gradcheck((a: Tensor) => Exp.apply(a), [x])).toBe(true);
    expect(gradgradcheck((a: Tensor) => Exp.apply(a), [x])).toBe(true);
    expect(Exp.apply(x).gradFn!.name).toBe('ExpBackward');
    expect(Exp.apply(x.detach()).requiresGrad).toBe(false);
  });

  it('may set up its context apart from the forward', () => {
    class Power extends autograd.Function {
      static forward(x: Tensor, exponent: number): Tensor {
        return x.pow(exponent);
      }
      static setupContext(ctx: FunctionContext, [x, exponent]: [Tensor, number], output: Tensor): void {
        ctx.exponent = exponent;
        ctx.saveForBackward(x, output);
      }
      static backward(ctx: FunctionContext, g: Tensor): [Tensor, null] {
        const [x, output] = ctx.savedTensors;
        return [g.mul(output!.div(x!)).mul(ctx.exponent as number), null];
      }
    }
    const x = leaf([2, 3]);
    const y: Tensor = Power.apply(x, 3);
    y.sum().backward();
    expect([numbers(y), numbers(x.grad)]).toEqual([
      [8, 27],
      [12, 27],
    ]);
  });

  it('takes arguments that are no tensors', () => {
    const x = leaf([1, 2]);
    Scale.apply(x, 3).sum().backward();
    expect(numbers(x.grad)).toEqual([3, 3]);
  });

  it('has several outputs, whose gradients meet in one call', () => {
    const a = leaf([1, 2]);
    const b = leaf([3, 4]);
    const [s, d] = SumAndDifference.apply(a, b);
    SumAndDifference.calls = 0;
    s.mul(2).add(d.mul(d)).sum().backward();
    expect(SumAndDifference.calls).toBe(1);
    expect(numbers(a.grad)).toEqual([-2, -2]);
    expect(numbers(b.grad)).toEqual([6, 6]);
    expect(gradgradcheck((x: Tensor, y: Tensor) => SumAndDifference.apply(x, y).map((t) => t.mul(t)), [leaf([1, 2]), leaf([3, 5])])).toBe(
      true,
    );
  });

  it('fills in zeros for outputs that were not used, or null if asked to', () => {
    const a = leaf([1]);
    const b = leaf([2]);
    const [s] = SumAndDifference.apply(a, b);
    s.backward();
    expect([numbers(a.grad), numbers(b.grad)]).toEqual([[1], [1]]);
    let seen: unknown[] = [];
    class Raw extends autograd.Function {
      static forward(ctx: FunctionContext, x: Tensor): [Tensor, Tensor] {
        ctx.setMaterializeGrads(false);
        return [x.mul(1), x.mul(2)];
      }
      static backward(_ctx: FunctionContext, p: Tensor | null, q: Tensor | null): Tensor | null {
        seen = [p, q];
        return q;
      }
    }
    Raw.apply(a)[1].sum().backward();
    expect(seen[0]).toBeNull();
  });

  it('marks outputs that have no gradient', () => {
    const x = leaf([1, 5, 2]);
    const [value, place] = MaxWithPlace.apply(x);
    expect([value.requiresGrad, place.requiresGrad]).toEqual([true, false]);
    value.backward();
    expect(numbers(x.grad)).toEqual([0, 1, 0]);
  });

  it('tells which inputs want gradients, and refuses wrong answers', () => {
    let needs: readonly boolean[] = [];
    class Wrong extends autograd.Function {
      static forward(ctx: FunctionContext, x: Tensor, _y: Tensor): Tensor {
        needs = ctx.needsInputGrad;
        return x.mul(1);
      }
      static backward(_ctx: FunctionContext, g: Tensor): Tensor {
        return g;
      }
    }
    expect(() => Wrong.apply(leaf([1]), tensor([1], { dtype: 'float64' })).backward()).toThrow(
      /incorrect number of gradients \(expected 2, got 1\)/,
    );
    expect(needs).toEqual([true, false]);
    class WrongShape extends autograd.Function {
      static forward(_ctx: FunctionContext, x: Tensor): Tensor {
        return x.mul(1);
      }
      static backward(): Tensor {
        return ones(7);
      }
    }
    expect(() =>
      WrongShape.apply(leaf([1, 2]))
        .sum()
        .backward(),
    ).toThrow(/invalid gradient at index 0/);
  });

  it('notices writes to what it saved', () => {
    const x = leaf([1]);
    const y = Exp.apply(x);
    y.detach().add_(1);
    expect(() => y.backward()).toThrow(/modified by an inplace/);
    const z = Exp.apply(x);
    z.backward();
    expect(() => z.backward()).toThrow(/second time/);
  });

  it('writes in place where it says so', () => {
    class Double extends autograd.Function {
      static forward(ctx: FunctionContext, x: Tensor): Tensor {
        x.mul_(2);
        ctx.markDirty(x);
        return x;
      }
      static backward(_ctx: FunctionContext, g: Tensor): Tensor {
        return g.mul(2);
      }
    }
    const x = leaf([1, 2]);
    const y = x.mul(3);
    const z = Double.apply(y);
    expect(z).toBe(y);
    z.sum().backward();
    expect(numbers(x.grad)).toEqual([6, 6]);
  });

  it('may hand an input through', () => {
    class Identity extends autograd.Function {
      static forward(_ctx: FunctionContext, x: Tensor): Tensor {
        return x;
      }
      static backward(_ctx: FunctionContext, g: Tensor): Tensor {
        return g.neg();
      }
    }
    const x = leaf([1]);
    const y = Identity.apply(x);
    expect(y === x).toBe(false);
    y.backward();
    expect(numbers(x.grad)).toEqual([-1]);
  });
});

describe('checkpoint', () => {
  const w = (): Tensor =>
    leaf([
      [1, 2],
      [3, 4],
    ]);
  const block =
    (weight: Tensor) =>
    (x: Tensor): Tensor =>
      x.matmul(weight).tanh().mul(x).exp();

  it('gives the same gradients, of parameters that it closes over too', () => {
    const [a, b] = [w(), w()];
    const [x, y] = [leaf([0.1, 0.2]), leaf([0.1, 0.2])];
    block(a)(x).sum().backward();
    let calls = 0;
    checkpoint((t: Tensor) => {
      calls++;
      return block(b)(t);
    }, y)
      .sum()
      .backward();
    expect(calls).toBe(2);
    expect(numbers(y.grad)).toEqual(numbers(x.grad));
    expect(numbers(b.grad)).toEqual(numbers(a.grad));
  });

  it('nests, works with grad(), and twice with retainGraph', () => {
    const x = leaf([0.3, 0.4]);
    const weight = w();
    const y = checkpoint((t: Tensor) => checkpoint(block(weight), t).mul(checkpoint(block(weight), t.mul(2))), x).sum();
    const plain = block(weight)(x)
      .mul(block(weight)(x.mul(2)))
      .sum();
    const [expected] = grad(plain, [x]);
    expect(numbers(grad(y, [x], { retainGraph: true })[0]!)).toEqual(numbers(expected!));
    expect(numbers(grad(y, [x])[0]!)).toEqual(numbers(expected!));
    expect(gradgradcheck((t: Tensor) => checkpoint(block(weight.detach()), t), [x])).toBe(true);
  });

  it('draws the same random numbers again, and leaves the stream as it was', () => {
    manualSeed(5);
    const x = leaf([1, 1, 1, 1]);
    const noise = (): Tensor => rand(4, { dtype: 'float64' });
    const y = checkpoint((t: Tensor) => t.mul(noise().mul(0).add(noise())).sin(), x);
    const after = randn(2).toArray();
    y.sum().backward();
    manualSeed(5);
    rand(4, { dtype: 'float64' });
    rand(4, { dtype: 'float64' });
    expect(randn(2).toArray()).toEqual(after);
  });

  it('goes through a sequence in segments, of which the last is kept', () => {
    const functions = Array.from({ length: 5 }, (_, i) => (t: Tensor) => t.mul(i + 1).sin());
    const [x, y] = [leaf([0.3, -0.2]), leaf([0.3, -0.2])];
    functions
      .reduce((t, fn) => fn(t), x)
      .sum()
      .backward();
    for (const segments of [1, 2, 3, 5]) {
      const calls = functions.map(() => 0);
      const counted = functions.map((fn, i) => (t: Tensor) => {
        calls[i]!++;
        return fn(t);
      });
      y.grad = null;
      checkpointSequential(counted, segments, y).sum().backward();
      expect(numbers(y.grad)).toEqual(numbers(x.grad));
      const again = Math.floor(5 / segments) * (segments - 1);
      expect(calls).toEqual(functions.map((_, i) => (i < again ? 2 : 1)));
    }
    expect(() => checkpointSequential(functions, 6, y)).toThrow(expect.objectContaining({ code: 'ERR_CHECKPOINT' }));
  });

  it('refuses a function that does something else the second time', () => {
    let calls = 0;
    const y = checkpoint((t: Tensor) => (calls++ === 0 ? t.exp().sin() : t.add(1)), leaf([1]));
    expect(() => y.sum().backward()).toThrow(/different number of tensors was saved/);
  });
});

describe('savedTensorsHooks', () => {
  it('packs and unpacks what is saved', () => {
    const x = leaf([1, 2]);
    const packed: unknown[] = [];
    const y = autograd.savedTensorsHooks(
      {
        pack: (t) => {
          packed.push(t.toArray());
          return t.toArray();
        },
        unpack: (data) => tensor(data as number[], { dtype: 'float64' }),
      },
      () => x.mul(2).sin().mul(3),
    );
    y.sum().backward();
    expect(packed).toEqual([[2, 4]]);
    expect(numbers(x.grad)).toEqual([2, 4].map((v) => expect.closeTo(6 * Math.cos(v), 12)));
  });
});

describe('gradcheck', () => {
  it('passes what is right, on views and strided inputs too', () => {
    const base = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: 'float64' },
    );
    const x = base.t().requiresGrad_();
    expect(
      gradcheck(
        (a: Tensor, b: Tensor) => [a.mul(b).sum(0), a.div(b)],
        [
          x,
          leaf([
            [2, 3],
            [4, 5],
          ]),
        ],
      ),
    ).toBe(true);
    expect(base.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(gradcheck(() => x.mul(x), [x])).toBe(true);
  });

  it('fails what is wrong, with both Jacobians', () => {
    class Bad extends autograd.Function {
      static forward(_ctx: FunctionContext, x: Tensor): Tensor {
        return x.mul(2);
      }
      static backward(_ctx: FunctionContext, g: Tensor): Tensor {
        return g.mul(3);
      }
    }
    const x = leaf([1, 2]);
    expect(() => gradcheck((a: Tensor) => Bad.apply(a), [x])).toThrow(
      /Jacobian mismatch for output 0 with respect to input 0,\nnumerical:\n.*2\.0.*\nanalytical:\n.*3\.0/s,
    );
    expect(gradcheck((a: Tensor) => Bad.apply(a), [x], { raiseException: false })).toBe(false);
    expect(() => gradcheck((a: Tensor) => a, [tensor([1])])).toThrow(/at least one input tensor to require gradient/);
    expect(() => gradcheck((a: Tensor) => a, [tensor([1], { requiresGrad: true })])).toThrow(/float64/);
  });

  it('finds second derivatives that are wrong', () => {
    class Flat extends autograd.Function {
      static forward(ctx: FunctionContext, x: Tensor): Tensor {
        ctx.saveForBackward(x);
        return x.mul(x);
      }
      static backward(ctx: FunctionContext, g: Tensor): Tensor {
        return g.mul(ctx.savedTensors[0]!.detach().mul(2));
      }
    }
    const x = leaf([1, 2]);
    expect(gradcheck((a: Tensor) => Flat.apply(a), [x])).toBe(true);
    expect(gradgradcheck((a: Tensor) => Flat.apply(a), [x], null, { raiseException: false })).toBe(false);
  });
});

describe('functional', () => {
  const cube = (x: Tensor): Tensor => x.mul(x).mul(x);
  it('jacobian and hessian', () => {
    const x = leaf([1, 2]);
    expect(numbers(autograd.jacobian(cube, x) as Tensor)).toEqual([
      [3, 0],
      [0, 12],
    ]);
    expect(numbers(autograd.hessian((t) => cube(t).sum(), x) as Tensor)).toEqual([
      [6, 0],
      [0, 12],
    ]);
    const [[xx, xy], [yx, yy]] = autograd.hessian((a, b) => a.mul(a).mul(b).sum(), [leaf([1]), leaf([2])]) as Tensor[][];
    expect([xx, xy, yx, yy].map(numbers)).toEqual([[[4]], [[2]], [[2]], [[0]]]);
  });

  it('vjp and jvp', () => {
    const x = leaf([1, 2]);
    const v = tensor([1, 10], { dtype: 'float64' });
    const [y, back] = autograd.vjp(cube, x, v);
    expect([numbers(y as Tensor), numbers(back as Tensor)]).toEqual([
      [1, 8],
      [3, 120],
    ]);
    expect(numbers(autograd.jvp((t) => t.sum().mul(t), x, v)[1] as Tensor)).toEqual([14, 52]);
    expect(() => autograd.vjp(cube, x)).toThrow(/single element/);
  });
});
