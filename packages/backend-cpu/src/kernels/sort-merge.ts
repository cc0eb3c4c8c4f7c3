/** @file Sorting places by float64 keys: insertion sort of short runs, merged bottom-up. Stable. */

const RUN = 12;
let keys = new Float64Array(0);
let otherKeys = new Float64Array(0);
let places = new Int32Array(0);
let otherPlaces = new Int32Array(0);

/** The places of the first `count` values in sorted order; the array is valid until the next call. */
export function mergeSort(values: Float64Array, count: number, descending: boolean): Int32Array {
  if (keys.length < count) {
    keys = new Float64Array(count);
    otherKeys = new Float64Array(count);
    places = new Int32Array(count);
    otherPlaces = new Int32Array(count);
  }
  const numbers = gatherNumbers(values, count, descending);
  for (let start = 0; start < numbers; start += RUN) insertionSort(start, Math.min(start + RUN, numbers));
  for (let width = RUN; width < numbers; width *= 2) {
    for (let start = 0; start < numbers; start += 2 * width)
      merge(start, Math.min(start + width, numbers), Math.min(start + 2 * width, numbers));
    [keys, otherKeys] = [otherKeys, keys];
    [places, otherPlaces] = [otherPlaces, places];
  }
  placeNaN(values, count, numbers, descending);
  return places;
}

/** Collects the keys that are no NaN; they are negated for a descending sort, which keeps it stable. */
function gatherNumbers(values: Float64Array, count: number, descending: boolean): number {
  let numbers = 0;
  for (let j = 0; j < count; j++) {
    const v = values[j];
    if (v !== v) continue;
    keys[numbers] = descending ? -v : v;
    places[numbers++] = j;
  }
  return numbers;
}

function insertionSort(start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const key = keys[i];
    const place = places[i];
    let j = i - 1;
    for (; j >= start && keys[j] > key; j--) {
      keys[j + 1] = keys[j];
      places[j + 1] = places[j];
    }
    keys[j + 1] = key;
    places[j + 1] = place;
  }
}

function merge(start: number, middle: number, end: number): void {
  let i = start;
  let j = middle;
  for (let k = start; k < end; k++) {
    const left = j >= end || (i < middle && keys[i] <= keys[j]);
    const from = left ? i++ : j++;
    otherKeys[k] = keys[from];
    otherPlaces[k] = places[from];
  }
}

/** NaN is the largest: last, or first in a descending sort; among NaN the order stays. */
function placeNaN(values: Float64Array, count: number, numbers: number, descending: boolean): void {
  if (numbers === count) return;
  let at = numbers;
  if (descending) {
    places.copyWithin(count - numbers, 0, numbers);
    at = 0;
  }
  for (let j = 0; j < count; j++) if (values[j] !== values[j]) places[at++] = j;
}
