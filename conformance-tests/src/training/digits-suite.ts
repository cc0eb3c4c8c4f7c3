/** @file Ten epochs on handwritten digits, in float32 and float64: the curves of three optimizers against PyTorch's. */
import { fromHost, noGrad, scopes, Scope, type Tensor } from '@tessera/core';
import { parseSafetensors } from '@tessera/io';
import { Mismatch } from '../check/result.js';
import { Skip } from '../check/skip.js';
import { directoryFiles, fetchFiles, type FixtureFiles, type TensorTable } from '../fixtures/index.js';
import { type AnyModule, callModule, disposeModule } from '../modules/construct.js';
import { placeTensor } from '../ops/arguments.js';
import { camelCase } from '../ops/signature.js';
import { construct } from '../optimizers/problem.js';
import { type AnyOptimizer, disposeOptimizer, dropGradients } from '../optimizers/trajectory.js';
import { hasDType, type Subject } from '../subject/subject.js';
import type { Suite } from '../suite.js';
import { digitsNetwork } from './models.js';
import { namedTensor } from './named-tensor.js';

interface Curves {
  readonly batch_size: number;
  readonly epochs: number;
  readonly runs: Readonly<Record<string, Run>>;
}
interface Run {
  readonly kwargs: Readonly<Record<string, number>>;
  readonly losses: readonly number[];
  readonly epochs: readonly { readonly epoch: number; readonly test_acc: number }[];
  readonly f32_vs_f64_loss_divergence: Readonly<Record<string, number>>;
}

const OPTIMIZERS: Readonly<Record<string, string>> = { sgd: 'SGD', adam: 'Adam', adamw: 'AdamW' };
const TRAINING = 1437;
const PIXELS = 64;
/** Until rounding has grown into another path, losses are PyTorch's: so many times as far off as its own float32 is from its float64. */
const DIVERGENCE_FACTOR = 20;
/** A tenth of the printed digits, and of a loss near 2. */
const LOSS_FLOOR = 2e-6;
/**
 * Adam divides a gradient by its own size: where float32 leaves of one nothing but rounding, a weight goes by a whole step one way or the other.
 * Backends that sum in float32 leave PyTorch's path so after some 15 steps, by up to 9e-4 in a hundred.
 */
const ADAPTIVE_FLOOR = 1e-3;
const STEPS_BEFORE_SIGNS = 12;
/**
 * Where float32 may come to a fork: a pooled maximum or a ReLU whose argument is within rounding of the other side flips sooner or later, and from
 * there on the paths part: on the CPU backend with SGD after 114 steps or never, depending on which of its kernels computes the loss (of six runs
 * in float64 with weights disturbed by 3e-8 two take the other path). Up to here all must agree; float64 is held to PyTorch's path to the end.
 */
const STEPS_IN_STEP = { float32: 100, float64: Infinity };
/** Behind it, the mean loss of an epoch and the accuracy (of 360 digits) in the end: the networks are equally good. */
const EPOCH_LOSS = 0.03;
const ACCURACY = { float32: 0.03, float64: 0.003 };

/** The digits lie with the examples of the repository; the published package does without. */
export function digitsFiles(): FixtureFiles {
  const root = new URL('../../../examples/data/digits/', import.meta.url);
  return root.protocol === 'file:' ? directoryFiles(root) : fetchFiles(root);
}

export function digitsSuite(files: FixtureFiles = digitsFiles()): Suite {
  return {
    level: 'training',
    name: 'digits',
    // oxlint-disable-next-line typescript/require-await -- a suite of this kind loads nothing before its cases run
    async *cases(subject) {
      for (const run of Object.keys(OPTIMIZERS)) {
        for (const dtype of ['float32', 'float64'] as const) {
          yield {
            id: `digits/${run}/${dtype}`,
            inputs: () => `ten epochs of optim.${OPTIMIZERS[run]} in ${dtype}`,
            run: (stage) => train(run, dtype, files, subject, stage),
          };
        }
      }
    },
  };
}

interface Data {
  readonly curves: Curves;
  readonly images: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly order: ArrayLike<number>;
  readonly init: TensorTable;
}

async function load(files: FixtureFiles): Promise<Data> {
  const tensors = async (name: string): Promise<TensorTable> => parseSafetensors(await files.read(`${name}.safetensors`)).tensors;
  let text: Uint8Array;
  try {
    text = await files.read('training.json');
  } catch {
    throw new Skip('scope', 'the digits lie with the examples of the repository, and are not here');
  }
  const digits = await tensors('digits');
  const order = await tensors('batch_order');
  return {
    curves: JSON.parse(new TextDecoder().decode(text)) as Curves,
    images: namedTensor('images', digits).data as Uint8Array,
    labels: namedTensor('labels', digits).data as Uint8Array,
    order: namedTensor('order', order).data as Int32Array,
    init: await tensors('cnn_init'),
  };
}

type FloatDType = 'float32' | 'float64';

