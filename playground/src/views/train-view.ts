/** @file The Train view: the page's side of the compute worker. */
import type { ComputeApi } from '../compute/worker.js';
import type { EpochReport, ModelSummary, StepReport, StopReport, SwitchReport } from '../shared/reports.js';
import { CallError, StoppedError, WorkerClient } from '../shared/rpc.js';
import type { PluginSource, TrainingSettings } from '../shared/settings.js';
import { announce, byId, download, messageOf } from '../ui/dom.js';
import * as format from '../ui/format.js';
import { Drawing } from './drawing.js';
import { EditorPanel } from './editor-panel.js';
import { showHosting } from './hosting.js';
import { Inside } from './inside.js';
import { startPluginForm } from './plugin-form.js';
import { TrainingPlots } from './plots.js';
import { SetupForm } from './setup.js';
import { showLayers, showMemory } from './tables.js';

/** Filters are fetched so often while it trains, in ms. */
const FILTERS_EVERY = 1000;
/** A worker that is silent for so long while it computes is in an endless loop, or very slow, and may be ended; in ms. */
const PATIENCE = 10_000;

const startWorker = (): Worker => new Worker(new URL('../compute/worker.ts', import.meta.url), { type: 'module', name: 'tessera-compute' });

export class TrainView {
  readonly #worker = new WorkerClient<ComputeApi>(startWorker());
  readonly #plots = new TrainingPlots();
  readonly #inside = new Inside();
  readonly #setup: SetupForm;
  readonly #editor: EditorPanel;
  readonly #drawing: Drawing;
  readonly #buttons = {
    train: byId<HTMLButtonElement>('run'),
    step: byId<HTMLButtonElement>('one-step'),
    restart: byId<HTMLButtonElement>('restart'),
    save: byId<HTMLButtonElement>('save'),
    load: byId<HTMLButtonElement>('load'),
  };
  #summary: ModelSummary | null = null;
  #device = '';
  #running = false;
  #busy = false;
  /** The worker has been silent for too long: the first button ends it. */
  #stuck = false;
  readonly #plugins: PluginSource[] = [];
  #filtersAt = 0;

  constructor() {
    this.#editor = new EditorPanel(() => this.#outdated());
    this.#setup = new SetupForm({
      backendChosen: (id) => void this.#act(() => this.#switch(id)),
      modelChosen: (id) => this.#editor.show(id),
      changed: () => this.#outdated(),
    });
    this.#drawing = new Drawing({
      predict: (pixels) => (this.#summary === null ? null : this.#worker.call('predict', { pixels })),
      example: (index) => this.#worker.call('example', { index }),
      predicted: ({ activations }) => this.#inside.activations(activations),
      failed: (error) => this.#fail(error),
    });
    startPluginForm((source) => this.#addPlugin(source));
    this.#listen();
    void this.#act(() => this.#listBackends());
    showHosting();
  }

  #listen(): void {
    const { train, step, restart, save, load } = this.#buttons;
    const onClick = (button: HTMLButtonElement, action: () => Promise<void>): void =>
      button.addEventListener('click', () => {
        if (button.getAttribute('aria-disabled') !== 'true') void this.#act(action);
      });
    train.addEventListener('click', () => {
      if (this.#stuck) void this.#abandon();
      else if (train.getAttribute('aria-disabled') !== 'true')
        void this.#act(() => (this.#running ? this.#pause() : this.#train(undefined)));
    });
    onClick(step, () => this.#train(1));
    onClick(restart, () => this.#start());
    onClick(save, () => this.#save());
    onClick(load, async () => byId('load-file').click());
    byId('load-file').addEventListener('change', ({ target }) => {
      const input = target as HTMLInputElement;
      const [file] = input.files ?? [];
      if (file !== undefined) void this.#act(() => this.#load(file));
      input.value = '';
    });
    this.#worker.on<StepReport>('step', (report) => this.#stepped(report));
    this.#worker.on<EpochReport>('epoch', (report) => this.#epochEnded(report));
    this.#worker.on<null>('paused', () => this.#setRunning(false));
    this.#worker.on<StopReport>('stopped', (report) => this.#stopped(report));
    this.#worker.on<string>('error', (message) => this.#fail(new Error(`the compute worker failed: ${message}`)));
    setInterval(() => this.#watch(), 1000);
  }

  /** Runs what a person asked for: one at a time, with its error shown. */
  async #act(action: () => Promise<void>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    byId('failure').hidden = true;
    byId('failure').textContent = '';
    this.#showButtons();
    try {
      await action();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
      this.#showButtons();
    }
  }

  /** Looks whether the worker still answers. */
  #watch(): void {
    const stuck = (this.#running || this.#worker.owes) && this.#worker.silence > PATIENCE;
    if (stuck === this.#stuck) return;
    this.#stuck = stuck;
    this.#notice(
      stuck
        ? `No answer for ${PATIENCE / 1000} seconds: a slow step, or a loop without an end. Stop ends it, and the model with it.`
        : null,
    );
    this.#showButtons();
  }

  /** Ends the worker in the middle of what it does, and starts another. */
  async #abandon(): Promise<void> {
    this.#stuck = false;
    this.#summary = null;
    this.#device = '';
    this.#running = false;
    this.#drawing.ready(false);
    this.#worker.replace(startWorker());
    for (const source of this.#plugins) await this.#worker.call('addPlugin', source);
    this.#notice('Stopped. The model and what it had learnt are gone; Train makes a new one.');
    this.#showButtons();
  }

  #fail(error: unknown, place?: StopReport['position']): void {
    if (error instanceof StoppedError) return;
    const message = messageOf(error);
    byId('failure').textContent = message;
    byId('failure').hidden = false;
    this.#editor.showFailure(message, place ?? (error instanceof CallError ? error.remoteStack : undefined));
  }

  #notice(text: string | null): void {
    byId('notice').textContent = text ?? '';
    byId('notice').hidden = text === null;
    if (text !== null) announce(text);
  }

  #showButtons(): void {
    const { train, step, restart, save, load } = this.#buttons;
    train.textContent = this.#stuck ? 'Stop' : this.#running ? 'Pause' : this.#summary === null ? 'Train' : 'Resume';
    // Not `disabled`: a button that is pressed by the keyboard would lose the focus.
    const off = (button: HTMLButtonElement, isOff: boolean): void => button.setAttribute('aria-disabled', String(isOff));
    off(train, this.#busy && !this.#stuck);
    off(step, this.#running || this.#busy);
    for (const button of [restart, save, load]) off(button, this.#summary === null || this.#busy);
  }

  #setRunning(on: boolean): void {
    this.#running = on;
    this.#showButtons();
    if (!on) this.#refreshInside().catch((error: unknown) => this.#fail(error));
  }

  async #listBackends(): Promise<void> {
    this.#setup.showBackends(await this.#worker.call('backends', undefined as never));
  }

  async #addPlugin(source: PluginSource): Promise<string> {
    const { plugins, layers } = await this.#worker.call('addPlugin', source);
    this.#plugins.push(source);
    await this.#listBackends();
    const available =
      layers.length === 0 ? '' : `. Layers for the editor: ${layers.map((name) => `layer('${name}')`).join(', ')} of 'playground'`;
    return `Added ${plugins.join(', ')}${available}.`;
  }

  /** Settings changed that the training does not follow. */
  #outdated(): void {
    if (this.#summary !== null) this.#notice('The setup changed: Start over trains with it.');
  }

  async #settings(): Promise<TrainingSettings | null> {
    const { backend } = this.#setup;
    if (backend === undefined) throw new Error('no backend can run here');
    if (!this.#setup.check()) return null;
    const { optimizer, batchSize, seed } = this.#setup;
    return { device: backend, model: await this.#editor.choice(), optimizer, batchSize, seed };
  }

  /** A fresh model. False where the form has a field to mend. */
  async #fresh(): Promise<boolean> {
    const settings = await this.#settings();
    if (settings === null) return false;
    this.#setRunning(false);
    const summary = await this.#worker.call('start', settings);
    this.#summary = summary;
    this.#device = summary.device;
    this.#plots.clear();
    this.#notice(null);
    showLayers(summary);
    for (const id of ['loss', 'accuracy', 'speed', 'kernels', 'step']) byId(`figure-${id}`).textContent = '–';
    this.#inside.activations([]);
    await this.#refreshInside();
    this.#drawing.ready(true);
    return true;
  }

  async #start(): Promise<void> {
    if (await this.#fresh()) await this.#train(undefined);
  }

  async #train(steps: number | undefined): Promise<void> {
    if (this.#summary === null && !(await this.#fresh())) return;
    await this.#worker.call('run', steps === undefined ? {} : { steps });
    this.#setRunning(true);
    announce(`Training on ${this.#device}`);
  }

  async #pause(): Promise<void> {
    await this.#worker.call('pause', undefined as never);
    this.#setRunning(false);
    announce('Paused');
  }

  async #switch(to: string): Promise<void> {
    if (this.#summary === null || to === this.#device) return;
    this.#notice(`Starting ${to} …`);
    let report: SwitchReport;
    try {
      report = await this.#worker.call('switch', { device: to });
    } catch (error) {
      this.#setup.backend = this.#device;
      this.#notice(`Still on ${this.#device}.`);
      throw error;
    }
    const { from, before, after } = report;
    this.#device = to;
    this.#notice(`Moved from ${from} to ${to}: the loss of the same 64 digits was ${before.toFixed(6)} and is ${after.toFixed(6)}.`);
    showMemory(await this.#worker.call('memory', undefined as never));
  }

  async #save(): Promise<void> {
    const bytes = await this.#worker.call('save', undefined as never);
    download('digits.safetensors', bytes as Uint8Array<ArrayBuffer>, 'application/octet-stream');
    this.#notice(`Saved ${format.bytes(bytes.length)} as digits.safetensors: PyTorch reads it too.`);
  }

  async #load(file: File): Promise<void> {
    const { loss, accuracy } = await this.#worker.call('load', { bytes: new Uint8Array(await file.arrayBuffer()) });
    this.#notice(`Loaded ${file.name}: ${format.percent(accuracy)} of the test digits, loss ${format.loss(loss)}.`);
    byId('figure-accuracy').textContent = format.percent(accuracy);
    await this.#refreshInside();
  }

  #stepped({ step, epoch, losses, accuracy, imagesPerSecond, kernels, memory }: StepReport): void {
    this.#plots.steps(step, losses, accuracy);
    byId('figure-loss').textContent = format.loss(losses.at(-1)!);
    byId('figure-speed').textContent = format.count(imagesPerSecond);
    byId('figure-kernels').textContent = format.count(kernels);
    byId('figure-step').textContent = `${format.count(step)}`;
    byId('figure-step').title = `Epoch ${epoch}`;
    showMemory(memory);
    if (performance.now() - this.#filtersAt > FILTERS_EVERY) this.#refreshInside().catch((error: unknown) => this.#fail(error));
  }

  #epochEnded({ epoch, step, testAccuracy, testLoss }: EpochReport): void {
    this.#plots.epoch(step, testLoss, testAccuracy);
    byId('figure-accuracy').textContent = format.percent(testAccuracy);
    announce(`Epoch ${epoch}: ${format.percent(testAccuracy)} of the test digits, loss ${format.loss(testLoss)}`);
  }

  #stopped({ reason, code, position }: StopReport): void {
    this.#setRunning(false);
    this.#fail(Object.assign(new Error(reason), code === undefined ? {} : { code }), position);
  }

  async #refreshInside(): Promise<void> {
    if (this.#summary === null) return;
    this.#filtersAt = performance.now();
    this.#inside.filters(await this.#worker.call('filters', undefined as never));
    this.#drawing.refresh();
  }
}
