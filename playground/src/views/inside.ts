/** @file Filters and activations as rows of small pictures. */
import type { Pictures } from '../shared/reports.js';
import { byId, h } from '../ui/dom.js';
import * as format from '../ui/format.js';

/** About so large is a picture on the page, in pixels. */
const TARGET = 48;

export class Inside {
  readonly #select = byId<HTMLSelectElement>('inside-layer');
  readonly #tiles = byId('inside');
  readonly #hint = byId('inside-hint');
  #filters: readonly Pictures[] = [];
  #activations: readonly Pictures[] = [];

  constructor() {
    this.#select.addEventListener('change', () => this.#draw());
    this.#list();
  }

  filters(filters: readonly Pictures[]): void {
    this.#filters = filters;
    this.#list();
  }

  activations(activations: readonly Pictures[]): void {
    this.#activations = activations;
    this.#list();
  }

  #list(): void {
    const chosen = this.#select.value;
    const group = (label: string, kind: string, all: readonly Pictures[]): HTMLOptGroupElement[] =>
      all.length === 0
        ? []
        : [h('optgroup', { label }, ...all.map(({ title }, i) => h('option', { value: `${kind}${i}` }, `${label}: ${title}`)))];
    this.#select.replaceChildren(...group('Filters', 'f', this.#filters), ...group('Activations', 'a', this.#activations));
    if ([...this.#select.options].some(({ value }) => value === chosen)) this.#select.value = chosen;
    this.#select.hidden = this.#select.options.length === 0;
    this.#draw();
  }

  #draw(): void {
    const { value } = this.#select;
    const shown = (value.startsWith('f') ? this.#filters : this.#activations)[Number(value.slice(1))];
    if (value === '' || shown === undefined) {
      this.#tiles.replaceChildren();
      return;
    }
    const { width, height, pictures, total, low, high, title } = shown;
    const scale = Math.max(1, Math.round(TARGET / Math.max(width, height)));
    this.#tiles.replaceChildren(...pictures.map((pixels) => picture(pixels, width, height, scale)));
    const part = total > pictures.length ? `the first ${pictures.length} of ${total}` : `${total}`;
    this.#hint.textContent = `${part} pictures; black is ${format.loss(low)}, white ${format.loss(high)}.`;
    this.#tiles.setAttribute('aria-label', `${value.startsWith('f') ? 'Filters' : 'Activations'} of ${title}: ${this.#hint.textContent}`);
  }
}

/** Grey pixels, 0 to 255, on a canvas of its own. */
export function paint(canvas: HTMLCanvasElement, pixels: Uint8ClampedArray, width: number, height: number): void {
  const rgba = new Uint8ClampedArray(4 * pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    rgba.fill(pixels[i]!, 4 * i, 4 * i + 3);
    rgba[4 * i + 3] = 255;
  }
  canvas.getContext('2d')!.putImageData(new ImageData(rgba, width, height), 0, 0);
}

function picture(pixels: Uint8ClampedArray, width: number, height: number, scale: number): HTMLCanvasElement {
  const canvas = h('canvas', { width, height });
  canvas.style.width = `${width * scale}px`;
  canvas.style.height = `${height * scale}px`;
  paint(canvas, pixels, width, height);
  return canvas;
}
