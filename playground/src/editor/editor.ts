/** @file The code editor: CodeMirror, with TypeScript's errors, completions and types from its worker. Loaded when it is first opened. */
import { autocompletion, type CompletionContext, type CompletionResult, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic as Mark, forEachDiagnostic, linter, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, Transaction } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, hoverTooltip, keymap, lineNumbers, type Tooltip } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { WorkerClient } from '../shared/rpc.js';
import { sourcePosition } from '../shared/source-position.js';
import type { Compiled, Diagnostic } from './language.js';
import { originalLine } from './source-map.js';
import type { LanguageApi } from './worker.js';

const COMPLETION_TYPES: Readonly<Record<string, string>> = {
  method: 'method',
  property: 'property',
  class: 'class',
  function: 'function',
  const: 'constant',
  let: 'variable',
  var: 'variable',
  keyword: 'keyword',
  interface: 'interface',
  module: 'namespace',
  type: 'type',
};

const highlighting = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--code-number)' },
  { tag: tags.comment, color: 'var(--quiet)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.className], color: 'var(--code-type)' },
]);

const theme = EditorView.theme({
  '&': { backgroundColor: 'var(--surface)', color: 'var(--ink)', fontSize: '13px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--quiet)', border: '0' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--sunken)' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--code-selection)',
  },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface)',
    color: 'var(--ink)',
    border: '1px solid var(--line)',
    borderRadius: '6px',
    maxWidth: 'min(560px, 90vw)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-type': { padding: '6px 10px', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontFamily: 'var(--mono)', fontSize: '12px' },
  '.cm-type p': { marginTop: '6px', fontFamily: 'system-ui, sans-serif', color: 'var(--quiet)' },
  '.cm-diagnostic': { whiteSpace: 'pre-wrap', fontFamily: 'system-ui, sans-serif' },
});

/** An editor of models, and what it knows of its text. */
export class ModelEditor {
  readonly #language = new WorkerClient<LanguageApi>(
    new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'tessera-editor' }),
  );
  readonly #view: EditorView;
  #compiled: Compiled | null = null;

  constructor(
    parent: HTMLElement,
    readonly handlers: { changed(): void; checked(diagnostics: readonly Diagnostic[]): void },
  ) {
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        extensions: [
          lineNumbers(),
          lintGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          indentUnit.of('  '),
          bracketMatching(),
          highlightActiveLine(),
          javascript({ typescript: true }),
          syntaxHighlighting(highlighting),
          theme,
          autocompletion({ override: [(context) => this.#complete(context)] }),
          linter(() => this.#check(), { delay: 300 }),
          hoverTooltip((_view, position) => this.#hover(position)),
          // Tab leaves the editor after Escape, as CodeMirror documents for keyboard users.
          keymap.of([...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
          EditorView.contentAttributes.of({
            tabindex: '0',
            'aria-label': 'Model source in TypeScript. Escape, then Tab leaves the editor.',
          }),
          EditorView.updateListener.of(({ docChanged, transactions }) => {
            // Typed by a person, not put there by the page.
            if (docChanged && transactions.some((one) => one.annotation(Transaction.userEvent) !== undefined)) this.handlers.changed();
          }),
        ],
      }),
    });
    // A scrolling region has to be reached by keys, and have a name.
    this.#view.scrollDOM.setAttribute('role', 'group');
    this.#view.scrollDOM.setAttribute('aria-label', 'Editor');
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  set text(text: string) {
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text } });
  }

  focus(): void {
    this.#view.focus();
  }

  /** Compiles what stands there. What has errors is compiled too: types do not stop a program. */
  async compile(): Promise<Compiled> {
    this.#compiled = await this.#language.call('compile', { text: this.text });
    return this.#compiled;
  }

  /** Shows an error of a run where it came from, if that is in what was compiled last. */
  showFailure(message: string, place: { line: number; column: number } | string | undefined): void {
    const position = typeof place === 'string' ? sourcePosition(place) : place;
    if (this.#compiled === null || position === undefined) return;
    const number = originalLine(this.#compiled.map, position.line, position.column);
    if (number === undefined || number > this.#view.state.doc.lines) return;
    const line = this.#view.state.doc.line(number);
    const from = line.from + line.text.search(/\S|$/);
    const marks: Mark[] = [];
    forEachDiagnostic(this.#view.state, (mark) => void marks.push(mark));
    this.#view.dispatch(setDiagnostics(this.#view.state, [...marks, { from, to: line.to, severity: 'error', source: 'run', message }]));
    this.#view.dispatch({ effects: EditorView.scrollIntoView(from, { y: 'center' }) });
  }

  async #check(): Promise<Mark[]> {
    const { text } = this;
    const diagnostics = await this.#language.call('diagnose', { text });
    if (text === this.text) this.handlers.checked(diagnostics);
    return diagnostics.map(({ from, to, severity, message }) => ({
      from,
      to: Math.max(to, from),
      severity: severity === 'info' ? 'info' : severity,
      message,
    }));
  }

  async #complete(context: CompletionContext): Promise<CompletionResult | null> {
    const word = context.matchBefore(/[\w$]*/);
    const dot = context.matchBefore(/\.[\w$]*/);
    if (!context.explicit && dot === null && (word === null || word.from === word.to)) return null;
    const found = await this.#language.call('complete', { text: context.state.doc.toString(), position: context.pos });
    if (found.length === 0) return null;
    return {
      from: word?.from ?? context.pos,
      options: found.map(({ label, kind, sort }) => ({
        label,
        type: COMPLETION_TYPES[kind] ?? 'variable',
        boost: -Number(sort.slice(0, 2)) || 0,
      })),
      validFor: /^[\w$]*$/,
    };
  }

  async #hover(position: number): Promise<Tooltip | null> {
    const found = await this.#language.call('inspect', { text: this.text, position });
    if (found === null) return null;
    return {
      pos: found.from,
      end: found.to,
      above: true,
      create: () => {
        const dom = document.createElement('div');
        dom.className = 'cm-type';
        dom.append(found.type);
        if (found.documentation !== '') {
          const text = document.createElement('p');
          text.textContent = found.documentation;
          dom.append(text);
        }
        return { dom };
      },
    };
  }
}
