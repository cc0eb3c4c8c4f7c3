/** @file What the tests of optimizers share: the CPU backend, the same without synchronous reads, and a small network. */
import { cpuPlugin, createCpuBackend } from '@tessera/backend-cpu';
import {
  BACKEND,
  type BackendProvider,
  CONTRACT_VERSION,
  type DType,
  manualSeed,
  type Plugin,
  randn,
  runtimes,
  type Tensor,
} from '@tessera/core';
import { F, Linear, Sequential, Tanh } from '@tessera/layers';

/** The CPU backend, which may not be waited for: as in a browser's GPU. */
const asyncPlugin: Plugin = {
  name: 'cpu-async',
  version: '0.0.0',
  contract: CONTRACT_VERSION,
  register({ container }) {
    const create = () => {
      const backend = createCpuBackend();
      const readSync = backend.readSync.bind(backend);
      const read = (...args: Parameters<typeof readSync>) => Promise.resolve(readSync(...args));
      return Object.defineProperties(backend, {
        id: { value: 'cpu-async' },
        capabilities: { value: { ...backend.capabilities, syncRead: false } },
        read: { value: read },
        readSync: { value: undefined },
      });
    };
    const provider: BackendProvider = {
      id: 'cpu-async',
      version: '0.0.0',
      priority: 0,
      isAvailable: () => ({ available: true }),
      create,
      createSync: create,
    };
    container.register<BackendProvider>(BACKEND, { useValue: provider });
  },
};

export function useCpu(): void {
  runtimes.current.use(cpuPlugin);
  runtimes.current.use(asyncPlugin);
}

/** Linear → Tanh → Linear, with data, all from one seed; and its loss's gradients. */
export function problem(device = 'cpu', dtype: DType = 'float32') {
  manualSeed(1);
  const model = new Sequential(new Linear(4, 8), new Tanh(), new Linear(8, 2));
  const x = randn(16, 4).to({ device, dtype });
  const y = randn(16, 2).to({ device, dtype });
  model.to({ device, dtype });
  const compute = (): Tensor => {
    const loss = F.mseLoss(model(x) as Tensor, y);
    loss.backward();
    return loss;
  };
  return { model, compute };
}

/** Every number of a model. */
export const numbersOf = (model: { parameters(): Iterable<Tensor> }): number[] => [...model.parameters()].flatMap((p) => [...p.data()]);
