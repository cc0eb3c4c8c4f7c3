/** @file The drawing pad: by pointer or by keys, to 8x8 pixels as the digits of the data are. */
import { byId } from '../ui/dom.js';
import { toDigit } from './to-digit.js';

const SIZE = 224;
const PEN = 20;
/** How far an arrow key moves the pen. */
const KEY_STEP = 10;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Pad {
  readonly #canvas = byId<HTMLCanvasElement>('pad');
  /** What is drawn, apart from the pen's cross. */
  readonly #ink = new OffscreenCanvas(SIZE, SIZE);
  readonly #context = this.#ink.getContext('2d', { willReadFrequently: true })!;
  #from: { x: number; y: number } | null = null;
  #pen = { x: SIZE / 2, y: SIZE / 2 };
  #penDown = false;
  #penShown = false;

  /** @param changed Gets 8x8 values from 0 to 1, row by row; null when the pad is empty. */
  constructor(readonly changed: (pixels: readonly number[] | null) => void) {
    this.#context.lineWidth = PEN;
    this.#context.lineCap = 'round';
    this.#context.lineJoin = 'round';
    this.#context.strokeStyle = '#fff';
    this.#canvas.addEventListener('pointerdown', (event) => this.#start(event));
    this.#canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const type of ['pointerup', 'pointercancel'] as const) this.#canvas.addEventListener(type, () => this.#end());
    this.#canvas.addEventListener('keydown', (event) => this.#key(event));
    this.#canvas.addEventListener('keyup', (event) => event.key === ' ' && this.#liftPen());
    this.#canvas.addEventListener('blur', () => {
      this.#penShown = false;
      this.#liftPen();
      this.#show();
    });
    this.clear();
  }

  clear(): void {
    this.#context.fillStyle = '#000';
    this.#context.fillRect(0, 0, SIZE, SIZE);
    this.#show();
    this.#canvas.setAttribute('aria-label', 'Drawing pad, empty');
    this.changed(null);
  }

  /** Shows an image of 8x8 values, as the digits of the data are. */
  set(pixels: readonly number[], label: string): void {
    const small = new OffscreenCanvas(8, 8);
    const context = small.getContext('2d')!;
    const rgba = Uint8ClampedArray.from({ length: 256 }, (_, i) => (i % 4 === 3 ? 255 : pixels[i >> 2]! * 255));
    context.putImageData(new ImageData(rgba, 8, 8), 0, 0);
    this.#context.fillStyle = '#000';
    this.#context.fillRect(0, 0, SIZE, SIZE);
    this.#context.drawImage(small, 0, 0, SIZE, SIZE);
    this.#show();
    this.#canvas.setAttribute('aria-label', label);
    this.changed(pixels);
  }

  #at(event: PointerEvent): { x: number; y: number } {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: ((event.clientX - left) * SIZE) / width, y: ((event.clientY - top) * SIZE) / height };
  }

  #start(event: PointerEvent): void {
    this.#canvas.setPointerCapture(event.pointerId);
    this.#penShown = false;
    this.#from = this.#at(event);
    this.#line(this.#from, this.#from);
  }

  #move(event: PointerEvent): void {
    if (this.#from === null) return;
    const to = this.#at(event);
    this.#line(this.#from, to);
    this.#from = to;
  }

  #end(): void {
    this.#from = null;
  }

  #key(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (arrow === undefined && event.key !== ' ') return;
    event.preventDefault();
    this.#penShown = true;
    if (event.key === ' ') {
      if (!this.#penDown) this.#line(this.#pen, this.#pen);
      this.#penDown = true;
      return;
    }
    const inside = (x: number): number => Math.min(SIZE, Math.max(0, x));
    const to = { x: inside(this.#pen.x + arrow![0] * KEY_STEP), y: inside(this.#pen.y + arrow![1] * KEY_STEP) };
    if (this.#penDown) this.#line(this.#pen, to);
    this.#pen = to;
    this.#show();
  }

  #liftPen(): void {
    this.#penDown = false;
  }

  #line(from: { x: number; y: number }, to: { x: number; y: number }): void {
    this.#context.beginPath();
    this.#context.moveTo(from.x, from.y);
    this.#context.lineTo(to.x, to.y);
    this.#context.stroke();
    this.#show();
    this.#canvas.setAttribute('aria-label', 'Drawing pad, with a drawing');
    const { data } = this.#context.getImageData(0, 0, SIZE, SIZE);
    this.changed(toDigit((x, y) => data[4 * (y * SIZE + x)]! / 255, SIZE));
  }

  #show(): void {
    const context = this.#canvas.getContext('2d')!;
    context.drawImage(this.#ink, 0, 0);
    if (!this.#penShown) return;
    context.strokeStyle = '#62cdc4';
    context.lineWidth = 2;
    context.beginPath();
    context.arc(this.#pen.x, this.#pen.y, PEN / 2, 0, 2 * Math.PI);
    context.stroke();
  }
}
