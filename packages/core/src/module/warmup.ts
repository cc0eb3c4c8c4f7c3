/** @file warmup: a model's kernels are compiled before its first real step. */
import { isGradEnabled, noGrad, setGradEnabled } from '../autograd/mode.js';
import { leavesOf, mapTree } from '../func/tree.js';
import { runtimes } from '../plugin/runtime.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { isUninitialized } from './uninitialized.js';
import { checkOptions, type OptionNames } from '../options.js';

const WARMUP_OPTIONS: OptionNames<WarmupOptions<unknown>> = { loss: true, optimizer: true };

/** What {@link warmup} needs of an optimizer; those of `optim` have it. */
export interface WarmableOptimizer {
  step(): unknown;
  stateDict(): unknown;
  loadStateDictAsync(saved: never): Promise<void>;
}

export interface WarmupOptions<Output> {
  /** What training minimizes, of the model's output: then the backward pass is compiled too. Default: the forward only. */
  readonly loss?: (output: Output) => Tensor;
  /** Then its step is compiled too; needs `loss`. Parameters and the optimizer's state are copied meanwhile, and put back. */
  readonly optimizer?: WarmableOptimizer;
}

/**
 * Runs a model once, so that all of its kernels are compiled before they are waited for: the first step, or the first answer to a user, is then
 * as fast as the next. On WebGPU pipelines are compiled aside, many at a time, and the page stays responsive; on cpu and wasm it is one run.
 * Kernels do not depend on sizes alone, but the form of the input matters: give one like the real ones (dtype, dims, and the batch size, since
 * backends choose kernels by it). In training mode gradients are recorded, in eval mode they are not.
 *
 * Afterwards all is as before: parameters, buffers (running statistics), gradients, the optimizer's state and the generator's. Only lazy layers
 * have got their shapes, and drew their first values.
 *
 * @param input The input of `forward`, or an array of its arguments.
 * @example
 * await warmup(model.eval(), zeros(1, 3, 224, 224));
 * @example
 * await warmup(model, images, { loss: (logits) => F.crossEntropy(logits, labels), optimizer });
 * @throws What the model throws, with all put back.
 */
export async function warmup<M extends Module>(
  model: M,
  input: Tensor | Parameters<M['forward']>,
  options: WarmupOptions<Awaited<ReturnType<M['forward']>>> = {},
): Promise<void> {
  checkOptions('warmup', options, WARMUP_OPTIONS);
  type Output = Awaited<ReturnType<M['forward']>>;
  const { loss, optimizer } = options;
  const args = (Array.isArray(input) ? input : [input]) as readonly unknown[];
  const call = model as unknown as (...args: readonly unknown[]) => Output | Promise<Output>;
  const devices = runtimes.current.devices;
  const compilations = devices.flatMap(({ backend }) => backend.compilation ?? []);

  if ([...model.parameters(), ...model.buffers()].some(isUninitialized)) await initializeLazy(model, () => call(...args));
  // What is still deferred would be fused into the kernels of this run, and of no other.
  for (const tensor of [...model.parameters(), ...model.buffers(), ...leavesOf(args)]) tensor.realize();
  const putBack = keepState(model, loss === undefined ? undefined : optimizer);
  for (const compilation of compilations) compilation.begin();
  try {
    // An async forward is without gradients up to its first await only: grad modes do not follow one.
    const was = setGradEnabled(isGradEnabled() && (model.training || loss !== undefined));
    let answer: Output | Promise<Output>;
    try {
      answer = call(...args);
    } finally {
      setGradEnabled(was);
    }
    const output = await answer;
    for (const tensor of leavesOf(output)) tensor.realize();
    if (loss !== undefined) {
      const value = loss(output);
      value.backward();
      value.realize();
      optimizer?.step();
    }
  } finally {
    // What puts back is compiled with the rest.
    try {
      await putBack();
    } finally {
      await Promise.all(compilations.map((compilation) => compilation.end()));
    }
  }
  await Promise.all(devices.map(({ backend }) => backend.synchronize()));
}

/** Gives lazy layers their shapes by a first call, in eval mode, so that running statistics stay. */
async function initializeLazy(model: Module, run: () => unknown): Promise<void> {
  const training = [...model.modules()].filter((m) => m.training);
  model.eval();
  try {
    await run();
  } finally {
    for (const m of training) m.training = true;
  }
}

/** Copies what a run may change. Calling the result puts it back. */
function keepState(model: Module, optimizer: WarmableOptimizer | undefined): () => Promise<void> {
  const { generator } = runtimes.current;
  const drawn = generator.getState();
  const copy = (t: Tensor): Tensor => t.detach().clone().realize();
  const parameters = [...model.parameters()];
  const changing: readonly Tensor[] = [...model.buffers(), ...(optimizer === undefined ? [] : parameters)];
  const [values, state] = noGrad(() => [changing.map(copy), optimizer === undefined ? undefined : mapTree(optimizer.stateDict(), copy)]);
  const grads = parameters.map((p) => p.grad);
  for (const p of parameters) p.grad = null;
  return async () => {
    generator.setState(drawn);
    noGrad(() => changing.forEach((t, i) => t.copy_(values[i]!).realize()));
    parameters.forEach((p, i) => (p.grad = grads[i]!));
    await optimizer?.loadStateDictAsync(state as never);
  };
}
