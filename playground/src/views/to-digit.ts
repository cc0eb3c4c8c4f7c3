/** @file From a drawing to what the digits of the data are: 8x8 counts of inked pixels, the digit filling the height. */

/** The digits of the data were drawn on 32x32 and counted in blocks of 4x4. */
const CELLS = 8;
/** The narrowest digit, a 1, keeps this share of the height as its width, so that it is not blown up to a block. */
const NARROWEST = 0.4;
const SAMPLES = 6;

/**
 * @param ink From 0 to 1, at whole pixels of a square of `size`.
 * @returns 64 values from 0 to 1, row by row; null where nothing is drawn.
 */
export function toDigit(ink: (x: number, y: number) => number, size: number): number[] | null {
  let [left, top, right, bottom] = [size, size, -1, -1];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (ink(x, y) < 0.5) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return null;
  const height = Math.max(bottom - top + 1, (right - left + 1) * 0.75);
  // The data's digits are a little narrower than high, whatever they are.
  const width = Math.max(right - left + 1, height * NARROWEST) * 1.15;
  const [middleX, middleY] = [(left + right + 1) / 2, (top + bottom + 1) / 2];
  const pixels: number[] = [];
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) {
      let sum = 0;
      for (let i = 0; i < SAMPLES * SAMPLES; i++) {
        const u = (column + ((i % SAMPLES) + 0.5) / SAMPLES) / CELLS - 0.5;
        const v = (row + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES) / CELLS - 0.5;
        // The data's digits are about 7 of 8 cells wide at most.
        const x = Math.floor(middleX + u * Math.max(width, height * 0.85));
        const y = Math.floor(middleY + v * height);
        if (x >= 0 && x < size && y >= 0 && y < size) sum += ink(x, y);
      }
      pixels.push(sum / SAMPLES ** 2);
    }
  }
  return pixels;
}
