/** @file The command line: which options there are, and what a run prints. */
import { writeFile } from 'node:fs/promises';
import type { Plugin } from '@tessera/core';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { directoryFiles, fixtureSource } from '../fixtures/index.js';
import { markdownOf } from '../report/markdown.js';
import { type FailedCase, type ScorecardRow, summaryOf } from '../report/scorecard.js';
import { type ConformanceOptions, runConformance } from '../run.js';
import { type Level, LEVELS } from '../suite.js';
import { DEVICES, pluginFor } from './devices.js';

interface Arguments {
  readonly device: string;
  readonly plugin?: string;
  readonly level?: Level;
  readonly just?: Level;
  readonly only?: string;
  readonly fixtures?: string;
  readonly json?: string;
  readonly markdown?: string;
  readonly quiet?: true;
}

/** Where the command was called from, for the lines that it prints. */
export interface CliContext {
  /** How it is called, such as `npm run conformance --`. */
  readonly program: string;
  readonly write?: (line: string) => void;
  /** Devices besides those that have a package. */
  readonly plugins?: Readonly<Record<string, Plugin>>;
}

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
  let options: ConformanceOptions;
  try {
    options = await optionsFor(given, context);
  } catch (error) {
    write(error instanceof Error ? error.message : String(error));
    return 2;
  }
  const card = await runConformance({
    ...options,
    onFailure: (failure, { level }) => failureLines(failure, level, given, context).forEach(write),
    onRow: (row) => given.quiet || write(rowLine(row)),
  });
  if (given.json !== undefined) await writeFile(given.json, `${JSON.stringify(card, null, 1)}\n`);
  if (given.markdown !== undefined) await writeFile(given.markdown, markdownOf(card));
  if (card.rows.length === 0)
    write(`nothing fits --only '${given.only ?? ''}': it is an op, a module, …, an id or the beginning of one, or has * in it`);
  write(summaryOf(card));
  return card.failed > 0 || card.rows.length === 0 ? 1 : 0;
}

function parse(argv: readonly string[], { program }: CliContext, write: (line: string) => void): Arguments {
  const level = (name: string): Level => {
    if (!(LEVELS as readonly string[]).includes(name)) throw new InvalidArgumentError(`It must be ${LEVELS.join(', ')}.`);
    return name as Level;
  };
  const command = new Command(program)
    .description('Runs the conformance suite of Tessera on a device.')
    .addOption(new Option('--device <id>', `the device: ${DEVICES.join(', ')}, or a plugin’s`).default('cpu'))
    .option('--plugin <name>', 'a package or file that exports the device’s plugin')
    .addOption(new Option('--level <level>', `run up to this level: ${LEVELS.join(', ')}`).argParser(level))
    .addOption(new Option('--just <level>', 'run this level alone').argParser(level).conflicts('level'))
    .option('--only <pattern>', 'run an op (add), a part (add/sample), one case (add/sample/0), or what fits add*')
    .option('--fixtures <dir>', 'reference data of one’s own, as fixtures/FORMAT.md says, plain or gzipped')
    .option('--json <file>', 'write the scorecard as JSON')
    .option('--markdown <file>', 'write the scorecard as Markdown')
    .option('--quiet', 'print failures and the last line only')
    .allowExcessArguments(false)
    .configureOutput({ writeOut: (text) => write(text.trimEnd()), writeErr: (text) => write(text.trim().replaceAll('\n', ' ')) })
    .exitOverride();
  return command.parse(argv, { from: 'user' }).opts<Arguments>();
}

async function optionsFor(
  { device, plugin, level, just, only, fixtures }: Arguments,
  { plugins }: CliContext,
): Promise<ConformanceOptions> {
  return {
    plugin: plugins?.[device] ?? (await pluginFor(device, plugin)),
    device,
    name: device,
    ...(level && { level }),
    ...(just && { levels: [just] }),
    ...(only !== undefined && { only }),
    ...(fixtures !== undefined && { fixtures: fixtureSource(directoryFiles(fixtures)) }),
  };
}

function rowLine({ level, name, passed, failed, skipped, skips }: ScorecardRow): string {
  const [first] = skips;
  const why = first === undefined ? '' : ` (${first.reason}${skips.length > 1 ? `, and ${skips.length - 1} more reasons` : ''})`;
  return `${failed > 0 ? '✗' : passed > 0 ? '✓' : '-'} ${level} ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped${why}`;
}

function failureLines(
  { id, stage, message, inputs, expected, got }: FailedCase,
  level: Level,
  given: Arguments,
  { program }: CliContext,
): string[] {
  const options = [
    `--device ${given.device}`,
    ...(given.plugin ? [`--plugin ${given.plugin}`] : []),
    ...(given.fixtures ? [`--fixtures ${given.fixtures}`] : []),
  ];
  return [
    `✗ ${id} (${stage}): ${message}`,
    ...(inputs === undefined ? [] : [`    call      ${inputs}`]),
    ...(expected === undefined ? [] : [`    expected  ${expected}`]),
    ...(got === undefined ? [] : [`    got       ${got}`]),
    `    run it    ${program} ${options.join(' ')} --just ${level} --only '${id}'`,
  ];
}
