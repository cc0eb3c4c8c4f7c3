/** @file The Benchmarks view: cases by contenders (backends of Tessera, other libraries), the contenders taking turns. */
import type { BenchApi } from '../lab/bench-worker.js';
import type { PeerApi } from '../lab/peer-worker.js';
import { PEERS } from '../lab/peers.js';
import { SLOW, type Timing } from '../lab/time-case.js';
import { WorkerClient } from '../shared/rpc.js';
import type { BackendRow } from '../shared/reports.js';
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
  readonly #peers = byId('benchmarks-peers');
  readonly #cases = byId('benchmarks-cases');
  readonly #status = byId('benchmarks-status');
  readonly #run = byId<HTMLButtonElement>('benchmarks-run');
  readonly #stop = byId<HTMLButtonElement>('benchmarks-stop');
  readonly #save = byId<HTMLButtonElement>('benchmarks-save');
  #clients = new Map<string, WorkerClient<BenchApi> | WorkerClient<PeerApi>>();
  #stopped = false;
  /** By case and contender, the best of all rounds. */
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
      (rows) => {
        showChoices(this.#backends, rows);
        showPeers(this.#peers, rows);
      },
      (error: unknown) => (this.#status.textContent = messageOf(error)),
    );
  }

  async #runAll(): Promise<void> {
    const contenders = [...chosenOf(this.#backends), ...chosenOf(this.#peers)];
    const names = chosenOf(this.#cases);
    if (contenders.length === 0 || names.length === 0) {
      this.#status.textContent = 'Choose a backend and a case first.';
      return;
    }
    this.#stopped = false;
    this.#run.disabled = this.#save.disabled = true;
    this.#stop.disabled = false;
    this.#timings = new Map(names.map((name) => [name, new Map()]));
    this.#show(contenders);
    try {
      await this.#start(contenders);
      for (let round = 1; round <= ROUNDS && !this.#stopped; round++) await this.#round(round, contenders, names);
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

  /** Starts each in a worker of its own. One that does not start has failed in all cases; the others go on. */
  async #start(contenders: readonly string[]): Promise<void> {
    for (const id of contenders) {
      this.#status.textContent = `Starting ${id} …`;
      try {
        if (PEERS.some((peer) => peer.id === id)) {
          const client = new WorkerClient<PeerApi>(
            new Worker(new URL('../lab/peer-worker.ts', import.meta.url), { type: 'module', name: `peer-${id}` }),
          );
          this.#clients.set(id, client);
          await client.call('start', { id });
        } else {
          const client = new WorkerClient<BenchApi>(
            new Worker(new URL('../lab/bench-worker.ts', import.meta.url), { type: 'module', name: `tessera-bench-${id}` }),
          );
          this.#clients.set(id, client);
          await client.call('start', { id, plugins: addedPlugins });
        }
      } catch (error) {
        if (this.#stopped) throw error;
        for (const [name, timings] of this.#timings) timings.set(id, { contender: id, name, status: 'failed', message: messageOf(error) });
      }
    }
  }

  async #round(round: number, contenders: readonly string[], names: readonly string[]): Promise<void> {
    for (const name of names) {
      const timings = this.#timings.get(name)!;
      for (const id of contenders) {
        const before = timings.get(id);
        // What failed, or takes seconds, is not tried again.
        if (before !== undefined && (before.milliseconds ?? Infinity) > SLOW) continue;
        this.#status.textContent = `Round ${round} of ${ROUNDS}: ${name} on ${id} …`;
        const timing = await this.#clients.get(id)!.call('time', { name, reference: referenceUrl('benchmarks'), seconds: SECONDS });
        if (before === undefined || (timing.milliseconds ?? Infinity) < (before.milliseconds ?? Infinity)) timings.set(id, timing);
        this.#show(contenders);
      }
    }
  }

  #show(contenders: readonly string[]): void {
    byId('benchmarks-panel').hidden = false;
    const head = h('tr', {}, h('th', { scope: 'col' }, 'Case'), ...contenders.map((id) => h('th', { scope: 'col', class: 'number' }, id)));
    const rows = [...this.#timings].map(([name, timings]) => {
      const listed = CASES.find((one) => one.name === name)!;
      const least = Math.min(
        ...[...timings.values()].map(({ milliseconds = Infinity, status }) => (status === 'ok' ? milliseconds : Infinity)),
      );
      const cells = contenders.map((id) => cellOf(timings.get(id), least, listed));
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
      versions: VERSIONS,
      timings: [...this.#timings.values()].flatMap((byContender) => [...byContender.values()]),
    };
    download('benchmarks.json', JSON.stringify(report, null, 2), 'application/json');
  }
}

/** The other libraries, unchosen: their code is fetched for those that are. */
function showPeers(element: HTMLElement, rows: readonly BackendRow[]): void {
  const gpu = rows.find(({ id }) => id === 'webgpu');
  element.replaceChildren(
    ...PEERS.map((peer) => {
      const without = peer.gpu === true && gpu?.unavailable !== undefined;
      const input = h('input', { type: 'checkbox', value: peer.id, disabled: without });
      return h('label', without ? { title: gpu.unavailable } : {}, input, without ? `${peer.label} (not available)` : peer.label);
    }),
  );
}

function cellOf(timing: Timing | undefined, least: number, { flops }: Listed): HTMLTableCellElement {
  if (timing === undefined) return h('td', { class: 'number' }, '…');
  const { status, milliseconds, message, error } = timing;
  if (status === 'failed' || milliseconds === undefined)
    return h('td', { class: 'number bad reason' }, 'failed', h('br'), h('small', {}, message ?? ''));
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
