/** @file The nodes that a backward pass may run next. */
import type { GradNode } from './node.js';

/** A heap of nodes, the latest-made on top. Leaves come before all others, as in PyTorch. */
export class ReadyNodes {
  readonly #heap: GradNode[] = [];

  push(node: GradNode): void {
    const heap = this.#heap;
    let i = heap.push(node) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!before(node, heap[up]!)) break;
      heap[i] = heap[up]!;
      i = up;
    }
    heap[i] = node;
  }

  pop(): GradNode | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

function before(a: GradNode, b: GradNode): boolean {
  const la = a.leaf !== null;
  const lb = b.leaf !== null;
  return la === lb ? a.sequence > b.sequence : la;
}
