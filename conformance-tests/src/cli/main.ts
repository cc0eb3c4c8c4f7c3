/** @file The command line: runs the suite on one device after another, and prints what comes of it. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isTesseraError } from '@tessera/core';
import { CommanderError } from 'commander';
import { htmlOf } from '../report/html.js';
import { markdownOf } from '../report/markdown.js';
import { overviewLines } from '../report/overview.js';
import { type FailedCase, type Scorecard, type ScorecardRow, summaryOf } from '../report/scorecard.js';
import { type ConformanceOptions, runConformance } from '../run.js';
import { againstLines, compareBackends } from '../against/against.js';
import type { SubjectSource } from '../subject/start.js';
import type { Level } from '../suite.js';
import { type Arguments, type CliContext, devicesOf, optionsFor, parse } from './arguments.js';

export type { CliContext } from './arguments.js';

/** Runs the command. @returns the exit code: 0, 1 where a case failed, 2 for wrong arguments. */
export async function main(argv: readonly string[], context: CliContext): Promise<number> {
  const write = context.write ?? ((line: string) => process.stdout.write(`${line}\n`));
  let given: Arguments;
  try {
    given = parse(argv, context, write);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  const runs = [];
  try {
    for (const device of await devicesOf(given)) runs.push(await optionsFor(device, given, context));
  } catch (error) {
    write(error instanceof Error ? error.message : String(error));
    return 2;
  }
  if (given.against !== undefined) return compareWith(given.against, runs, given, context, write);
  const cards: Scorecard[] = [];
  for (const options of runs) {
    const card = await scorecardOf(
      {
        ...options,
        onFailure: (failure, { level }) =>
          failureLines(failure, commandOf(given, context)(options.device, level, failure.id)).forEach(write),
        onRow: (row) => given.quiet || write(rowLine(row)),
      },
      write,
    );
    if (card === null) return 2;
    if (card.rows.length === 0)
      write(`nothing fits --only '${given.only ?? ''}': it is an op, a module, …, an id or the beginning of one, or has * in it`);
    else if (given.only === undefined) overviewLines(card).forEach(write);
    if (runs.length > 1) write(`device ${card.device}: ${summaryOf(card)}`);
    cards.push(card);
  }
  await writeReports(cards, given, context);
  write(summaryOf(total(cards)));
  return cards.some(({ failed, rows }) => failed > 0 || rows.length === 0) ? 1 : 0;
}

/** Runs the same programs on each device and on another one. @returns the exit code */
async function compareWith(
  against: string,
  runs: readonly (SubjectSource & { readonly device: string })[],
  given: Arguments,
  context: CliContext,
  write: (line: string) => void,
): Promise<number> {
  let found = 0;
  let tried = 0;
  try {
    const other = await optionsFor(against, given, context);
    for (const one of runs) {
      const report = await compareBackends(one, other, {
        ...(given.runs !== undefined && { runs: given.runs }),
        ...(given.seed !== undefined && { seed: given.seed }),
        onKind: (kind) => given.quiet || write(`… ${kind}`),
      });
      againstLines(report).forEach(write);
      found += report.disagreements.length;
      tried += report.tried;
    }
  } catch (error) {
    write(startError(error).message);
    return 2;
  }
  write(`${tried - found} passed, ${found} failed, 0 skipped`);
  return found > 0 ? 1 : 0;
}

/** The scorecard of a device, or null where it does not start: then a line says why. */
async function scorecardOf(options: ConformanceOptions, write: (line: string) => void): Promise<Scorecard | null> {
  try {
    return await runConformance(options);
  } catch (error) {
    write(startError(error).message);
    return null;
  }
}

/** Why a device does not start, for the person at the terminal; any other error is ours. */
function startError(error: unknown): Error {
  if (isTesseraError(error) && /^ERR_(DEVICE|PLUGIN|CONTRACT)/.test(error.code)) return error;
  throw error;
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
  if (given.json !== undefined) await writeFile(given.json, json());
  if (given.markdown !== undefined) await writeFile(given.markdown, markdown());
  if (given.html !== undefined) await writeFile(given.html, html());
  if (given.report === undefined) return;
  await mkdir(given.report, { recursive: true });
  await writeFile(path.join(given.report, 'scorecard.json'), json());
  await writeFile(path.join(given.report, 'scorecard.md'), markdown());
  await writeFile(path.join(given.report, 'scorecard.html'), html());
}

function rowLine({ level, name, passed, failed, skipped, skips }: ScorecardRow): string {
  const [first] = skips;
  const why = first === undefined ? '' : ` (${first.reason}${skips.length > 1 ? `, and ${skips.length - 1} more reasons` : ''})`;
  return `${failed > 0 ? '✗' : passed > 0 ? '✓' : '-'} ${level} ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped${why}`;
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
