/** @file What L-BFGS remembers: past steps and the changes of the gradient that they made, which stand for the curvature. */
import type { Tensor } from '@tessera/core';
import type { ParamState } from '../base/state-dict.js';

/** What is kept from step to step. */
export interface History {
  direction: Tensor | null;
  /** How far along it the last iteration went. */
  t: number;
  /** Changes of the gradient, and the steps that made them, oldest first. */
  readonly changes: Tensor[];
  readonly steps: Tensor[];
  /** 1 / (change · step) of each. */
  readonly ro: number[];
  /** The inverse curvature that the loops start from. PyTorch: H_diag. */
  scale: number;
  /** Gradient and loss at the start of the last iteration. */
  gradient: Tensor | null;
  loss: number;
}

/** −H·g by the two loops; what each iteration needs of the other stays on the device. */
export function twoLoops({ changes, steps, ro, scale }: History, gradient: Tensor): Tensor {
  const al: Tensor[] = [];
  let q = gradient.neg().realize();
  for (let i = changes.length - 1; i >= 0; i--) {
    al[i] = steps[i]!.dot(q).mul(ro[i]!);
    q = q.sub(changes[i]!.mul(al[i]!)).realize();
  }
  let r = q.mul(scale).realize();
  for (let i = 0; i < changes.length; i++) {
    const be = changes[i]!.dot(r).mul(ro[i]!);
    r = r.add(steps[i]!.mul(al[i]!.sub(be))).realize();
  }
  return r;
}

/** From the state, as PyTorch's state dict has it. */
export function recall(state: ParamState): History {
  return {
    direction: (state['d'] as Tensor | null | undefined) ?? null,
    t: (state['t'] as number | undefined) ?? 0,
    changes: [...((state['old_dirs'] as Tensor[] | undefined) ?? [])],
    steps: [...((state['old_stps'] as Tensor[] | undefined) ?? [])],
    ro: [...((state['ro'] as number[] | undefined) ?? [])],
    scale: (state['H_diag'] as number | undefined) ?? 1,
    gradient: (state['prev_flat_grad'] as Tensor | null | undefined) ?? null,
    loss: (state['prev_loss'] as number | undefined) ?? 0,
  };
}

export function store(state: ParamState, m: History): void {
  if (m.direction === null) return;
  state['d'] = m.direction;
  state['t'] = m.t;
  state['old_dirs'] = m.changes;
  state['old_stps'] = m.steps;
  state['ro'] = m.ro;
  state['H_diag'] = m.scale;
  state['prev_flat_grad'] = m.gradient;
  state['prev_loss'] = m.loss;
}

export function forget(m: History): void {
  for (const t of [...m.changes, ...m.steps]) t.dispose();
  m.changes.length = m.steps.length = m.ro.length = 0;
  m.scale = 1;
}
