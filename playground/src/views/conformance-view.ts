/** @file The Conformance view: the kit on each chosen backend, one after another, and a scorecard of each. */
import type { Level, Scorecard } from '@tessera/conformance-tests';
import type { ConformanceApi } from '../lab/conformance-worker.js';
import { WorkerClient } from '../shared/rpc.js';
import { announce, byId, download, h, messageOf } from '../ui/dom.js';
import * as format from '../ui/format.js';
import { chosenOf, probeBackends, referenceUrl, showChoices } from './lab-backends.js';
import { addedPlugins } from './plugin-form.js';

/** What is known of a row while it runs. */
interface Row {
  readonly level: string;
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export class ConformanceView {
  readonly #backends = byId('conformance-backends');
  readonly #status = byId('conformance-status');
  readonly #run = byId<HTMLButtonElement>('conformance-run');
  readonly #stop = byId<HTMLButtonElement>('conformance-stop');
  #client: WorkerClient<ConformanceApi> | null = null;
  #stopped = false;

  constructor() {
    byId('conformance-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#runAll();
    });
    this.#stop.addEventListener('click', () => {
      this.#stopped = true;
      this.#client?.terminate();
    });
    void this.#list();
  }

  async #list(): Promise<void> {
    try {
      showChoices(this.#backends, await probeBackends(addedPlugins));
    } catch (error) {
      this.#status.textContent = messageOf(error);
    }
  }

  async #runAll(): Promise<void> {
    const devices = chosenOf(this.#backends);
    if (devices.length === 0) {
      this.#status.textContent = 'Choose a backend first.';
      return;
    }
    const level = document.querySelector<HTMLInputElement>('#conformance-form [name=level]:checked')!.value as Level;
    const only = byId<HTMLInputElement>('conformance-only').value.trim();
    this.#stopped = false;
    this.#run.disabled = true;
    this.#stop.disabled = false;
    byId('scorecards').replaceChildren();
    for (const device of devices) {
      if (this.#stopped) break;
      await this.#runOne(device, level, only === '' ? undefined : only);
    }
    this.#run.disabled = false;
    this.#stop.disabled = true;
    this.#status.textContent = this.#stopped ? 'Stopped.' : 'Done.';
  }

  async #runOne(device: string, level: Level, only: string | undefined): Promise<void> {
    const card = new Card(device);
    byId('scorecards').append(card.element);
    this.#status.textContent = `Running on ${device} …`;
    const client = new WorkerClient<ConformanceApi>(
      new Worker(new URL('../lab/conformance-worker.ts', import.meta.url), { type: 'module', name: 'tessera-conformance' }),
    );
    this.#client = client;
    client.on<Row>('row', (row) => card.add(row));
    try {
      const scorecard = await client.call('run', {
        device,
        levels: [level],
        only,
        reference: referenceUrl('fixtures'),
        plugins: addedPlugins,
      });
      card.finish(scorecard);
      announce(`${device}: ${scorecard.passed} passed, ${scorecard.failed} failed, ${scorecard.skipped} not run`);
    } catch (error) {
      card.fail(messageOf(error));
    } finally {
      client.worker.terminate();
      this.#client = null;
    }
  }
}

/** One backend's scorecard, filled as rows come. */
class Card {
  readonly #total = h('p', { class: 'total' }, '…');
  readonly #rows = h('tbody');
  readonly #more = h('div');
  readonly element: HTMLElement;
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  constructor(readonly device: string) {
    const id = `card-${device}`;
    const head = h(
      'tr',
      {},
      h('th', { scope: 'col' }, 'Case'),
      ...['Passed', 'Failed', 'Not run'].map((text) => h('th', { scope: 'col', class: 'number' }, text)),
    );
    this.element = h(
      'section',
      { class: 'panel scorecard', 'aria-labelledby': id, 'data-device': device },
      h('header', {}, h('h2', { id }, device), this.#total),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': `Cases on ${device}` },
        h('table', {}, h('thead', {}, head), this.#rows),
      ),
      this.#more,
    );
  }

  add({ name, passed, failed, skipped }: Row): void {
    this.#passed += passed;
    this.#failed += failed;
    this.#skipped += skipped;
    const number = (value: number, bad = false): HTMLTableCellElement =>
      h('td', { class: bad && value > 0 ? 'number bad' : 'number' }, value === 0 ? '' : format.count(value));
    this.#rows.append(h('tr', {}, h('th', { scope: 'row' }, name), number(passed), number(failed, true), number(skipped)));
    this.#showTotal();
  }

  #showTotal(): void {
    this.#total.textContent = `${format.count(this.#passed)} passed, ${format.count(this.#failed)} failed, ${format.count(this.#skipped)} not run`;
    this.#total.classList.toggle('bad', this.#failed > 0);
  }

  finish(card: Scorecard): void {
    const skips = new Map<string, number>();
    for (const { reason, cases } of card.rows.flatMap((row) => row.skips)) skips.set(reason, (skips.get(reason) ?? 0) + cases);
    const failures = card.rows.flatMap((row) => row.failures);
    this.#passed = card.passed;
    this.#failed = card.failed;
    this.#skipped = card.skipped;
    this.#showTotal();
    if (failures.length > 0) {
      const text = failures.map(({ id, stage, message, inputs, expected, got }) =>
        [
          `${id}${stage === '' ? '' : ` (${stage})`}: ${message}`,
          inputs && `call      ${inputs}`,
          expected && `expected  ${expected}`,
          got && `got       ${got}`,
        ]
          .filter(Boolean)
          .join('\n  '),
      );
      this.#more.append(h('details', { open: true }, h('summary', { class: 'bad' }, 'What failed'), h('pre', {}, text.join('\n\n'))));
    }
    if (skips.size > 0) {
      const reasons = [...skips].map(([reason, cases]) => `${cases} × ${reason}`);
      this.#more.append(h('details', {}, h('summary', {}, 'Why some are not run'), h('pre', {}, reasons.join('\n'))));
    }
    const save = h('button', { type: 'button' }, 'Save as JSON');
    save.addEventListener('click', () => download(`scorecard-${this.device}.json`, JSON.stringify(card, null, 1), 'application/json'));
    this.element.querySelector('header')!.append(save);
  }

  fail(message: string): void {
    this.#more.append(h('p', { class: 'bad', role: 'alert' }, message));
  }
}
