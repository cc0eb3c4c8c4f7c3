/** @file Sorting places by 32-bit keys, least significant digit first: three passes of 11 bits, those skipped in which all keys agree. Stable. */

const BITS = 11;
const BUCKETS = 1 << BITS;
const starts = new Int32Array(BUCKETS);
const floats = new Float32Array(1);
const bits = new Int32Array(floats.buffer);
let keys = new Uint32Array(0);
let otherKeys = new Uint32Array(0);
let places = new Int32Array(0);
let otherPlaces = new Int32Array(0);

/** The places of the first `count` values (float32 where `float`, else int32) in sorted order; the array is valid until the next call. */
export function radixSort(values: Float64Array, count: number, descending: boolean, float: boolean): Int32Array {
  if (keys.length < count) {
    keys = new Uint32Array(count);
    otherKeys = new Uint32Array(count);
    places = new Int32Array(count);
    otherPlaces = new Int32Array(count);
  }
  const flip = descending ? -1 : 0;
  for (let j = 0; j < count; j++) {
    keys[j] = (float ? floatKey(values[j]) : values[j] ^ 0x80000000) ^ flip;
    places[j] = j;
  }
  for (let shift = 0; shift < 32; shift += BITS) pass(shift, count);
  return places;
}

/** Unsigned integers in the order of the floats; the zeros are equal, and all NaN are the largest. */
function floatKey(v: number): number {
  if (v !== v) return -1;
  floats[0] = v + 0;
  const u = bits[0];
  return v === 0 ? 0x80000000 : u < 0 ? ~u : u ^ 0x80000000;
}

function pass(shift: number, count: number): void {
  starts.fill(0);
  for (let j = 0; j < count; j++) starts[(keys[j] >>> shift) & (BUCKETS - 1)]++;
  if (starts[(keys[0] >>> shift) & (BUCKETS - 1)] === count) return;
  for (let b = 0, sum = 0; b < BUCKETS; b++) {
    const n = starts[b];
    starts[b] = sum;
    sum += n;
  }
  for (let j = 0; j < count; j++) {
    const key = keys[j];
    const to = starts[(key >>> shift) & (BUCKETS - 1)]++;
    otherKeys[to] = key;
    otherPlaces[to] = places[j];
  }
  [keys, otherKeys] = [otherKeys, keys];
  [places, otherPlaces] = [otherPlaces, places];
}
