/** @file The Benchmarks view: cases by backends, the backends taking turns. */
import type { BenchApi, Timing } from '../lab/bench-worker.js';
import { WorkerClient } from '../shared/rpc.js';
import { announce, byId, download, h, messageOf } from '../ui/dom.js';
import { chosenOf, probeBackends, referenceUrl, showChoices } from './lab-backends.js';
import { addedPlugins } from './plugin-form.js';

interface Listed {
  readonly name: string;
  readonly label: string;
  /** Floating-point operations of a run. */
  readonly flops?: number;
  readonly chosen: boolean;
}

/** Names are those of `benchmarks/cases.mjs`. */
const CASES: readonly Listed[] = [
  { name: 'matmul256', label: 'Matrix product, 256³', flops: 2 * 256 ** 3, chosen: true },
  { name: 'matmul512', label: 'Matrix product, 512³', flops: 2 * 512 ** 3, chosen: true },
  { name: 'add1m', label: 'Sum of 1 M elements', chosen: true },
  { name: 'gelu1m', label: 'Scale, shift and GELU, 1 M', chosen: true },
  { name: 'softmax', label: 'Softmax, 1024×1024', chosen: true },
  { name: 'layernorm', label: 'Layer norm, 1024×768', chosen: false },
  { name: 'sum_ax0', label: 'Sums of columns, 2048×2048', chosen: false },
  { name: 'maxpool', label: 'Max pooling, 8×64×56×56', chosen: false },
  { name: 'conv', label: 'Convolution 3×3, 8×64×56×56', flops: 2 * 8 * 64 * 64 * 9 * 56 * 56, chosen: false },
  { name: 'mlp_train', label: 'Training step of an MLP', chosen: true },
  { name: 'cnn_train', label: 'Training step of the CNN', chosen: true },
];
const ROUNDS = 2;
const SECONDS = 0.4;

export class BenchmarksView {
  readonly #backends = byId('benchmarks-backends');
  readonly #cases = byId('benchmarks-cases');
  readonly #status = byId('benchmarks-status');
  readonly #run = byId<HTMLButtonElement>('benchmarks-run');
  readonly #stop = byId<HTMLButtonElement>('benchmarks-stop');
  readonly #save = byId<HTMLButtonElement>('benchmarks-save');
  #clients = new Map<string, WorkerClient<BenchApi>>();
  #stopped = false;
  /** By case and device, the best of all rounds. */
  #timings = new Map<string, Map<string, Timing>>();

  constructor() {
    this.#cases.replaceChildren(
      ...CASES.map(({ name, label, chosen }) => {
        const input = h('input', { type: 'checkbox', value: name });
        input.checked = chosen;
        return h('label', {}, input, label);
      }),
    );
    byId('benchmarks-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#runAll();
    });
    this.#stop.addEventListener('click', () => {
      this.#stopped = true;
      for (const client of this.#clients.values()) client.terminate();
    });
    this.#save.addEventListener('click', () => this.#download());
    probeBackends(addedPlugins).then(
      (rows) => showChoices(this.#backends, rows),
      (error: unknown) => (this.#status.textContent = messageOf(error)),
    );
  }

  async #runAll(): Promise<void> {
    const devices = chosenOf(this.#backends);
    const names = chosenOf(this.#cases);
    if (devices.length === 0 || names.length === 0) {
      this.#status.textContent = 'Choose a backend and a case first.';
      return;
    }
    this.#stopped = false;
    this.#run.disabled = this.#save.disabled = true;
    this.#stop.disabled = false;
    this.#timings = new Map(names.map((name) => [name, new Map()]));
    this.#show(devices);
    try {
      await this.#start(devices);
      for (let round = 1; round <= ROUNDS && !this.#stopped; round++) await this.#round(round, devices, names);
      this.#status.textContent = 'Done.';
      announce('Benchmarks done');
    } catch (error) {
      this.#status.textContent = this.#stopped ? 'Stopped.' : messageOf(error);
    }
    for (const client of this.#clients.values()) client.worker.terminate();
    this.#clients.clear();
    this.#run.disabled = this.#save.disabled = false;
    this.#stop.disabled = true;
  }

  async #start(devices: readonly string[]): Promise<void> {
    for (const device of devices) {
      this.#status.textContent = `Starting ${device} …`;
      const client = new WorkerClient<BenchApi>(
        new Worker(new URL('../lab/bench-worker.ts', import.meta.url), { type: 'module', name: `tessera-bench-${device}` }),
      );
      this.#clients.set(device, client);
      await client.call('start', { device, plugins: addedPlugins });
    }
  }

  async #round(round: number, devices: readonly string[], names: readonly string[]): Promise<void> {
    for (const name of names) {
      for (const device of devices) {
        this.#status.textContent = `Round ${round} of ${ROUNDS}: ${name} on ${device} …`;
        const timing = await this.#clients.get(device)!.call('time', { name, reference: referenceUrl('benchmarks'), seconds: SECONDS });
        const before = this.#timings.get(name)!.get(device);
        if (before === undefined || (timing.milliseconds ?? Infinity) < (before.milliseconds ?? Infinity))
          this.#timings.get(name)!.set(device, timing);
        this.#show(devices);
      }
    }
  }

  #show(devices: readonly string[]): void {
    byId('benchmarks-panel').hidden = false;
    const head = h(
      'tr',
      {},
      h('th', { scope: 'col' }, 'Case'),
      ...devices.map((device) => h('th', { scope: 'col', class: 'number' }, device)),
    );
    const rows = [...this.#timings].map(([name, timings]) => {
      const listed = CASES.find((one) => one.name === name)!;
      const least = Math.min(
        ...[...timings.values()].map(({ milliseconds = Infinity, status }) => (status === 'ok' ? milliseconds : Infinity)),
      );
      const cells = devices.map((device) => cellOf(timings.get(device), least, listed));
      return h('tr', {}, h('th', { scope: 'row' }, listed.label), ...cells);
    });
    byId('benchmarks-table').replaceChildren(h('thead', {}, head), h('tbody', {}, ...rows));
  }

  #download(): void {
    const report = {
      date: new Date().toISOString(),
      userAgent: navigator.userAgent,
      cores: navigator.hardwareConcurrency,
      isolated: crossOriginIsolated,
      timings: [...this.#timings.values()].flatMap((byDevice) => [...byDevice.values()]),
    };
    download('benchmarks.json', JSON.stringify(report, null, 2), 'application/json');
  }
}

function cellOf(timing: Timing | undefined, least: number, { flops }: Listed): HTMLTableCellElement {
  if (timing === undefined) return h('td', { class: 'number' }, '…');
  const { status, milliseconds, message, error } = timing;
  if (status === 'failed' || milliseconds === undefined) return h('td', { class: 'number bad', title: message }, 'failed');
  if (status === 'wrong') return h('td', { class: 'number bad', title: `error ${error}` }, 'wrong');
  const notes = [
    flops === undefined ? '' : `${(flops / milliseconds / 1e6).toFixed(1)} GFLOP/s`,
    milliseconds === least ? '' : `${(milliseconds / least).toFixed(1)}×`,
  ];
  return h(
    'td',
    { class: milliseconds === least ? 'number fastest' : 'number' },
    `${milliseconds.toPrecision(3)} ms`,
    h('br'),
    h('small', {}, notes.filter((text) => text !== '').join(' · ') || 'fastest'),
  );
}
