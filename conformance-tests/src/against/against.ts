/** @file Two backends on the same random programs; what they disagree on is made as small as it can be. */
import type { SubjectSource } from '../subject/start.js';
import type { Kind } from './kind.js';
import { models, trainings } from './models.js';
import { type Pair, withPair } from './pair.js';
import { programs } from './programs.js';
import { views } from './views.js';

/** Each kind, and how many cases of it one run tries for each hundred that are asked for. */
const KINDS: readonly (readonly [kind: Kind<never>, share: number])[] = [
  [programs as Kind<never>, 1],
  [views as Kind<never>, 1],
  [models as Kind<never>, 0.3],
  [trainings as Kind<never>, 0.1],
];

export interface AgainstOptions {
  /** How many programs and views; models and trainings, which cost more, are fewer. Default 100. */
  readonly runs?: number;
  /** Another seed tries other cases. Default 0. */
  readonly seed?: number;
  onKind?(name: string): void;
}

/** The smallest case found on which two devices differ. */
export interface Disagreement {
  readonly kind: string;
  /** For a person to read. */
  readonly lines: readonly string[];
  readonly message: string;
  /** How often it was made smaller. */
  readonly shrinks: number;
}

export interface AgainstReport {
  readonly mine: string;
  readonly theirs: string;
  readonly seed: number;
  readonly tried: number;
  readonly disagreements: readonly Disagreement[];
}

/**
 * Runs the same random pointwise programs, views, models with their gradients, and trainings on two backends. Floats may differ by rounding, and by
 * as much as the case itself makes of a tiny change of its inputs; integers not at all.
 *
 * @returns the smallest disagreement of each kind.
 * @example const report = await compareBackends({ create: () => new MyBackend() }, { plugin: cpuPlugin });
 */
export async function compareBackends(mine: SubjectSource, theirs: SubjectSource, options: AgainstOptions = {}): Promise<AgainstReport> {
  const { runs = 100, seed = 0 } = options;
  return withPair(mine, theirs, async (pair) => {
    const disagreements: Disagreement[] = [];
    let tried = 0;
    for (const [kind, share] of KINDS) {
      options.onKind?.(kind.name);
      const count = Math.max(1, Math.round(runs * share));
      const found = await smallest(kind, pair, count, seed);
      tried += count;
      if (found !== null) disagreements.push(found);
    }
    return { mine: pair.mine.id, theirs: pair.theirs.id, seed, tried, disagreements };
  });
}

async function smallest<T>(kind: Kind<T>, pair: Pair, numRuns: number, seed: number): Promise<Disagreement | null> {
  const fc = await import('fast-check');
  /** The message of a difference, or of what was thrown; null where both agree. */
  const verdict = async (one: T): Promise<string | null> => {
    try {
      const found = await kind.difference(pair, one);
      return found === null
        ? null
        : `${found.what}, element ${found.place}: ${found.mine} on ${pair.mine.id}, ${found.theirs} on ${pair.theirs.id} (allowed: ${found.allowed.toPrecision(2)})`;
    } catch (error) {
      return `it threw: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
    }
  };
  const property = fc.asyncProperty(kind.arbitrary(fc, pair), async (one) => (await verdict(one)) === null);
  const { failed, counterexample, numShrinks } = await fc.check(property, { numRuns, seed });
  if (!failed || counterexample === null) return null;
  const [one] = counterexample;
  return {
    kind: kind.name,
    lines: kind.describe(one),
    message: (await verdict(one)) ?? 'it differs from time to time',
    shrinks: numShrinks,
  };
}

/** The report in lines. */
export function againstLines({ mine, theirs, tried, seed, disagreements }: AgainstReport): string[] {
  const lines = disagreements.flatMap(({ kind, lines: text, message, shrinks }) => [
    `✗ ${kind}: ${message}`,
    ...text.flatMap((line) => line.split('\n')).map((line) => `    ${line}`),
    `    (made smaller ${shrinks} times; seed ${seed})`,
  ]);
  const kinds = KINDS.map(([{ name }]) => name).filter((name) => !disagreements.some(({ kind }) => kind === name));
  return [
    ...lines,
    ...(kinds.length > 0 ? [`✓ ${mine} and ${theirs} agree on ${kinds.join(', ')} (${tried} cases in all, seed ${seed})`] : []),
  ];
}