async function train(run: string, dtype: FloatDType, files: FixtureFiles, subject: Subject, stage: (name: string) => void): Promise<void> {
  if (!hasDType(subject, dtype)) throw new Skip('device', `no ${dtype}`);
  stage('data');
  const data = await load(files);
  const { kwargs, losses, epochs, f32_vs_f64_loss_divergence: divergence } = data.curves.runs[run];
  const model = digitsNetwork();
  const network = model as unknown as AnyModule;
  let optimizer: AnyOptimizer | undefined;
  try {
    network.loadStateDict(
      Object.fromEntries([...data.init.keys()].map((name) => [name, placeTensor(namedTensor(name, data.init), subject)])),
    );
    if (dtype === 'float64') model.to('float64');
    const options = Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [camelCase(key), value]));
    optimizer = construct(
      subject.library,
      OPTIMIZERS[run],
      [...network.namedParameters()].map(([, parameter]) => parameter),
      options,
    );
    let step = 0;
    for (let epoch = 0; epoch < data.curves.epochs; epoch++) {
      stage(`epoch ${epoch + 1}`);
      const first = step;
      let sum = 0;
      for (let at = 0; at < TRAINING; at += data.curves.batch_size) {
        const batch = Array.from(
          { length: Math.min(data.curves.batch_size, TRAINING - at) },
          (_, i) => data.order[epoch * TRAINING + at + i],
        );
        const loss = await trainStep(network, optimizer, batch, dtype, data, subject);
        if (step < STEPS_IN_STEP[dtype]) {
          const adapts = run !== 'sgd' && dtype === 'float32' && step >= STEPS_BEFORE_SIGNS;
          checkCurve(step, loss, losses[step], divergence, adapts ? ADAPTIVE_FLOOR : LOSS_FLOOR);
        }
        sum += loss - losses[step];
        step++;
      }
      const off = Math.abs(sum / (step - first));
      if (!(off <= EPOCH_LOSS))
        throw new Mismatch(`the mean loss of epoch ${epoch + 1} is off by ${off.toExponential(2)} (allowed ${EPOCH_LOSS})`);
    }
    stage('accuracy');
    const accuracy = await testAccuracy(network, dtype, data, subject);
    const expected = epochs.at(-1)!.test_acc;
    if (Math.abs(accuracy - expected) > ACCURACY[dtype])
      throw new Mismatch(`after ${epochs.length} epochs the accuracy is ${accuracy.toFixed(3)}, expected ${expected.toFixed(3)}`);
  } finally {
    if (optimizer) disposeOptimizer(optimizer);
    dropGradients(network);
    disposeModule(network);
  }
}

/** One step in a scope of its own: hundreds of them would pile up. */
async function trainStep(
  network: AnyModule,
  optimizer: AnyOptimizer,
  batch: readonly number[],
  dtype: FloatDType,
  data: Data,
  subject: Subject,
): Promise<number> {
  const scope = new Scope();
  const outer = scopes.current;
  scopes.current = scope;
  try {
    dropGradients(network);
    const loss = subject.library.fn('F.crossEntropy')(
      callModule(network, '', [imagesOf(batch, dtype, data, subject)], {}),
      labelsOf(batch, data, subject),
    ) as Tensor;
    loss.backward();
    optimizer.step();
    return await loss.itemAsync();
  } finally {
    scopes.current = outer;
    scope.end(undefined, null);
  }
}

/** Losses are compared as far as PyTorch's own float32 follows its float64 to a thousandth. */
function checkCurve(step: number, got: number, expected: number, divergence: Run['f32_vs_f64_loss_divergence'], floor: number): void {
  const known = Object.entries(divergence).map(([key, off]) => [Number(key.replace('first ', '')), off] as const);
  const off = known.find(([steps]) => step < steps)?.[1];
  if (off === undefined || off > 1e-3) return;
  const allowed = DIVERGENCE_FACTOR * off * Math.max(1, Math.abs(expected)) + floor;
  if (!(Math.abs(got - expected) <= allowed))
    throw new Mismatch(`loss of step ${step + 1}: ${got}, expected ${expected} (allowed ${allowed.toExponential(2)})`);
}

async function testAccuracy(network: AnyModule, dtype: FloatDType, data: Data, subject: Subject): Promise<number> {
  const samples = Array.from({ length: data.labels.length - TRAINING }, (_, i) => TRAINING + i);
  const scores = noGrad(() => callModule(network, '', [imagesOf(samples, dtype, data, subject)], {}) as Tensor);
  const classes = await scores.dataAsync();
  const count = scores.shape[1];
  const hits = samples.filter((sample, i) => {
    const row = Array.from({ length: count }, (_, k) => classes[i * count + k]);
    return row.indexOf(Math.max(...row)) === data.labels[sample];
  });
  return hits.length / samples.length;
}

/** (N, 1, 8, 8), from 0 to 1. */
function imagesOf(samples: readonly number[], dtype: FloatDType, { images }: Data, { device }: Subject): Tensor {
  const pixels = new (dtype === 'float64' ? Float64Array : Float32Array)(samples.length * PIXELS);
  samples.forEach((sample, i) => {
    for (let p = 0; p < PIXELS; p++) pixels[i * PIXELS + p] = images[sample * PIXELS + p] / 16;
  });
  return fromHost(pixels, [samples.length, 1, 8, 8], dtype, device);
}

function labelsOf(samples: readonly number[], { labels }: Data, { device }: Subject): Tensor {
  return fromHost(
    Int32Array.from(samples, (sample) => labels[sample]),
    [samples.length],
    'int32',
    device,
  );
}
