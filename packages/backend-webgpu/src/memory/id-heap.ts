/** @file A binary heap of ids, the lowest on top. */

export class IdHeap {
  readonly #ids: number[] = [];

  get size(): number {
    return this.#ids.length;
  }

  push(id: number): void {
    const ids = this.#ids;
    let at = ids.length;
    ids.push(id);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (ids[parent] <= id) break;
      ids[at] = ids[parent];
      at = parent;
    }
    ids[at] = id;
  }

  /** Takes the lowest. */
  pop(): number | undefined {
    const ids = this.#ids;
    const lowest = ids[0];
    const id = ids.pop();
    if (id === undefined || ids.length === 0) return id;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= ids.length) break;
      if (child + 1 < ids.length && ids[child + 1] < ids[child]) child++;
      if (ids[child] >= id) break;
      ids[at] = ids[child];
      at = child;
    }
    ids[at] = id;
    return lowest;
  }

  /** Takes the highest ids, so that at most `keep` stay. */
  truncate(keep: number): readonly number[] {
    const ids = this.#ids.sort((a, b) => a - b);
    // A sorted list is a heap.
    return ids.splice(keep);
  }
}
