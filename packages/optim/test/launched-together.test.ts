/** @file Steps on a backend that takes the updates of several parameters in one launch: as on one that takes them one by one. */
import { CpuBackend } from '@tessera/backend-cpu';
import { CONTRACT_VERSION, type Device, Runtime, tensor, type Tensor } from '@tessera/core';
import { describe, expect, it } from 'vitest';
import * as optim from '../src/index.js';
import type { ParamState, SGDOptions } from '../src/index.js';

/** The sets that each call was given. */
const together: number[] = [];

class Together extends CpuBackend {
  constructor() {
    super();
    const { kernels } = this;
    const pointwiseEach: typeof kernels.pointwiseEach = (program, scalars, inputs, outputs) => {
      together.push(scalars.length);
      // As the contract says: what one set writes no other reads or writes.
      outputs.flat().forEach(({ buffer }) => {
        const touching = scalars.filter((_, i) => [...inputs[i]!, ...outputs[i]!].some((x) => x.buffer === buffer));
        expect(touching.length).toBe(1);
      });
      scalars.forEach((values, i) => kernels.pointwise(program, values, inputs[i]!, outputs[i]!));
      return true;
    };
    Object.assign(kernels, { pointwiseEach });
  }
}

function device(Backend: typeof CpuBackend): Device {
  const runtime = new Runtime().use({
    name: 'cpu-under-test',
    version: '0',
    contract: CONTRACT_VERSION,
    register({ container, core: { BACKEND } }) {
      const create = (): CpuBackend => new Backend();
      container.register(BACKEND, {
        useValue: { id: 'cpu', priority: 0, isAvailable: () => ({ available: true }), create, createSync: create },
      });
    },
  });
  return runtime.device('cpu');
}
const [ALONE, TOGETHER] = [device(CpuBackend), device(Together)];

const parameters = (on: Device): Tensor[] =>
  [[1, -2, 3], [0.5], [4, 5]].map((values) => tensor(values, { device: on, requiresGrad: true }));

/** Values after each of three steps, the gradients being the squares' and the last parameter without one at first. */
function train(params: readonly Tensor[], optimizer: { step(): unknown; zeroGrad(): void }): number[][] {
  return [0, 1, 2].map((step) => {
    optimizer.zeroGrad();
    for (const p of step === 0 ? params.slice(0, 2) : params) p.square().sum().backward();
    optimizer.step();
    return params.flatMap((p) => [...p.detach().data()]);
  });
}

describe('updates launched together', () => {
  it.each([
    ['SGD', (p: Tensor[]) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true })],
    ['Adam', (p: Tensor[]) => new optim.Adam(p, { lr: 0.1, amsgrad: true })],
    ['AdamW', (p: Tensor[]) => new optim.AdamW(p, { lr: 0.1 })],
    ['NAdam', (p: Tensor[]) => new optim.NAdam(p, { lr: 0.1 })],
    ['RAdam', (p: Tensor[]) => new optim.RAdam(p, { lr: 0.1 })],
    ['Adamax', (p: Tensor[]) => new optim.Adamax(p, { lr: 0.1 })],
    ['Adagrad', (p: Tensor[]) => new optim.Adagrad(p, { lr: 0.1 })],
    ['Adadelta', (p: Tensor[]) => new optim.Adadelta(p, { lr: 0.1 })],
    ['ASGD', (p: Tensor[]) => new optim.ASGD(p, { lr: 0.1 })],
    ['RMSprop', (p: Tensor[]) => new optim.RMSprop(p, { lr: 0.1, centered: true, momentum: 0.5 })],
  ])('%s gives the same bits', (_, make) => {
    together.length = 0;
    const [a, b] = [parameters(ALONE), parameters(TOGETHER)];
    expect(train(b, make(b))).toEqual(train(a, make(a)));
    expect(Math.max(...together)).toBeGreaterThan(1);
  });

  it.each([
    ['a parameter that shares its memory', (p: Tensor) => p.detach().requiresGrad_()],
    ['a row of it', (p: Tensor) => p.detach().narrow(0, 1, 1).requiresGrad_()],
  ])('%s is updated after it', (_, share) => {
    const [a, b] = [ALONE, TOGETHER].map((on) => {
      const [p, ...others] = parameters(on);
      return [p!, share(p!), ...others];
    });
    expect(train(b!, new optim.SGD(b!, { lr: 0.1 }))).toEqual(train(a!, new optim.SGD(a!, { lr: 0.1 })));
    expect(train(b!, new optim.Adam(b!, { lr: 0.1 }))).toEqual(train(a!, new optim.Adam(a!, { lr: 0.1 })));
  });

  it('a gradient that is a parameter is read as it is at its turn', () => {
    const stepped = [ALONE, TOGETHER].map((on) => {
      const [p, , q] = parameters(on);
      const r = tensor([1, 1], { device: on, requiresGrad: true });
      p!.grad = tensor([1, 1, 1], { device: on });
      r.grad = q!.detach();
      q!.grad = r.detach();
      new optim.SGD([p!, q!, r], { lr: 0.1 }).step();
      return [p!, q!, r].map((t) => [...t.detach().data()]);
    });
    expect(stepped[1]).toEqual(stepped[0]);
  });

  it('what a subclass does after an update of its own comes after it', () => {
    class Clamped extends optim.SGD {
      protected override update(p: Tensor, grad: Tensor, state: ParamState, o: SGDOptions): void {
        super.update(p, grad, state, o);
        p.clamp_(-1, 1).realize();
      }
    }
    const [a, b] = [parameters(ALONE), parameters(TOGETHER)];
    const values = train(b, new Clamped(b, { lr: 0.1 }));
    expect(values).toEqual(train(a, new Clamped(a, { lr: 0.1 })));
    expect(values[0]).toEqual([expect.closeTo(0.8, 6), -1, 1, expect.closeTo(0.4, 6), 4, 5]);
  });
});
