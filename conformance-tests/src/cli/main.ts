/** @file The command line: runs the suite on one device after another, and prints what comes of it. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isTesseraError } from '@tessera/core';
import { CommanderError } from 'commander';
import { htmlOf } from '../report/html.js';
import { markdownOf } from '../report/markdown.js';
import { overviewLines } from '../report/overview.js';
import { type FailedCase, type Scorecard, type ScorecardRow, summaryOf } from '../report/scorecard.js';
import { shippedFixtures } from '../fixtures/index.js';
import { suitesOf } from '../levels.js';
import type { Progress, Selection } from '../run.js';
import { againstLines, compareBackends } from '../against/against.js';
import { mayContain, shownName, wrongOnly } from '../select.js';
import type { SubjectSource } from '../subject/start.js';
import { type Level, LEVELS } from '../suite.js';
import { type Arguments, type CliContext, parse, selectionOf } from './arguments.js';
import { type Place, placeOf, subjectOf } from './place.js';

export type { CliContext } from './arguments.js';

/** Runs the command. @returns the exit code: 0, 1 where a case failed, 2 for wrong arguments and devices that do not start. */
export async function main(argv: readonly string[], context: CliContext): Promise<number> {
  const print = context.write ?? ((line: string) => void process.stdout.write(`${line}\n`));
  const aside = context.writeAside ?? context.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  let given: Arguments;
  try {
    given = parse(argv, context, print, aside);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  const write = given.json === true ? aside : print;
  let place: Place;
  let selection: Selection;
  let other: SubjectSource | undefined;
  try {
    selection = await selectionOf(given);
    const wrong = await wrongNames(selection, given);
    if (wrong !== undefined) throw new Error(`error: --${wrong}${wrong.includes('Did you mean') ? '' : '; --list shows the names'}`);
    if (given.list) return await list(selection, print);
    if (given.against !== undefined) other = await subjectOf(given.against, given, context);
    if (given.report !== undefined) await mkdir(given.report, { recursive: true });
    place = await placeOf(given, context);
  } catch (error) {
    aside(lineOf(error));
    return 2;
  }
  try {
    if (other !== undefined) return await compareWith(other, place.devices, given, context, write);
    return await runIn(place, selection, given, context, { print, aside, write });
  } finally {
    await place.close();
  }
}

/** Where lines go: results, what is no result, and results again unless the JSON is alone there. */
interface Lines {
  readonly print: (line: string) => void;
  readonly aside: (line: string) => void;
  readonly write: (line: string) => void;
}

/** The suite on one device after another. @returns the exit code */
async function runIn(
  place: Place,
  selection: Selection,
  given: Arguments,
  context: CliContext,
  { print, aside, write }: Lines,
): Promise<number> {
  const cards: Scorecard[] = [];
  for (const device of place.devices) {
    const progress: Progress = {
      onFailure: (failure, { level }) => failureLines(failure, commandOf(given, context)(device, level, failure.id)).forEach(write),
      onRow: (row, done) => given.quiet || write(rowLine(row, done)),
    };
    let card: Scorecard;
    try {
      card = await place.run(device, selection, progress);
    } catch (error) {
      write(lineOf(startError(error)));
      return 2;
    }
    if (card.rows.length === 0) {
      aside(`error: --only '${given.only ?? ''}' fits no case: ids are printed where one fails, and a name alone runs all of its cases`);
      return 2;
    }
    if (given.only === undefined) overviewLines(card).forEach(write);
    if (place.devices.length > 1) write(`device ${card.device}: ${summaryOf(card)}`);
    cards.push(card);
  }
  await writeReports(cards, given, context);
  if (given.json === true) print(JSON.stringify(cards.length === 1 ? cards[0] : cards, null, 1));
  write(summaryOf(total(cards)));
  return cards.some(({ failed }) => failed > 0) ? 1 : 0;
}

/** What is wrong with `--only`, before anything is started. */
async function wrongNames(selection: Selection, { only, against }: Arguments): Promise<string | undefined> {
  if (only === undefined || against !== undefined) return undefined;
  const fixtures = selection.fixtures ?? shippedFixtures();
  return wrongOnly(only, await suitesOf(selection, fixtures), await suitesOf({ levels: LEVELS }, fixtures));
}

/** Prints the names that `--only` takes. */
async function list(selection: Selection, print: (line: string) => void): Promise<number> {
  for (const suite of await suitesOf(selection, selection.fixtures ?? shippedFixtures()))
    if (selection.only === undefined || mayContain(suite, selection.only)) print(`${suite.level.padEnd(11)} ${shownName(suite)}`);
  return 0;
}

/** Runs the same programs on each device and on another one. @returns the exit code */
async function compareWith(
  other: SubjectSource,
  devices: readonly string[],
  given: Arguments,
  context: CliContext,
  write: (line: string) => void,
): Promise<number> {
  let found = 0;
  let tried = 0;
  try {
    for (const device of devices) {
      const report = await compareBackends(await subjectOf(device, given, context), other, {
        ...(given.runs !== undefined && { runs: given.runs }),
        ...(given.seed !== undefined && { seed: given.seed }),
        onKind: (kind) => given.quiet || write(`… ${kind}`),
      });
      againstLines(report).forEach(write);
      found += report.disagreements.length;
      tried += report.tried;
    }
  } catch (error) {
    write(lineOf(startError(error)));
    return 2;
  }
  write(`${tried - found} passed, ${found} failed, 0 skipped`);
  return found > 0 ? 1 : 0;
}

/** Why a device or a browser does not start, for the person at the terminal; any other error is ours. */
function startError(error: unknown): Error {
  if (isTesseraError(error) && /^ERR_(DEVICE|PLUGIN|CONTRACT|BROWSER)/.test(error.code)) return error;
  throw error;
}

/** Of a browser that is not there or goes there are many causes: the code tells them apart. */
function lineOf(error: unknown): string {
  if (isTesseraError(error) && error.code.startsWith('ERR_BROWSER')) return error.toString();
  return error instanceof Error ? error.message : String(error);
}

/** The cases of all devices together. */
function total(cards: readonly Scorecard[]): Pick<Scorecard, 'passed' | 'failed' | 'skipped'> {
  const sum = (part: 'passed' | 'failed' | 'skipped'): number => cards.reduce((n, card) => n + card[part], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/** One scorecard as itself, several as a list. */
async function writeReports(cards: readonly Scorecard[], given: Arguments, context: CliContext): Promise<void> {
  const json = (): string => `${JSON.stringify(cards.length === 1 ? cards[0] : cards, null, 1)}\n`;
  const markdown = (): string => cards.map(markdownOf).join('\n');
  const html = (): string => htmlOf(cards, commandOf(given, context));
  if (typeof given.json === 'string') await writeFile(given.json, json());
  if (given.markdown !== undefined) await writeFile(given.markdown, markdown());
  if (given.html !== undefined) await writeFile(given.html, html());
  if (given.report === undefined) return;
  await writeFile(path.join(given.report, 'scorecard.json'), json());
  await writeFile(path.join(given.report, 'scorecard.md'), markdown());
  await writeFile(path.join(given.report, 'scorecard.html'), html());
}

function rowLine({ level, name, passed, failed, skipped, skips }: ScorecardRow, { done, of }: { done: number; of: number }): string {
  const [first] = skips;
  const why = first === undefined ? '' : ` (${first.reason}${skips.length > 1 ? `, and ${skips.length - 1} more reasons` : ''})`;
  const place = `${String(done).padStart(String(of).length)}/${of}`;
  return `${failed > 0 ? '✗' : passed > 0 ? '✓' : '-'} ${place} ${level} ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped${why}`;
}

/** The command that runs one case alone, as it was called. */
const commandOf =
  (given: Arguments, { program }: CliContext) =>
  (device: string, level: Level, id: string): string =>
    [
      program,
      `--device ${device}`,
      ...(given.plugin ? [`--plugin ${given.plugin}`] : []),
      ...given.option.map((option) => `--option ${option}`),
      ...(given.fixtures ? [`--fixtures ${given.fixtures}`] : []),
      ...(given.browser ? [`--browser${given.browser === true ? '' : ` ${given.browser}`}`] : []),
      `--just ${level}`,
      `--only '${id}'`,
    ].join(' ');

function failureLines({ id, stage, message, inputs, expected, got }: FailedCase, command: string): string[] {
  return [
    `✗ ${id} (${stage}): ${message}`,
    ...(inputs === undefined ? [] : [`    call      ${inputs}`]),
    ...(expected === undefined ? [] : [`    expected  ${expected}`]),
    ...(got === undefined ? [] : [`    got       ${got}`]),
    `    run it    ${command}`,
  ];
}
