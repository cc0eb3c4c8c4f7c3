/** @file What the small training programs take on their command lines. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { runtimes } from 'tessera';

export interface TrainingOptions {
  readonly device: string;
  readonly steps: number;
  readonly lr: number;
  readonly seed: number;
}

/** Where a training tells how it goes. */
export type Report = (step: number, loss: number) => void;

const number =
  (allowed: (x: number) => boolean, what: string) =>
  (text: string): number => {
    const x = Number(text);
    if (text.trim() === '' || !allowed(x)) throw new InvalidArgumentError(`Allowed is ${what}.`);
    return x;
  };

/** Reads `--device`, `--steps`, `--lr` and `--seed`. */
export async function trainingOptions(
  program: string,
  about: string,
  defaults: { readonly steps: number; readonly lr: number },
): Promise<TrainingOptions> {
  const devices = (await runtimes.current.backends()).map((b) => b.id);
  return new Command(program)
    .description(about)
    .addOption(new Option('--device <id>', 'where to compute').choices(['auto', ...devices]).default('auto'))
    .option(
      '--steps <n>',
      'steps of training',
      number((x) => Number.isInteger(x) && x > 0, 'a whole number above 0'),
      defaults.steps,
    )
    .option(
      '--lr <rate>',
      'learning rate',
      number((x) => x > 0, 'a number above 0'),
      defaults.lr,
    )
    .option(
      '--seed <n>',
      'of all random numbers',
      number((x) => Number.isInteger(x) && x >= 0, 'a whole number'),
      0,
    )
    .parse()
    .opts<TrainingOptions>();
}

/** Prints every tenth of a training. */
export const printed =
  (steps: number): Report =>
  (step, loss) => {
    if (step === 1 || step === steps || step % Math.max(1, Math.round(steps / 10)) === 0)
      console.log(`step ${step}/${steps}  loss ${loss.toFixed(4)}`);
  };
