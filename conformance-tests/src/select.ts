/** @file Which cases `only` picks: names as people write them, parts of ids, patterns; and what to say of a name that nothing has. */
import { didYouMean } from '@tessera/core';
import { LEVELS, type Level, type Suite } from './suite.js';

/** Does one of the patterns, separated by commas, pick a case? */
export const selects = (patterns: string, suite: Suite, id: string): boolean =>
  patternsOf(patterns).some((pattern) => picks(pattern, suite, id));

/** Need its cases be looked at? */
export const mayContain = (suite: Suite, patterns: string): boolean => patternsOf(patterns).some((pattern) => mayPick(pattern, suite));

/** Tells which cases of a suite are wanted. Asked once for each, in order. */
export function wantedBy(suite: Suite, only: string | undefined, sample: boolean): (id: string) => boolean {
  const seen = new Set<string>();
  const sampled = sample && (suite.level === 'ops' || suite.level === 'modules');
  return (id) => {
    if (only !== undefined && !selects(only, suite, id)) return false;
    const kind = id.slice(0, id.lastIndexOf('/'));
    if (!sampled) return true;
    if (seen.has(kind)) return false;
    seen.add(kind);
    return true;
  };
}

const patternsOf = (patterns: string): string[] => patterns.split(',').flatMap((pattern) => pattern.trim() || []);
const isGlob = (pattern: string): boolean => pattern.includes('*');
const headOf = (pattern: string): string => pattern.split('/')[0]!;

/**
 * A pattern is a name, whole or in part (`softmax` picks `softmax`, `log_softmax`, `nn.Softmax` and `nn.Softmax2d`, but not `softmin`), one name
 * alone (`softmax/`), the beginning of an id (`add/sample`), a whole id, or a name or id with `*` in it.
 */
function picks(pattern: string, suite: Suite, id: string): boolean {
  if (isGlob(pattern)) {
    const regex = new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i');
    return regex.test(suite.name) || regex.test(id);
  }
  if (!pattern.includes('/')) return names(pattern, suite);
  const rest = pattern.slice(headOf(pattern).length + 1);
  const place = id.slice(id.indexOf('/') + 1);
  return isCalled(headOf(pattern), suite) && (rest === '' || place === rest || place.startsWith(`${rest}/`));
}

/** May a pattern pick a case of a suite? Of one with `*`, what stands before that is looked at. */
function mayPick(pattern: string, suite: Suite): boolean {
  if (!isGlob(pattern)) return pattern.includes('/') ? isCalled(headOf(pattern), suite) : names(pattern, suite);
  const begins = pattern.slice(0, pattern.indexOf('*')).toLowerCase();
  return [suite.name, shownName(suite)].some((name) => {
    const own = `${name.toLowerCase()}/`;
    return own.startsWith(begins) || begins.startsWith(own);
  });
}

/** Is it the whole name? */
const isCalled = (name: string, suite: Suite): boolean =>
  [suite.name, shownName(suite), suite.name.replace(/^nn\.functional\./, '')].includes(name);

/** Where names of a namespace are. */
const NAMESPACES: readonly (readonly [prefix: RegExp, level: Level])[] = [
  [/^(torch\.)?nn\.functional\.|^F\./, 'ops'],
  [/^(torch\.)?nn\./, 'modules'],
  [/^(torch\.)?optim\.(lr_?scheduler\.)?/i, 'optimizers'],
  [/^torch\./, 'ops'],
];

/** Is it the suite's name, or some whole words of it? Capitals, `_` and `.` do not count: logSoftmax is log_softmax. */
function names(pattern: string, { level, name }: Suite): boolean {
  const space = NAMESPACES.find(([prefix]) => prefix.test(pattern));
  if (space !== undefined && space[1] !== level) return false;
  const wanted = wordsOf(space === undefined ? pattern : pattern.replace(space[0], '')).join('');
  const words = wordsOf(name);
  return words.some((_, from) => words.some((__, to) => to >= from && words.slice(from, to + 1).join('') === wanted));
}

/** `AdaptiveLogSoftmaxWithLoss` is adaptive, log, softmax, with, loss; `max_pool2d` is max, pool, 2d. */
const wordsOf = (name: string): string[] =>
  name
    .replaceAll(/([a-z\d])([A-Z])|([A-Z])(?=[A-Z][a-z])|([A-Za-z])(?=\d)/g, (all, a?: string, b?: string) =>
      a === undefined ? `${all} ` : `${a} ${b}`,
    )
    .toLowerCase()
    .split(/[ ._\-:]+/)
    .filter(Boolean);

/** The name of a suite for people: that of a layer as a program writes it. */
export const shownName = ({ level, name }: Pick<Suite, 'level' | 'name'>): string => (level === 'modules' ? `nn.${name}` : name);

/**
 * What is wrong with `only`, in a sentence, or undefined where each of its patterns may pick something.
 *
 * @param suites Those that will run.
 * @param all Those of every level.
 */
export function wrongOnly(only: string, suites: readonly Suite[], all: readonly Suite[]): string | undefined {
  if (patternsOf(only).length === 0) return `only '${only}' names nothing`;
  for (const pattern of patternsOf(only)) {
    if (suites.some((suite) => mayPick(pattern, suite))) continue;
    const elsewhere = LEVELS.filter((level) => all.some((suite) => suite.level === level && mayPick(pattern, suite)));
    if (elsewhere.length > 0) return `only '${pattern}' fits nothing that is run here; it is at level ${elsewhere.join(' and ')}`;
    const meant = didYouMean(
      headOf(pattern).replace(/^.*\./, ''),
      [...suites, ...all].flatMap(({ name }) => [name, name.replace(/^.*\./, '')]),
    );
    return `only '${pattern}' fits nothing of the ${countsOf(suites)}${meant}`;
  }
  return undefined;
}

/** `505 ops and 139 modules`. */
function countsOf(suites: readonly Suite[]): string {
  const counts = LEVELS.map((level) => [suites.filter((suite) => suite.level === level).length, level] as const)
    .filter(([n]) => n > 0)
    .map(([n, level]) => `${n} ${level === 'training' ? 'trainings' : level}`);
  return counts.length < 2 ? (counts[0] ?? 'nothing') : `${counts.slice(0, -1).join(', ')} and ${counts.at(-1)}`;
}
