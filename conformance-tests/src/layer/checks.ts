/** @file The checks of {@link checkLayer}, each of which is a test. */
import {
  type Device,
  gradcheck,
  isBuffer,
  isFloat,
  isParameter,
  isTensor,
  manualSeed,
  type Module,
  type Tensor,
  typeNameOf,
} from '@tessera/core';
import { loadSafetensors, saveSafetensorsAsync } from '@tessera/io';
import { fromConfig, toConfig } from '@tessera/layers';
import { Mismatch } from '../check/result.js';
import type { CheckLayerOptions, LayerCase } from './check-layer.js';
import { runningDevices } from './device.js';

interface Context extends CheckLayerOptions {
  readonly devices: readonly string[];
  readonly device: Device;
}

interface LayerCheck {
  readonly name: string;
  /** Default: to every case. */
  applies?(one: LayerCase): boolean;
  /** @throws Mismatch */
  run(one: LayerCase, context: Context): Promise<void>;
}

const SEED = 20;

function make({ layer }: LayerCase): Module {
  manualSeed(SEED);
  return layer();
}
function inputsOf({ inputs }: LayerCase): readonly Tensor[] {
  manualSeed(SEED + 1);
  return inputs();
}

/** Calls a layer; its outputs in a list, whatever they stand in. */
async function call(module: Module, inputs: readonly Tensor[], seed = SEED + 2): Promise<Tensor[]> {
  manualSeed(seed);
  return flat(await (module as unknown as (...args: readonly Tensor[]) => unknown)(...inputs));
}
function flat(out: unknown): Tensor[] {
  if (isTensor(out)) return [out];
  if (Array.isArray(out)) return out.flatMap(flat);
  throw new Mismatch(`its forward gave ${typeof out}, expected a tensor or a list of tensors`);
}

const text = (shape: readonly number[]): string => `(${shape.join('x')})`;
const numbers = async (x: Tensor): Promise<number[]> => Array.from(await x.detach().dataAsync(), Number);

/** @throws Mismatch where two lists of outputs differ by more than a part of the largest */
async function same(what: string, mine: readonly Tensor[], theirs: readonly Tensor[], part: number): Promise<void> {
  for (const [i, tensor] of mine.entries()) {
    const [a, b] = [await numbers(tensor), await numbers(theirs[i])];
    const scale = a.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1e-3);
    const at = a.findIndex((x, j) => !(Math.abs(x - b[j]) <= part * scale) && !(Number.isNaN(x) && Number.isNaN(b[j])));
    if (at >= 0 || a.length !== b.length) throw new Mismatch(`${what}: element ${at} of output ${i}`, String(a[at]), String(b[at]));
  }
}

const shapes: LayerCheck = {
  name: 'gives the shapes and dtypes that it should',
  async run(one) {
    const outputs = await call(make(one), inputsOf(one));
    const wanted = (Array.isArray(one.shape[0]) ? one.shape : [one.shape]) as readonly (readonly number[])[];
    if (outputs.map((t) => text(t.shape)).join() !== wanted.map(text).join())
      throw new Mismatch('the shape of its output', wanted.map(text).join(), outputs.map((t) => text(t.shape)).join());
    const { dtype = 'float32' } = one;
    for (const output of outputs) if (output.dtype !== dtype) throw new Mismatch('the dtype of its output', dtype, output.dtype);
  },
};

const float64: LayerCheck = {
  name: 'computes in float64 once it is moved there',
  applies: ({ dtype = 'float32' }) => dtype === 'float32',
  async run(one) {
    const module = make(one).eval();
    const inputs = inputsOf(one);
    const single = await call(module, inputs);
    const double = await call(
      module.to('float64'),
      inputs.map((t) => (isFloat(t.dtype) ? t.to('float64') : t)),
    );
    for (const output of double)
      if (output.dtype !== 'float64') throw new Mismatch('the dtype of its output in float64', 'float64', output.dtype);
    await same('float64 and float32 differ', double, single, 1e-4);
  },
};

const modes: LayerCheck = {
  name: 'trains and infers, and infers the same each time',
  async run(one) {
    const module = make(one);
    const inputs = inputsOf(one);
    for (const mode of [false, true]) {
      module.train(mode);
      for (const part of module.modules())
        if (part.training !== mode)
          throw new Mismatch(`train(${mode}) does not reach ${typeNameOf(part)}`, String(mode), String(part.training));
    }
    await same('the same seed gives something else while training', await call(make(one), inputs), await call(make(one), inputs), 0);
    if (one.random !== true)
      await same(
        'it is random while training (if it may be, say so in the case: random: true)',
        await call(make(one), inputs, 1),
        await call(make(one), inputs, 2),
        0,
      );
    module.eval();
    await same('it is random in eval()', await call(module, inputs, 1), await call(module, inputs, 2), 0);
    const before = (await numbers(inputs[0])).join();
    await call(module, inputs);
    if ((await numbers(inputs[0])).join() !== before) throw new Mismatch('it writes to its input');
  },
};

