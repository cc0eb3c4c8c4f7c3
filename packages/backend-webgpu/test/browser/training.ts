/** @file Training in a page or in its worker: called by name from the tests in Node. */
import { F, init, nn, optim, profile, randn, relu, tensor, type Tensor, warmup } from '../../../tessera/src/index.js';
import type { WebGpuBackend } from '../../src/index.js';

class Net extends nn.Module {
  fc1 = new nn.Linear(8, 16);
  fc2 = new nn.Linear(16, 3);

  forward(x: Tensor): Tensor {
    return this.fc2(relu(this.fc1(x)));
  }
}

type Saved = readonly (readonly [name: string, shape: readonly number[], values: readonly number[]])[];

/** A model on a new device, and one step of its training, always on the same batch. `saved`: what it begins with. */
export async function training(saved: Saved = []) {
  const { backend } = await init({ device: 'webgpu' });
  const model = new Net();
  if (saved.length > 0)
    model.loadStateDict(
      Object.fromEntries(saved.map(([name, shape, values]) => [name, tensor(Float32Array.from(values)).view([...shape])])),
    );
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const x = tensor(Float32Array.from({ length: 80 }, (_, i) => ((i * 37) % 19) / 10 - 1)).view(10, 8);
  const y = tensor(Int32Array.from({ length: 10 }, (_, i) => i % 3));
  const loss = (logits: Tensor): Tensor => F.crossEntropy(logits, y);
  const step = async (): Promise<number> => {
    optimizer.zeroGrad();
    const value = loss(model(x));
    value.backward();
    optimizer.step();
    return value.itemAsync();
  };
  const save = async (): Promise<Saved> =>
    Promise.all([...model.namedParameters()].map(async ([name, p]) => [name, p.shape, [...(await p.dataAsync())].map(Number)] as const));
  return { gpu: backend as WebGpuBackend, model, optimizer, x, loss, step, save };
}

const codeOf = async (failing: Promise<unknown>): Promise<string> => {
  try {
    await failing;
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

/** The kernels of a profile, and their times on the device. */
export async function profiled(): Promise<{ precise: boolean; names: string[]; deviceTime: number; wallTime: number }> {
  const { backend } = await init({ device: 'webgpu' });
  const x = randn(256, 256).realize();
  await x.dataAsync();
  const { kernels, wallTime } = await profile(async () => void (await x.matmul(x).exp().sum().itemAsync()));
  return {
    precise: (backend as WebGpuBackend).adapter.features.includes('timestamp-query'),
    names: kernels.map(({ name }) => name),
    deviceTime: kernels.reduce((sum, { deviceTime }) => sum + deviceTime!, 0),
    wallTime,
  };
}

/** Pipelines that a warm-up made, and the first step after it. */
export async function warmedUp(): Promise<{ before: number; anew: number; falling: boolean }> {
  const { gpu, model, optimizer, x, loss, step } = await training();
  const start = gpu.counters.pipelines;
  await warmup(model, x, { loss, optimizer });
  const { pipelines } = gpu.counters;
  const losses = [await step(), await step()];
  return { before: pipelines - start, anew: gpu.counters.pipelines - pipelines, falling: losses[1] < losses[0] };
}

let running: Awaited<ReturnType<typeof training>>;
let saved: Saved = [];

/** Two steps, after which the host has a copy of the parameters. */
export async function begin(): Promise<number[]> {
  running = await training();
  const losses = [await running.step(), await running.step()];
  saved = await running.save();
  return losses;
}

let waiting: Promise<string> = Promise.resolve('');

/** Begins work of some seconds, whose result is waited for. */
export function beginWork(): void {
  const x = randn(640, 640).realize();
  let y = x;
  for (let i = 0; i < 12; i++) y = y.matmul(x).tanh().realize();
  waiting = codeOf(y.sum().itemAsync());
}

/** What was said to who waits for it. */
export const ofWork = (): Promise<string> => waiting;

/** What a step says after a loss; then two more on a new device, from the copy. */
export async function goOn(): Promise<{ failure: string; next: string; losses: number[] }> {
  const failure = await codeOf(running.step());
  const next = await codeOf((async () => running.gpu.allocate('float32', 1))());
  running = await training(saved);
  return { failure, next, losses: [await running.step(), await running.step()] };
}

/** Loses the device as an application can. */
export function lose(): void {
  running.gpu.loseDevice();
}

/** A kernel that writes where there is no memory; then a step. */
export async function tooMuch(elements: number): Promise<{ failure: string; details: unknown; losses: number[] }> {
  running = await training();
  const { gpu, step } = running;
  const losses = [await step()];
  const [small, large] = [gpu.allocate('float32', 4), gpu.allocate('float32', elements)];
  const line = (buffer: typeof small) => ({ buffer, dtype: 'float32', shape: [4], strides: [1], offset: 0 }) as const;
  gpu.kernels.scan('sum', false, line(small), line(large), 0);
  let error: { code?: string; details?: unknown } = {};
  try {
    await gpu.read(large, 0, 1);
  } catch (thrown) {
    error = thrown as typeof error;
  }
  gpu.free(large);
  losses.push(await step());
  return { failure: error.code ?? 'none', details: error.details, losses };
}

/** What goes on in a page that may be asleep. */
interface Progress {
  hidden: boolean;
  frames: number;
  inPage: number[];
  inWorker: number[];
  problems: string[];
}

const progress: Progress = { hidden: false, frames: 0, inPage: [], inWorker: [], problems: [] };

/** Trains for ever, in the page and in a worker of its own, and counts frames. */
export async function startEverything(): Promise<void> {
  const frame = (): void => {
    progress.frames++;
    requestAnimationFrame(frame);
  };
  frame();
  const worker = new Worker(new URL('./trainer.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }) => void progress.inWorker.push(data as number));
  worker.addEventListener('error', ({ message }) => void progress.problems.push(message));
  const { step } = await training();
  void forEver(step, (loss) => void progress.inPage.push(loss)).catch((error: unknown) => void progress.problems.push(String(error)));
}

export const soFar = (): Progress => ({ ...progress, hidden: document.visibilityState === 'hidden' });

export async function forEver(step: () => Promise<number>, each: (loss: number) => void): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    each(await step());
    // Others have their turn too.
    // oxlint-disable-next-line no-await-in-loop -- as above
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
