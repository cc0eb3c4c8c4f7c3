/** @file The worker that computes: everything of Tessera that the Train view uses runs here, and the page stays free. */
import { runtimes, tensor } from 'tessera';
import { backendRows } from '../shared/backends.js';
import { importPlugins } from '../shared/plugins.js';
import type { BackendRow, ModelSummary, Pictures, Prediction, SwitchReport } from '../shared/reports.js';
import { serve } from '../shared/rpc.js';
import type { PluginSource, TrainingSettings } from '../shared/settings.js';
import { Lock } from './lock.js';
import { filtersOf, predict } from './pictures.js';
import { Session } from './session.js';
import { memoryRows, Trainer } from './trainer.js';
import { loadDigits } from './digits.js';

const lock = new Lock();
let trainer: Trainer | null = null;

function current(): Trainer {
  if (trainer === null) throw new Error('there is no model yet: press Train first');
  return trainer;
}

const api = {
  backends: (): Promise<BackendRow[]> => backendRows(),

  /** Adds the plugins of a module; answers their names, and all layers that plugins registered. */
  async addPlugin(source: PluginSource): Promise<{ plugins: string[]; layers: string[] }> {
    const plugins = await importPlugins(source);
    for (const plugin of plugins) runtimes.current.use(plugin);
    return { plugins: plugins.map(({ name, version }) => `${name} ${version}`), layers: [...runtimes.current.layers().keys()] };
  },

  /** A fresh model and optimizer, in place of those before. */
  async start(settings: TrainingSettings): Promise<ModelSummary> {
    await trainer?.pause();
    return lock.run(async () => {
      const session = await Session.start(settings);
      trainer?.session.dispose();
      trainer = new Trainer(session, lock);
      return session.summary;
    });
  },

  run: ({ steps }: { steps?: number }): void => current().run(steps),
  pause: (): Promise<void> | undefined => trainer?.pause(),

  /** To another backend, in the middle. */
  switch: ({ device }: { device: string }): Promise<SwitchReport> => lock.run(() => current().session.moveTo(device)),

  memory: () => memoryRows(),
  filters: (): Promise<Pictures[]> => lock.run(() => filtersOf(current().session.model)),

  /** @param pixels 8x8, from 0 to 1, as the training images are. */
  predict: ({ pixels }: { pixels: readonly number[] }): Promise<Prediction> =>
    lock.run(() => {
      const { session } = current();
      return predict(session.model, tensor(pixels, { device: 'cpu' }).reshape(1, 1, 8, 8), session.device);
    }),

  /** A digit of the test split: its label, and 8x8 pixels from 0 to 1. */
  async example({ index }: { index: number }): Promise<{ label: number; pixels: number[] }> {
    const { testSmall, testLabels } = await loadDigits();
    const at = index % testSmall.size(0);
    return { label: testLabels.select(0, at).item(), pixels: [...testSmall.select(0, at).contiguous().data()] };
  },

  save: (): Promise<Uint8Array> => lock.run(() => current().session.save()),
  load: ({ bytes }: { bytes: Uint8Array }): Promise<{ loss: number; accuracy: number }> =>
    lock.run(async () => {
      const { session } = current();
      await session.load(bytes);
      return session.evaluate();
    }),
};

export type ComputeApi = typeof api;

serve(api);
// Fetched ahead, so that a page that is open needs no network any more. Where that fails, whoever needs them hears why.
loadDigits().catch(() => undefined);
