/** @file Loss and accuracy by step, live. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { byId } from '../ui/dom.js';
import * as format from '../ui/format.js';
import { colour, watchTheme } from '../ui/theme.js';

interface Series {
  readonly label: string;
  readonly colour: string;
  readonly value: (x: number) => string;
  readonly points?: boolean;
}

/** More points than pixels say nothing more, and slow the page: beyond so many every second one is dropped. */
const MAX_POINTS = 4000;

/** A live plot: points are added, and it is drawn once a frame. */
class LivePlot {
  #data: (number | null)[][];
  #plot: uPlot | null = null;
  #frame = 0;
  readonly #element: HTMLElement;

  constructor(
    id: string,
    readonly series: readonly Series[],
    readonly range: uPlot.Range.MinMax | undefined,
    readonly tick: (x: number) => string,
  ) {
    this.#element = byId(id);
    this.#data = this.#empty();
    new ResizeObserver(() => this.#resize()).observe(this.#element);
    watchTheme(() => {
      this.#plot?.destroy();
      this.#plot = null;
      this.#draw();
    });
    this.#draw();
  }

  #empty(): (number | null)[][] {
    return Array.from({ length: this.series.length + 1 }, () => []);
  }

  /** One value for each series, null where it has none at this step. Steps rise. */
  add(step: number, values: readonly (number | null)[]): void {
    const [steps] = this.#data as [number[]];
    if (steps.at(-1) === step) {
      for (const [i, value] of values.entries()) this.#data[i + 1]![steps.length - 1] = value ?? this.#data[i + 1]!.at(-1)!;
    } else {
      steps.push(step);
      for (const [i, value] of values.entries()) this.#data[i + 1]!.push(value);
    }
    if (steps.length > MAX_POINTS) this.#thin();
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** Points of sparse series stay. */
  #thin(): void {
    const sparse = this.series.findIndex(({ points }) => points === true);
    const kept = this.#data[0]!.map((_, at) => at % 2 === 1 || (sparse >= 0 && this.#data[sparse + 1]![at] !== null));
    this.#data = this.#data.map((column) => column.filter((_, at) => kept[at]));
  }

  clear(): void {
    this.#data = this.#empty();
    this.#draw();
  }

  describe(text: string): void {
    this.#element.setAttribute('aria-label', text);
  }

  #resize(): void {
    const { clientWidth: width } = this.#element;
    if (width > 0) this.#plot?.setSize({ width, height: this.#height });
  }

  /** The legend takes the rest. */
  get #height(): number {
    return this.#element.clientHeight - 30;
  }

  #draw(): void {
    this.#frame = 0;
    // Hidden views have no size; they are drawn when they are shown.
    if (this.#element.clientWidth === 0) return;
    if (this.#plot === null) this.#plot = this.#make();
    else this.#plot.setData(this.#data as uPlot.AlignedData);
  }

  #make(): uPlot {
    const [quiet, line] = [colour('quiet'), colour('line')];
    const axis: uPlot.Axis = {
      stroke: quiet,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    };
    const value = (show: (x: number) => string) => (_plot: uPlot, x: number | null) => (x === null || x === undefined ? '–' : show(x));
    return new uPlot(
      {
        width: this.#element.clientWidth,
        height: this.#height,
        scales: { x: { time: false }, y: this.range === undefined ? {} : { range: this.range } },
        axes: [
          { ...axis, size: 26 },
          { ...axis, size: 44, values: (_plot, splits) => splits.map(this.tick) },
        ],
        cursor: { points: { size: 6 }, drag: { x: true, y: false } },
        series: [
          { label: 'Step', value: value(format.count) },
          ...this.series.map(({ label, colour: name, value: show, points }) => ({
            label,
            stroke: colour(name),
            width: points === true ? 2 : 1.25,
            spanGaps: true,
            points: { show: points === true, size: 6, fill: colour(name) },
            value: value(show),
          })),
        ],
      },
      this.#data as uPlot.AlignedData,
      this.#element,
    );
  }
}

/** Smooths the loss for the eye: each step moves it by so much. */
const SMOOTHING = 0.1;

export class TrainingPlots {
  readonly #loss = new LivePlot(
    'plot-loss',
    [
      { label: 'Batch', colour: 'line-strong', value: format.loss },
      { label: 'Smoothed', colour: 'accent', value: format.loss },
      { label: 'Test', colour: 'second', value: format.loss, points: true },
    ],
    undefined,
    String,
  );
  readonly #accuracy = new LivePlot(
    'plot-accuracy',
    [
      { label: 'Training', colour: 'accent', value: format.percent },
      { label: 'Test', colour: 'second', value: format.percent, points: true },
    ],
    [0, 1],
    (x) => `${Math.round(100 * x)} %`,
  );
  #smoothed: number | null = null;

  steps(last: number, losses: readonly number[], accuracy: number): void {
    const first = last - losses.length + 1;
    for (const [i, loss] of losses.entries()) {
      this.#smoothed = this.#smoothed === null ? loss : this.#smoothed + SMOOTHING * (loss - this.#smoothed);
      this.#loss.add(first + i, [loss, this.#smoothed, null]);
    }
    this.#accuracy.add(last, [accuracy, null]);
  }

  epoch(step: number, loss: number, accuracy: number): void {
    this.#loss.add(step, [null, null, loss]);
    this.#accuracy.add(step, [null, accuracy]);
    this.#loss.describe(`Loss by step: ${format.loss(loss)} on the test digits after ${step} steps`);
    this.#accuracy.describe(`Accuracy by step: ${format.percent(accuracy)} of the test digits after ${step} steps`);
  }

  clear(): void {
    this.#smoothed = null;
    for (const plot of [this.#loss, this.#accuracy]) plot.clear();
    this.#loss.describe('Loss by step: no step yet');
    this.#accuracy.describe('Accuracy by step: no step yet');
  }
}
