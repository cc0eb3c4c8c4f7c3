import { describe, expect, it } from 'vitest';
import { cpuPlugin } from '../../backend-cpu/src/index.js';
import * as core from '../src/index.js';
import { type Plugin, Runtime, runtimes, tensor, withRuntime } from '../src/index.js';
import { PlainBackend, plainPlugin } from './support/plain-backend.js';

describe('Runtime', () => {
  it('runs two backends side by side in one process, and moves tensors between them', () => {
    const runtime = new Runtime(core).use(cpuPlugin).use(plainPlugin());
    const cpu = runtime.device('cpu');
    const plain = runtime.device('plain');
    const a = tensor([1, 2, 3], { device: cpu });
    const b = a.to(plain);
    expect(b.device.id).toBe('plain');
    expect(b.mul(2).toArray()).toEqual(a.mul(2).toArray());
    expect(() => a.add(b)).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_MIX' }));
    const x = tensor([1, 2], { device: cpu, requiresGrad: true });
    x.to(plain).mul(3).sum().backward();
    expect(x.grad!.device.id).toBe('cpu');
    expect(x.grad!.toArray()).toEqual([3, 3]);
  });

  it('keeps two runtimes apart: plugins, devices, random numbers', () => {
    // Without an argument, plugins get this package.
    const one = new Runtime().use(cpuPlugin).use(plainPlugin('one'));
    const two = new Runtime(core).use(plainPlugin('two'));
    expect(() => one.device('two')).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_UNKNOWN' }));
    one.generator.manualSeed(1);
    two.generator.manualSeed(1);
    const first = withRuntime(one, () => core.rand(3).toArray());
    withRuntime(one, () => core.rand(3));
    expect(withRuntime(two, () => core.rand(3).toArray())).toEqual(first);
    expect(withRuntime(two, () => core.zeros(1).device.id)).toBe('two');
    expect(runtimes.current).not.toBe(two);
  });

  it('takes a backend that says that it is slow last, or when it is named', async () => {
    const slow: Plugin = {
      name: 'slow',
      version: '1.0.0',
      contract: 1,
      register({ container, core: c }) {
        const isAvailable = () => ({ available: true, slow: 'emulated' }) as const;
        container.register(c.BACKEND, { useValue: { id: 'slow', priority: 99, isAvailable, create: () => new PlainBackend('slow') } });
      },
    };
    const runtime = new Runtime(core).use(cpuPlugin).use(slow);
    expect((await runtime.init()).id).toBe('cpu');
    expect((await runtime.init({ device: 'slow' })).id).toBe('slow');
    expect((await new Runtime(core).use(slow).init()).id).toBe('slow');
  });

  it('chooses by priority, and says why others were not chosen', async () => {
    const broken: Plugin = {
      name: 'broken',
      version: '1.0.0',
      contract: 1,
      register({ container, core: c }) {
        const never = (): never => {
          throw new Error('never asked for');
        };
        container.register(c.BACKEND, {
          useValue: { id: 'gpu', priority: 99, isAvailable: () => ({ available: false, reason: 'there is no GPU here' }), create: never },
        });
      },
    };
    const runtime = new Runtime(core).use(cpuPlugin).use(broken);
    expect((await runtime.init({ device: 'auto' })).id).toBe('cpu');
    expect((await runtime.backends()).map((b) => [b.id, b.availability.available])).toEqual([
      ['gpu', false],
      ['cpu', true],
    ]);
    await expect(runtime.init({ device: 'gpu' })).rejects.toThrow(/there is no GPU here/);
    await expect(runtime.init({ device: 'tpu' })).rejects.toMatchObject({ code: 'ERR_DEVICE_UNKNOWN' });
    await expect(new Runtime(core).init()).rejects.toMatchObject({ code: 'ERR_DEVICE_UNAVAILABLE' });
  });

  it('refuses plugins of another contract, and objects that are none', () => {
    const runtime = new Runtime(core);
    expect(() => runtime.use({ ...cpuPlugin, contract: 99 })).toThrow(expect.objectContaining({ code: 'ERR_CONTRACT_VERSION' }));
    expect(() => runtime.use({} as Plugin)).toThrow(expect.objectContaining({ code: 'ERR_PLUGIN' }));
    expect(() => runtime.use({ ...cpuPlugin, contract: undefined } as unknown as Plugin)).toThrow(/contract must be .*, and is undefined/);
    expect(() => runtime.defaultDevice).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_NOT_STARTED' }));
  });

  it('says whose fault it is where a plugin does not register', () => {
    const registering = (register: Plugin['register']): Plugin => ({ name: 'mine', version: '1.0.0', contract: 1, register });
    const torn = registering(() => {
      throw new TypeError('container.registr is not a function');
    });
    expect(() => new Runtime(core).use(torn)).toThrow("plugin 'mine' does not register: container.registr is not a function");
    const backend = registering(({ container, core: c }) => void container.register(c.BACKEND, { useValue: new PlainBackend('mine') }));
    expect(() => new Runtime(core).use(backend)).toThrow(
      "plugin 'mine' registered what is no backend provider: priority must be a number, and is undefined; isAvailable must be a function, and is undefined",
    );
  });

  it('refuses a backend that is not whole, with all that it lacks', async () => {
    const offering = (isAvailable: () => unknown, create: () => unknown): Runtime =>
      new Runtime(core).use({
        name: 'mine',
        version: '1.0.0',
        contract: 1,
        register: ({ container, core: c }) =>
          void container.register(c.BACKEND, { useValue: { id: 'mine', priority: 1, isAvailable, create } }),
      });
    const yes = (): unknown => ({ available: true });
    const sound = new PlainBackend('mine');

    await expect(offering(yes, () => undefined).init({ device: 'mine' })).rejects.toThrow(
      "backend 'mine' is no whole backend: its create() gave undefined",
    );
    await expect(offering(yes, () => new PlainBackend('yours')).init({ device: 'mine' })).rejects.toThrow(
      "its id is 'yours', and its provider's is 'mine'",
    );
    const partly = {
      id: 'mine',
      contractVersion: 1,
      capabilities: { ...sound.capabilities, dtypes: ['float32', 'half'], maxBuffers: undefined },
      kernels: { ...sound.kernels, sort: undefined },
    };
    await expect(offering(yes, () => partly).init({ device: 'mine' })).rejects.toThrow(
      /there is no allocate\(\); .*kernels lack sort; capabilities\.maxBuffers must be a number, and is undefined; .*'half', which is no dtype \(Did you mean 'float16'\?\)/,
    );
    await expect(
      offering(
        () => true,
        () => sound,
      ).init({ device: 'mine' }),
    ).rejects.toThrow('isAvailable() gave true');
    const torn = (): never => {
      throw new RangeError('no GPU');
    };
    await expect(offering(yes, torn).init({ device: 'mine' })).rejects.toMatchObject({
      code: 'ERR_DEVICE_START',
      message: "device 'mine' does not start: no GPU",
      cause: expect.any(RangeError) as unknown,
    });
  });

  it('splits programs where a backend takes few buffers', () => {
    let backend: PlainBackend | undefined;
    const runtime = new Runtime(core).use(plainPlugin('few', { maxBuffers: 3, maxInstructions: 4 }, (b) => (backend = b)));
    const device = runtime.device('few');
    const xs = Array.from({ length: 6 }, (_, i) => tensor([i, i + 1], { device }));
    const total = xs.reduce((a, b) => a.add(b).mul(1));
    expect(total.toArray()).toEqual([15, 21]);
    expect(backend!.calls.length).toBeGreaterThan(1);
  });

  it('names what a device lacks', () => {
    const runtime = new Runtime(core).use(
      plainPlugin('half', { dtypes: ['float32', 'int32', 'uint8', 'bool'], maxBufferBytes: 64, syncRead: false }),
    );
    const device = runtime.device('half');
    expect(() => tensor([1], { device, dtype: 'float64' })).toThrow(expect.objectContaining({ code: 'ERR_DTYPE_DEVICE' }));
    expect(() => core.zeros(17, { device }).realize()).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_SIZE' }));
  });
});
