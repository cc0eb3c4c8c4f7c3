/** @file The setup form: which backend, model, optimizer and data order. */
import { SOURCES } from '../models/sources.js';
import { OPTIMIZERS, type OptimizerRow } from '../shared/optimizers.js';
import type { BackendRow } from '../shared/reports.js';
import type { OptimizerChoice, Schedule } from '../shared/settings.js';
import { byId, h } from '../ui/dom.js';

/** The preferred backend is the fastest that is not emulated. */
const preferred = (rows: readonly BackendRow[]): string | undefined =>
  (
    rows.find(({ unavailable, slow }) => unavailable === undefined && slow === undefined) ??
    rows.find(({ unavailable }) => unavailable === undefined)
  )?.id;

export class SetupForm {
  readonly form = byId<HTMLFormElement>('setup');
  readonly #backends = byId('backends');
  readonly #model = byId<HTMLSelectElement>('model');
  readonly #optimizer = byId<HTMLSelectElement>('optimizer');

  constructor(readonly handlers: { backendChosen(id: string): void; modelChosen(id: string): void; changed(): void }) {
    this.#model.replaceChildren(...SOURCES.map(({ id, label }) => h('option', { value: id }, label)));
    this.#optimizer.replaceChildren(...OPTIMIZERS.map(({ name }) => h('option', { value: name }, name)));
    this.#showOptions();
    this.#model.addEventListener('change', () => handlers.modelChosen(this.model));
    this.#optimizer.addEventListener('change', () => this.#showOptions());
    this.#backends.addEventListener('change', () => handlers.backendChosen(this.backend!));
    this.form.addEventListener('change', (event) => {
      const { name, id, type } = event.target as HTMLInputElement;
      if (name !== 'backend' && type !== 'file' && id !== 'plugin-url') handlers.changed();
    });
    this.form.addEventListener('submit', (event) => event.preventDefault());
  }

  get model(): string {
    return this.#model.value;
  }

  get backend(): string | undefined {
    return this.#backends.querySelector<HTMLInputElement>('input:checked')?.value;
  }

  set backend(id: string | undefined) {
    for (const input of this.#backends.querySelectorAll('input')) input.checked = input.value === id;
  }

  /** Shows the backends, and keeps what was chosen. */
  showBackends(rows: readonly BackendRow[]): void {
    const chosen = this.backend ?? preferred(rows);
    this.#backends.replaceChildren(
      ...rows.map(({ id, description, unavailable, slow }) => {
        const input = h('input', {
          type: 'radio',
          name: 'backend',
          value: id,
          disabled: unavailable !== undefined,
          'aria-describedby': `backend-${id}`,
        });
        input.checked = id === chosen;
        const text =
          unavailable === undefined ? (slow === undefined ? description : `Slow here: ${slow}`) : `Not available: ${unavailable}`;
        return h('label', { class: 'card' }, input, h('strong', {}, id), h('span', { id: `backend-${id}` }, text));
      }),
    );
  }

  get #row(): OptimizerRow {
    return OPTIMIZERS.find(({ name }) => name === this.#optimizer.value)!;
  }

  #showOptions(): void {
    byId('optimizer-options').replaceChildren(
      ...this.#row.options.map(({ name, label, default: value, min, max }) => {
        const id = `option-${name}`;
        if (typeof value === 'boolean') {
          const input = h('input', { id, type: 'checkbox' });
          input.checked = value;
          return h('label', { class: 'checkbox' }, input, label);
        }
        return h(
          'div',
          {},
          h('label', { for: id }, label),
          h('input', { id, type: 'number', value, min, max, step: 'any', required: true }),
        );
      }),
    );
  }

  /** False, and says so at the field, where one holds no number that is allowed. */
  check(): boolean {
    return this.form.reportValidity();
  }

  get optimizer(): OptimizerChoice {
    const options = this.#row.options.map(({ name }) => {
      const input = byId<HTMLInputElement>(`option-${name}`);
      return [name, input.type === 'checkbox' ? input.checked : input.valueAsNumber] as const;
    });
    return { name: this.#row.name, options: Object.fromEntries(options), schedule: byId<HTMLSelectElement>('schedule').value as Schedule };
  }

  get batchSize(): number {
    return byId<HTMLInputElement>('batch-size').valueAsNumber;
  }

  get seed(): number {
    return byId<HTMLInputElement>('seed').valueAsNumber;
  }
}
