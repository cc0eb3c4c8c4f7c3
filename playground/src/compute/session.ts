/** @file One training: a model, its optimizer, where it stands in the data, and on which device. */
import { cat, data, F, io, manualSeed, noGrad, type optim, runtimes, type Tensor, typeNameOf } from 'tessera';
import { MODELS } from '../models/classes.js';
import type { LayerRow, ModelSummary, SwitchReport } from '../shared/reports.js';
import type { TrainingSettings } from '../shared/settings.js';
import { loadDigits, type Digits } from './digits.js';
import { type ImageModel, modelFromSource } from './model-source.js';
import { makeOptimizer, makeSchedule } from './optimizer.js';
import { summarize } from './summary.js';

type Batch = [images: Tensor, labels: Tensor];

/** The cosine reaches its end after so many epochs. */
const SCHEDULED_EPOCHS = 10;
const COMPARED = 64;

export interface Step {
  readonly loss: number;
  /** Of the batch, from 0 to 1. */
  readonly accuracy: number;
  readonly images: number;
  readonly kernels: number;
  readonly milliseconds: number;
}

export class Session {
  epoch = 1;
  step = 0;
  #batches: AsyncIterator<Batch>;
  #device: string;
  readonly #scheduler: optim.lrScheduler.LambdaLR | null;

  private constructor(
    readonly model: ImageModel,
    readonly optimizer: ReturnType<typeof makeOptimizer>,
    readonly digits: Digits,
    readonly loader: data.DataLoader<Batch>,
    readonly layers: readonly LayerRow[],
    settings: TrainingSettings,
  ) {
    this.#device = settings.device;
    this.#scheduler = makeSchedule(optimizer, settings.optimizer, SCHEDULED_EPOCHS * loader.length);
    this.#batches = loader[Symbol.asyncIterator]();
  }

  /** @throws whatever the device's start, the model's source or its first call throws. */
  static async start(settings: TrainingSettings): Promise<Session> {
    const digits = await loadDigits();
    await runtimes.current.init({ device: settings.device });
    manualSeed(settings.seed);
    const { model: choice } = settings;
    const model = choice.kind === 'preset' ? new MODELS[choice.id]!() : modelFromSource(choice.javascript);
    const layers = await summarize(model);
    const optimizer = makeOptimizer(model.parameters(), settings.optimizer);
    const loader = new data.DataLoader<Batch>(digits.train, { batchSize: settings.batchSize, shuffle: true });
    return new Session(model, optimizer, digits, loader, layers, settings);
  }

  get device(): string {
    return this.#device;
  }

  get learningRate(): number {
    return this.optimizer.paramGroups[0]!.lr;
  }

  get summary(): ModelSummary {
    return {
      device: this.#device,
      name: typeNameOf(this.model),
      layers: this.layers,
      parameters: this.layers.reduce((sum, layer) => sum + layer.parameters, 0),
      stepsPerEpoch: this.loader.length,
    };
  }

  /** One step; null at the end of an epoch, whose next call begins another. */
  async next(): Promise<Step | null> {
    const { value, done } = await this.#batches.next();
    if (done === true) {
      this.#batches = this.loader[Symbol.asyncIterator]();
      this.epoch++;
      return null;
    }
    const device = runtimes.current.device(this.#device);
    const [onHost, labelsOnHost] = value as Batch;
    const start = performance.now();
    const images = await onHost.toAsync({ device });
    const labels = await labelsOnHost.toAsync({ device });
    const launches = device.launches;
    this.optimizer.zeroGrad();
    const scores = await this.model(images);
    const loss = F.crossEntropy(scores, labels);
    loss.backward();
    this.optimizer.step();
    this.#scheduler?.step();
    const kernels = device.launches - launches;
    // One read for both numbers.
    const [value0, hits] = (await noGrad(() =>
      cat([loss.detach().reshape(1), scores.argmax(1).eq(labels).to('float32').sum().reshape(1)]),
    ).dataAsync()) as Float32Array;
    if (!Number.isFinite(value0!)) throw new Error(`the loss became ${value0} in step ${this.step + 1}: try a smaller learning rate`);
    this.step++;
    const count = labels.size(0);
    return { loss: value0!, accuracy: hits! / count, images: count, kernels, milliseconds: performance.now() - start };
  }

  /** Loss and accuracy on the test split, or its first digits. */
  async evaluate(count?: number): Promise<{ loss: number; accuracy: number }> {
    const { testImages, testLabels } = this.digits;
    const part = (x: Tensor): Promise<Tensor> => (count === undefined ? x : x.narrow(0, 0, count)).toAsync({ device: this.#device });
    const [images, labels] = [await part(testImages), await part(testLabels)];
    this.model.eval();
    try {
      const scores = await noGrad(() => this.model(images));
      const loss = noGrad(() => F.crossEntropy(scores, labels));
      const hits = noGrad(() => scores.argmax(1).eq(labels).to('float32').mean());
      return { loss: await loss.itemAsync(), accuracy: await hits.itemAsync() };
    } finally {
      this.model.train();
    }
  }

  /**
   * Moves the model and the optimizer's state. What the new device cannot do leaves everything where it was.
   * @throws DeviceError when the backend cannot start.
   */
  async moveTo(to: string): Promise<SwitchReport> {
    const from = this.#device;
    const before = (await this.evaluate(COMPARED)).loss;
    await runtimes.current.init({ device: to });
    try {
      await this.model.toAsync(to);
      await this.optimizer.toAsync();
      this.#device = to;
      return { from, to, before, after: (await this.evaluate(COMPARED)).loss };
    } catch (error) {
      await runtimes.current.init({ device: from });
      await this.model.toAsync(from);
      await this.optimizer.toAsync();
      this.#device = from;
      throw error;
    }
  }

  save(): Promise<Uint8Array> {
    return io.saveSafetensorsAsync(this.model.stateDict(), { metadata: { format: 'pt' } });
  }

  /** @throws FormatError, ModuleError when the file is damaged or belongs to another model. */
  async load(bytes: Uint8Array): Promise<void> {
    await this.model.loadStateDictAsync(io.loadSafetensors(bytes));
  }

  dispose(): void {
    void this.#batches.return?.();
    this.optimizer.dispose();
    for (const tensor of [...this.model.parameters(), ...this.model.buffers()]) tensor.dispose();
  }
}
