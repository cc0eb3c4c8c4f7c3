/** @file The options of the command line. */
import type { Plugin } from '@tessera/core';
import { Command, InvalidArgumentError, Option } from 'commander';
import { directoryFiles, type FixtureKind, type FixtureSource, fixtureSource } from '../fixtures/index.js';
import type { PageThread } from '../browser/task.js';
import type { Selection } from '../run.js';
import { type Level, LEVELS } from '../suite.js';
import { DEVICES } from '../subject/plugins.js';

export interface Arguments {
  /** Empty: those that the plugin brings, or cpu. */
  readonly device: readonly string[];
  readonly plugin?: string;
  readonly option: readonly string[];
  readonly level?: Level;
  readonly just?: Level;
  readonly only?: string;
  readonly list?: true;
  readonly sample?: true;
  readonly fixtures?: string;
  /** In Chromium; true is the worker. */
  readonly browser?: PageThread | true;
  /** A file; true for the terminal. */
  readonly json?: string | true;
  readonly markdown?: string;
  readonly html?: string;
  readonly report?: string;
  readonly quiet?: true;
  readonly against?: string;
  readonly runs?: number;
  readonly seed?: number;
}

/** Where the command was called from, for the lines that it prints. */
export interface CliContext {
  /** How it is called, such as `npm run conformance --`. */
  readonly program: string;
  readonly write?: (line: string) => void;
  /** What is no result: with `--json`, all but the JSON. */
  readonly writeAside?: (line: string) => void;
  /** Devices besides those that have a package. */
  readonly plugins?: Readonly<Record<string, Plugin>>;
}

/** @throws CommanderError */
export function parse(
  argv: readonly string[],
  { program }: CliContext,
  print: (line: string) => void,
  aside: (line: string) => void,
): Arguments {
  const level = (name: string): Level => {
    if (!(LEVELS as readonly string[]).includes(name)) throw new InvalidArgumentError(`It must be ${LEVELS.join(', ')}.`);
    return name as Level;
  };
  const whole = (text: string): number => {
    if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
    return Number(text);
  };
  const jsonFile = (text: string): string => {
    // An argument after a bare --json is the backend to test, and no file to write over.
    if (!text.endsWith('.json')) throw new InvalidArgumentError('It must end in .json; what is to be tested comes before it.');
    return text;
  };
  const thread = (text: string): PageThread => {
    if (text !== 'worker' && text !== 'page')
      throw new InvalidArgumentError('It must be worker or page; what is to be tested comes before it.');
    return text;
  };
  const list = (text: string, before: readonly string[] | undefined): string[] => [
    ...(before ?? []),
    ...text.split(',').map((id) => id.trim()),
  ];
  const option = (text: string, before: readonly string[] | undefined): string[] => {
    if (!/^\w+=/.test(text)) throw new InvalidArgumentError('It must be name=value.');
    return [...(before ?? []), text];
  };
  const command = new Command(program)
    .description('Runs the conformance suite of Tessera on one or more devices.')
    .argument('[backend]', 'the same as --plugin: a file or package with a backend, all of whose devices are run')
    .addOption(
      new Option(
        '--device <ids>',
        `devices, separated by commas: ${DEVICES.join(', ')}, or a plugin’s (default: what the plugin brings, or cpu)`,
      ).argParser(list),
    )
    .option('--plugin <name>', 'a package or file that exports the plugin of devices that are not ours')
    .addOption(new Option('--option <name=value>', 'an option of the backend, such as threads=1; may be repeated').argParser(option))
    .addOption(new Option('--level <level>', `run up to this level: ${LEVELS.join(', ')}`).argParser(level))
    .addOption(new Option('--just <level>', 'run this level alone').argParser(level).conflicts('level'))
    .option(
      '--only <names>',
      'what has these words in its name (softmax, nn.Softmax), one name alone (softmax/), a part (add/sample), one case (add/sample/0), or what fits add*',
    )
    .option('--list', 'print the names of what would be run, and run nothing')
    .option('--sample', 'of each op and layer the first case of each kind, in place of all')
    .option('--fixtures <dir>', 'reference data of one’s own, as fixtures/FORMAT.md says, plain or gzipped')
    .addOption(
      new Option(
        '--browser [thread]',
        'in Chromium and not in Node: in a worker of a page, or (page) on its main thread; CHROMIUM_PATH and CHROMIUM_FLAGS say which Chromium, and how',
      ).argParser(thread),
    )
    .addOption(
      new Option('--json [file]', 'write the scorecard as JSON; without a file print it, and all else to stderr').argParser(jsonFile),
    )
    .option('--markdown <file>', 'write the scorecard as Markdown')
    .option('--html <file>', 'write the scorecard as one HTML page')
    .option('--report <dir>', 'write all three to a directory')
    .addOption(
      new Option(
        '--against <id>',
        'in place of the suite: run random programs, views, models and trainings here and on another device',
      ).conflicts(['level', 'just', 'only', 'list', 'sample', 'fixtures', 'browser', 'json', 'markdown', 'html', 'report']),
    )
    .addOption(new Option('--runs <n>', 'with --against: how many of each kind (default: 100)').argParser(whole))
    .addOption(new Option('--seed <n>', 'with --against: of the random programs').argParser(whole))
    .option('--quiet', 'print failures and the last lines only')
    .allowExcessArguments(false)
    .configureOutput({ writeOut: (text) => print(text.trimEnd()), writeErr: (text) => aside(text.trim().replaceAll('\n', ' ')) })
    .exitOverride();
  const given = command.parse(argv, { from: 'user' }).opts<Partial<Arguments>>();
  if (given.against === undefined && (given.runs !== undefined || given.seed !== undefined))
    command.error('error: --runs and --seed go with --against');
  const plugin = given.plugin ?? command.args[0];
  return { ...given, ...(plugin !== undefined && { plugin }), device: given.device ?? [], option: given.option ?? [] };
}

/** What is run, on whatever device. @throws Error with one line for the person at the terminal */
export async function selectionOf({ level, just, only, sample, fixtures }: Arguments): Promise<Selection> {
  return {
    ...(level && { level }),
    ...(just && { levels: [just] }),
    ...(only !== undefined && { only }),
    ...(sample && { sample }),
    ...(fixtures !== undefined && { fixtures: await fixturesIn(fixtures) }),
  };
}

/** The options of the backend; undefined without any. */
export const backendOptionsOf = ({ option }: Arguments): Readonly<Record<string, unknown>> | undefined =>
  option.length > 0 ? Object.fromEntries(option.map(nameAndValue)) : undefined;

const KINDS: readonly FixtureKind[] = ['ops', 'modules', 'optim', 'extra_ops', 'seed_examples'];

/** The set in a folder, which must have something of a set. @throws Error */
async function fixturesIn(folder: string): Promise<FixtureSource> {
  const source = fixtureSource(directoryFiles(folder));
  for (const kind of KINDS) if ((await source.list(kind)).length > 0) return source;
  throw new Error(`error: --fixtures ${folder}: there are no fixtures, which would be in folders ${KINDS.join(', ')} there`);
}

/** `threads=4` as a number, `pinned=true` as a boolean, all else as text. */
function nameAndValue(text: string): [name: string, value: unknown] {
  const [, name, value] = /^(\w+)=(.*)$/s.exec(text)!;
  if (value === 'true' || value === 'false') return [name, value === 'true'];
  return [name, value !== '' && Number.isFinite(Number(value)) ? Number(value) : value];
}
