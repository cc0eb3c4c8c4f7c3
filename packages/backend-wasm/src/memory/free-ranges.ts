/** @file Free ranges of addresses in order; neighbours are merged. */

export class FreeRanges {
  readonly #starts: number[] = [];
  readonly #sizes: number[] = [];
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** The place of the first range that starts at or behind an address. */
  #find(address: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle] < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Adds a range that is free from now on. */
  give(start: number, size: number): void {
    const starts = this.#starts;
    const sizes = this.#sizes;
    const at = this.#find(start);
    this.#total += size;
    const joinsBefore = at > 0 && starts[at - 1] + sizes[at - 1] === start;
    const joinsAfter = at < starts.length && start + size === starts[at];
    if (joinsBefore && joinsAfter) {
      sizes[at - 1] += size + sizes[at];
      starts.splice(at, 1);
      sizes.splice(at, 1);
    } else if (joinsBefore) sizes[at - 1] += size;
    else if (joinsAfter) {
      starts[at] = start;
      sizes[at] += size;
    } else {
      starts.splice(at, 0, start);
      sizes.splice(at, 0, size);
    }
  }

  /** Takes `size` bytes from the smallest range that has them, the lowest of equals; −1 if there is none. */
  take(size: number): number {
    const sizes = this.#sizes;
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < sizes.length; i++) {
      if (sizes[i] >= size && sizes[i] < least) {
        least = sizes[i];
        best = i;
        if (least === size) break;
      }
    }
    if (best < 0) return -1;
    const start = this.#starts[best];
    this.#total -= size;
    if (least === size) {
      this.#starts.splice(best, 1);
      sizes.splice(best, 1);
    } else {
      this.#starts[best] += size;
      sizes[best] -= size;
    }
    return start;
  }

  /** How many free bytes end at `end`. */
  tail(end: number): number {
    const last = this.#starts.length - 1;
    return last >= 0 && this.#starts[last] + this.#sizes[last] === end ? this.#sizes[last] : 0;
  }
}