const state: LayerCheck = {
  name: 'keeps all that it is in its state_dict',
  async run(one) {
    const module = make(one);
    const inputs = inputsOf(one);
    // A step of training may change buffers: those are state too.
    await call(module, inputs);
    module.eval();
    for (const part of module.modules()) {
      for (const [name, member] of Object.entries(part as unknown as Readonly<Record<string, unknown>>))
        if (isTensor(member) && !isParameter(member) && !isBuffer(member) && ![...part.namedBuffers()].some(([, b]) => b === member))
          throw new Mismatch(
            `${typeNameOf(part)}.${name} is a plain tensor, which no state_dict holds and no device move reaches: make it a Parameter or a Buffer`,
          );
    }
    const bytes = await saveSafetensorsAsync(module.stateDict());
    manualSeed(SEED + 9);
    const again = one.layer().eval();
    again.loadStateDict(loadSafetensors(bytes));
    await same('another one with its state gives something else', await call(module, inputs), await call(again, inputs), 0);
  },
};

const gradients: LayerCheck = {
  name: 'has the right gradients, which reach every parameter',
  applies: ({ noGradcheck }) => noGradcheck === undefined,
  async run(one) {
    const module = make(one).to('float64');
    const inputs = inputsOf(one).map((t) => (isFloat(t.dtype) ? t.to('float64').detach().requiresGrad_() : t));
    const parameters = module.parameters().filter((p) => p.requiresGrad);
    const forward = (): unknown => {
      manualSeed(SEED + 2);
      return (module as unknown as (...args: readonly Tensor[]) => unknown)(...inputs);
    };
    const total = flat(forward()).reduce((sum, out) => sum.add(out.mul(out).sum()), inputs[0].detach().mul(0).sum().to('float64'));
    if (total.requiresGrad) total.backward();
    const lost = module.namedParameters().find(([, p]) => p.requiresGrad && p.grad === null);
    if (lost !== undefined) throw new Mismatch(`no gradient reaches its parameter ${lost[0]}`);
    const leaves = [...inputs.filter((t) => t.requiresGrad), ...parameters];
    if (leaves.length === 0) return;
    // By its inputs and by its parameters, which are changed in place behind its back.
    gradcheck(() => flat(forward()), leaves);
  },
};

const devices: LayerCheck = {
  name: 'gives the same on every device',
  async run(one, { devices: ids, device }) {
    const module = make(one).eval();
    const inputs = inputsOf(one);
    const here = await call(module, inputs);
    for (const there of await runningDevices(ids)) {
      if (there === device) continue;
      await module.toAsync(there);
      const moved = await Promise.all(inputs.map((t) => t.toAsync(there)));
      const outputs = await call(module, moved);
      for (const output of outputs)
        if (output.device !== there) throw new Mismatch('its output is on another device', there.id, output.device.id);
      await same(`${there.id} and ${device.id} differ`, here, outputs, 1e-4);
      await module.toAsync(device);
    }
  },
};

const repr: LayerCheck = {
  name: 'prints its name and what it was made with',
  async run(one) {
    const module = make(one);
    const line = module.toString().split('\n')[0];
    if (!line.startsWith(`${typeNameOf(module)}(`)) throw new Mismatch('how it prints', `${typeNameOf(module)}(…)`, line);
    if (/\[object|undefined|function/.test(module.toString()))
      throw new Mismatch('how it prints', 'its options as text', module.toString());
    if (one.repr !== undefined && line !== one.repr) throw new Mismatch('how it prints', one.repr, line);
    if (!Object.hasOwn(module.constructor, 'typeName'))
      throw new Mismatch(`${typeNameOf(module)} has no static typeName: its name would not survive minifying`);
  },
};

const json: LayerCheck = {
  name: 'comes back from JSON',
  async run(one, { layers }) {
    const options = layers === undefined ? {} : { layers };
    const module = make(one).eval();
    const document = JSON.stringify(toConfig(module, options));
    const again = fromConfig(JSON.parse(document), options).eval();
    if (again.toString() !== module.toString()) throw new Mismatch('how it prints, from JSON', module.toString(), again.toString());
    again.loadStateDict(module.stateDict());
    const inputs = inputsOf(one);
    await same('from JSON it gives something else', await call(module, inputs), await call(again, inputs), 0);
  },
};

export const LAYER_CHECKS: readonly LayerCheck[] = [shapes, float64, modes, state, gradients, devices, repr, json];
