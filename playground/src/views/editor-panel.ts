/** @file The panel with the model's source. The editor itself is loaded when the panel is first opened. */
import type { Diagnostic } from '../editor/language.js';
import type { ModelEditor } from '../editor/editor.js';
import { SOURCES } from '../models/sources.js';
import type { ModelChoice } from '../shared/settings.js';
import { byId } from '../ui/dom.js';

export class EditorPanel {
  readonly #panel = byId('editor-panel');
  readonly #button = byId<HTMLButtonElement>('edit');
  readonly #status = byId('editor-status');
  #loading: Promise<ModelEditor> | null = null;
  #editor: ModelEditor | null = null;
  #preset = SOURCES[0]!;

  constructor(readonly changed: () => void) {
    this.#button.addEventListener('click', () => void (this.#panel.hidden ? this.open() : this.close()));
    byId('revert').addEventListener('click', () => {
      if (!this.#edited) return;
      this.#editor!.text = this.#preset.source;
      this.changed();
    });
  }

  /** Shows another of the page's models. */
  show(id: string): void {
    this.#preset = SOURCES.find((source) => source.id === id)!;
    if (this.#editor !== null) this.#editor.text = this.#preset.source;
  }

  async open(): Promise<void> {
    this.#panel.hidden = false;
    this.#button.setAttribute('aria-expanded', 'true');
    this.#button.textContent = 'Close its source';
    this.#loading ??= this.#load();
    (await this.#loading).focus();
  }

  close(): void {
    this.#panel.hidden = true;
    this.#button.setAttribute('aria-expanded', 'false');
    this.#button.textContent = 'Edit its source';
  }

  async #load(): Promise<ModelEditor> {
    this.#status.textContent = 'Loading the editor and TypeScript …';
    const { ModelEditor: Editor } = await import('../editor/editor.js');
    this.#editor = new Editor(byId('editor'), { changed: () => this.changed(), checked: (diagnostics) => this.#checked(diagnostics) });
    this.#editor.text = this.#preset.source;
    return this.#editor;
  }

  #checked(diagnostics: readonly Diagnostic[]): void {
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    this.#status.textContent = errors === 0 ? 'No errors.' : `${errors} error${errors === 1 ? '' : 's'}: see the marked lines.`;
    this.#status.classList.toggle('bad', errors > 0);
  }

  get #edited(): boolean {
    return this.#editor !== null && this.#editor.text !== this.#preset.source;
  }

  /**
   * The model to train: the page's own as long as its source was not touched.
   * @throws Error when the source has errors: they are shown in place.
   */
  async choice(): Promise<ModelChoice> {
    if (!this.#edited) return { kind: 'preset', id: this.#preset.id };
    const { diagnostics, javascript } = await this.#editor!.compile();
    this.#checked(diagnostics);
    const first = diagnostics.find(({ severity }) => severity === 'error');
    if (first !== undefined) {
      await this.open();
      const line = this.#editor!.text.slice(0, first.from).split('\n').length;
      throw new Error(`the model's source has errors; the first, in line ${line}: ${first.message}`);
    }
    return { kind: 'source', javascript };
  }

  /** Marks the line that a run failed in, if it was one of the editor's. */
  showFailure(message: string, place: { line: number; column: number } | string | undefined): void {
    if (this.#edited) this.#editor!.showFailure(message, place);
  }
}
