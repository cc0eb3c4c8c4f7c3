/** @file Draw a digit, see the prediction. */
import type { Prediction } from '../shared/reports.js';
import { byId, h } from '../ui/dom.js';
import * as format from '../ui/format.js';
import { paint } from './inside.js';
import { Pad } from './pad.js';

export interface DrawingHandlers {
  /** Null where there is no model yet. */
  predict(pixels: readonly number[]): Promise<Prediction> | null;
  example(index: number): Promise<{ label: number; pixels: number[] }>;
  predicted(prediction: Prediction): void;
  failed(error: unknown): void;
}

export class Drawing {
  readonly #pad: Pad;
  readonly #answer = byId('prediction');
  readonly #bars: { row: HTMLLIElement; fill: HTMLElement; text: HTMLElement }[];
  #pixels: readonly number[] | null = null;
  #asking = false;
  #again = false;
  #example = Math.floor(Math.random() * 360);

  constructor(readonly handlers: DrawingHandlers) {
    this.#bars = Array.from({ length: 10 }, (_, digit) => {
      const fill = h('span', { class: 'bar-fill' });
      fill.style.width = '0';
      const text = h('span', { class: 'number' }, '–');
      return {
        row: h('li', {}, h('span', {}, String(digit)), h('span', { class: 'bar-track', 'aria-hidden': 'true' }, fill), text),
        fill,
        text,
      };
    });
    byId('bars').replaceChildren(...this.#bars.map(({ row }) => row));
    this.#pad = new Pad((pixels) => {
      this.#pixels = pixels;
      if (pixels !== null) this.refresh();
      else this.#show(null);
    });
    byId('pad-clear').addEventListener('click', () => this.#pad.clear());
    byId('pad-example').addEventListener('click', () => void this.#takeExample());
  }

  async #takeExample(): Promise<void> {
    const { label, pixels } = await this.handlers.example(this.#example++);
    this.#pad.set(pixels, `A ${label} of the test digits`);
  }

  /** Asks again: the drawing or the model changed. One question at a time; what comes meanwhile is asked after it. */
  refresh(): void {
    if (this.#pixels === null) return;
    if (this.#asking) {
      this.#again = true;
      return;
    }
    const asked = this.handlers.predict(this.#pixels);
    if (asked === null) return;
    this.#asking = true;
    asked
      .then(
        (prediction) => {
          if (this.#pixels !== null) this.#show(prediction);
          this.handlers.predicted(prediction);
        },
        (error: unknown) => this.handlers.failed(error),
      )
      .finally(() => {
        this.#asking = false;
        if (this.#again) {
          this.#again = false;
          this.refresh();
        }
      });
  }

  /** There is a model now, or none any more. */
  ready(isReady: boolean): void {
    if (this.#pixels === null || !isReady) this.#answer.textContent = isReady ? 'Draw something.' : 'Train first.';
  }

  #show(prediction: Prediction | null): void {
    const probabilities = prediction?.probabilities;
    const best = probabilities === undefined ? -1 : probabilities.indexOf(Math.max(...probabilities));
    for (const [digit, { row, fill, text }] of this.#bars.entries()) {
      const probability = probabilities?.[digit];
      row.classList.toggle('best', digit === best);
      fill.style.width = `${100 * (probability ?? 0)}%`;
      text.textContent = probability === undefined ? '–' : format.percent(probability);
    }
    const seen = byId<HTMLCanvasElement>('seen');
    if (prediction === null) {
      seen.getContext('2d')!.clearRect(0, 0, 28, 28);
      this.#answer.textContent = 'Draw something.';
      return;
    }
    paint(seen, prediction.seen, 28, 28);
    this.#answer.replaceChildren(h('b', {}, String(best)), ` with ${format.percent(probabilities![best]!)}`);
  }
}
