/** @file UpdateFamily: an optimizer's fused programs, one for each combination of its switches, each made when a step first needs it. */
import { Update } from '@tessera/core';

type Formula = Update['formula'];
/** What formulas are built with: the opcodes. */
export type Expression = Parameters<Formula>[0];
/** A value of a formula. */
export type Value = Parameters<Formula>[1][number];

/**
 * Programs that differ by switches (ascend, decay, momentum, …). A switch that is off costs nothing; numbers are run-time scalars, so that a
 * scheduler that sets another learning rate each step compiles nothing.
 *
 * @example
 * const family = new UpdateFamily('sgd', ['maximize'], 1, (e, { maximize }, [p, g], [lr]) => [e.sub(p, e.mul(maximize ? e.neg(g) : g, lr))]);
 * family.pick(false).run([p, grad], [0.1]);
 */
export class UpdateFamily<S extends string> {
  readonly #made: (Update | undefined)[] = [];

  /**
   * @param switches Their names, in the order in which `pick` takes them.
   * @param writes How many of the tensors are written, the first ones; or how many under which switches.
   * @param formula As for {@link Update}, with the switches.
   */
  constructor(
    readonly name: string,
    readonly switches: readonly S[],
    readonly writes: number | ((on: Readonly<Record<S, boolean>>) => number),
    readonly formula: (
      e: Expression,
      on: Readonly<Record<S, boolean>>,
      tensors: readonly Value[],
      scalars: readonly Value[],
    ) => readonly Value[],
  ) {}

  /** The program with these switches on, given in the order of their names. */
  pick(...on: readonly boolean[]): Update {
    let key = 0;
    for (let i = 0; i < on.length; i++) if (on[i]!) key |= 1 << i;
    return (this.#made[key] ??= this.#make(on));
  }

  #make(given: readonly boolean[]): Update {
    const on = Object.fromEntries(this.switches.map((name, i) => [name, given[i] ?? false])) as Record<S, boolean>;
    const name = [this.name, ...this.switches.filter((s) => on[s])].join('.');
    const writes = typeof this.writes === 'number' ? this.writes : this.writes(on);
    return new Update(name, writes, (e, tensors, scalars) => this.formula(e, on, tensors, scalars));
  }
}

/** The gradient that a formula goes by: turned round to ascend, and with `decay · p` added. */
export function gradient(
  e: Expression,
  { maximize, l2 }: { readonly maximize: boolean; readonly l2: boolean },
  g: Value,
  p: Value,
  decay: Value,
): Value {
  const d = maximize ? e.neg(g) : g;
  return l2 ? e.add(d, e.mul(p, decay)) : d;
}

/** From `a` towards `b` by `weight`. PyTorch: lerp_, for weights below a half. */
export const towards = (e: Expression, a: Value, b: Value, weight: Value): Value => e.add(a, e.mul(weight, e.sub(b, a)));
