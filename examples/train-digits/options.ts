/** @file The options of the training program, checked: a wrong one ends it with one line that names what is allowed. */
import { Command, InvalidArgumentError, Option } from 'commander';

export interface Options {
  device: string;
  epochs: number;
  batchSize: number;
  lr: number;
  optimizer: OptimizerName;
  seed: number;
  out: string;
  /** A model as data, in place of the CNN. */
  model?: string;
  plugin?: readonly string[];
  /** The result as JSON. */
  json?: true;
  /** Go on from a checkpoint: from this file, or that in this folder; true: that in `out`. */
  resume?: string | true;
  /** Names of the options that were given, rather than left at their defaults. */
  given?: readonly string[];
}

export const OPTIMIZERS = ['adam', 'adamw', 'sgd'] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

/** Where the schedule of the learning rate begins, if `--lr` says nothing else. */
export const LEARNING_RATES: Readonly<Record<OptimizerName, number>> = { adam: 0.004, adamw: 0.004, sgd: 0.05 };

const HELP = `
A checkpoint is saved after each epoch. Ctrl-C saves one first, and then ends the
program (exit code 130); a second Ctrl-C ends it at once. On the same device a run
that was stopped and resumed gives the losses of one that was not, bit for bit.`;

const whole =
  (low: number, high: number) =>
  (text: string): number => {
    const x = Number(text);
    if (text.trim() === '' || !Number.isInteger(x) || x < low || x > high)
      throw new InvalidArgumentError(`Allowed is a whole number from ${low} to ${high}.`);
    return x;
  };

function positive(text: string): number {
  const x = Number(text);
  if (text.trim() === '' || !(x > 0 && Number.isFinite(x))) throw new InvalidArgumentError('Allowed is a number above 0, such as 0.001.');
  return x;
}

const more = (name: string, before: readonly string[] = []): string[] => [...before, name];

/** The plugins that the command line and TESSERA_PLUGINS name: what they bring are choices of other options, so they are read first. */
export function pluginNames(argv: readonly string[]): string[] {
  const { plugin = [] } = new Command()
    .option('--plugin <name>', '', more)
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parse([...argv], { from: 'user' })
    .opts<{ plugin?: string[] }>();
  return [...(process.env['TESSERA_PLUGINS'] ?? '').split(',').flatMap((name) => name.trim() || []), ...plugin];
}

/**
 * Reads the command line.
 * @throws CommanderError after one line was printed: on a wrong option, and after the help (whose exitCode is 0).
 */
export function parseOptions(argv: readonly string[], devices: readonly string[]): Options {
  const program = new Command('train-digits')
    .description('Trains a convolutional network on handwritten digits, with Tessera.')
    .addOption(new Option('--device <id>', 'where to compute').choices(['auto', ...devices]).default('auto'))
    .option('--epochs <n>', 'passes over the training data', whole(1, 1000), 6)
    .option('--batch-size <n>', 'images in one step', whole(1, 1437), 32)
    .option('--lr <rate>', 'learning rate at the start; it falls along a cosine (default: 0.004, with sgd 0.05)', positive)
    .addOption(new Option('--optimizer <name>', 'how to descend').choices([...OPTIMIZERS]).default('adam'))
    .option('--seed <n>', 'of all random numbers', whole(0, 2 ** 32 - 1), 0)
    .option('--model <file>', 'a model as data (JSON, as nn.toConfig writes it), in place of the CNN')
    .option('--plugin <name>', 'a package or file that brings layers or devices; may be repeated', more)
    .option('--out <dir>', 'where to write the checkpoint, the weights and the loss curve', 'out/train-digits')
    .option('--resume [path]', 'go on from a checkpoint, with the options of its run: the one in --out, or in this file or folder')
    .option('--json', 'print the result as one JSON object; progress goes to standard error')
    .addHelpText('after', HELP)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replace(/\s*\n\s*/g, ' ')}\n`) });
  const options = program.parse([...argv], { from: 'user' }).opts<Omit<Options, 'lr'> & { lr?: number }>();
  const given = Object.keys(options).filter((name) => program.getOptionValueSource(name) === 'cli');
  return { ...options, lr: options.lr ?? LEARNING_RATES[options.optimizer], given };
}
