/**
 * @file How far a quasi-Newton path wanders when its start is disturbed by a rounding. Its steps go by differences of nearly equal gradients: on some
 * problems of the data PyTorch's own float32 path leaves its float64 twin by 1e-2 in five steps, on others it never does. Only the problem tells
 * which, and reference data of optimizers come without PyTorch's own error; this stands in for it. It is measured on the CPU backend, whatever is
 * tested: a device does not say itself how far it may be off, and one that is slow walks each path once.
 */
import { cpuPlugin } from '@tessera/backend-cpu';
import { noGrad, type Tensor } from '@tessera/core';
import { type HostTensor, read } from '../check/host-tensor.js';
import { tracked } from '../check/leaks.js';
import type { DecodedOptimizerCase, OptimizerCase } from '../fixtures/index.js';
import { disposeModule } from '../modules/construct.js';
import { placeTensor } from '../ops/arguments.js';
import { withSubject } from '../subject/start.js';
import type { Subject } from '../subject/subject.js';
import { construct, lossOf, mlp, takeStep } from './problem.js';
import { disposeOptimizer, dropGradients } from './trajectory.js';

/** Largest differences of the loss and of each parameter, up to and with each step. */
export interface Drift {
  loss(step: number): number;
  parameter(step: number, name: string): number;
}
export const NO_DRIFT: Drift = { loss: () => 0, parameter: () => 0 };

interface Path {
  readonly losses: readonly number[];
  readonly parameters: readonly ReadonlyMap<string, HostTensor>[];
}

/** Some units in the last place of float32: what the sums of one step are off by. */
const DISTURBANCE = 2 ** -21;
/** The first path is the one without. */
const SEEDS = [0, 1, 2];

export async function driftOf(
  name: string,
  one: OptimizerCase,
  decoded: DecodedOptimizerCase,
  options: Readonly<Record<string, unknown>>,
): Promise<Drift> {
  const [straight, ...others] = await withSubject({ plugin: cpuPlugin, device: 'cpu' }, 'cpu', async (subject) => {
    const paths: Path[] = [];
    for (const seed of SEEDS) paths.push(await tracked(() => walkFrom(seed, name, one, decoded, options, subject)));
    return paths as [Path, ...Path[]];
  });
  const largest = (step: number, distance: (path: Path, n: number) => number): number =>
    Math.max(0, ...others.flatMap((path) => Array.from({ length: step + 1 }, (_, n) => distance(path, n))).filter(Number.isFinite));
  return {
    loss: (step) => largest(step, (path, n) => Math.abs(path.losses[n] - straight.losses[n])),
    parameter: (step, key) =>
      largest(step, (path, n) => {
        const [a, b] = [path.parameters[n].get(key)!.data, straight.parameters[n].get(key)!.data];
        return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));
      }),
  };
}

/** All steps from the start that is given, disturbed but for seed 0. */
async function walkFrom(
  seed: number,
  name: string,
  one: OptimizerCase,
  decoded: DecodedOptimizerCase,
  options: Readonly<Record<string, unknown>>,
  subject: Subject,
): Promise<Path> {
  const network = mlp(subject.library, one);
  network.loadStateDict(Object.fromEntries(Object.entries(decoded.init).map(([key, value]) => [key, placeTensor(value, subject)])));
  const named = [...network.namedParameters()];
  if (seed !== 0) for (const [i, [, parameter]] of named.entries()) disturb(parameter, seed * 100 + i);
  const optimizer = construct(
    subject.library,
    name,
    named.map(([, parameter]) => parameter),
    options,
  );
  try {
    const [x, y] = [placeTensor(decoded.x, subject), placeTensor(decoded.y, subject)];
    const losses: number[] = [];
    const parameters: Map<string, HostTensor>[] = [];
    for (let step = 0; step < one.losses.length; step++) {
      const loss = await takeStep(optimizer, true, () => lossOf(subject.library, network, x, y));
      losses.push(await loss.itemAsync());
      const now = new Map<string, HostTensor>();
      for (const [key, parameter] of named) now.set(key, await read(parameter));
      parameters.push(now);
    }
    return { losses, parameters };
  } finally {
    disposeOptimizer(optimizer);
    dropGradients(network);
    disposeModule(network);
  }
}

/** Each element by another part of its last place, as a fixed sequence has it. */
function disturb(parameter: Tensor, seed: number): void {
  noGrad(() => {
    const phase = parameter.detach().mul(1e4).add(seed).sin();
    parameter.mul_(phase.mul(DISTURBANCE).add(1));
  });
}
