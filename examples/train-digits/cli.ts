/**
 * @file The command line of the training program: progress, results, and the exit code (0: done; 1: it failed; 2: asked for wrongly; 130 and 143:
 * ended by a signal, with a checkpoint saved).
 */
import { SingleBar } from 'cli-progress';
import { CommanderError } from 'commander';
import { loadPlugins, runtimes } from 'tessera';
import { Interrupted } from './checkpoint.js';
import type { Interrupt } from './interrupt.js';
import { parseOptions, pluginNames } from './options.js';
import { type Display, percent, run } from './run.js';

type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean };

export interface Streams {
  readonly out: Stream;
  readonly error: Stream;
}

/** A bar in a terminal; a line an epoch elsewhere, so that logs stay readable. */
function makeDisplay(stream: Stream): Display & { end(): void } {
  const print = (text: string): void => void stream.write(`${text}\n`);
  let bar: SingleBar | null = null;
  let epochs = 0;
  return {
    /** Gives the terminal its cursor back, however the run ended. */
    end: () => bar?.stop(),
    print,
    epochStarts({ epoch, steps, done, ...more }) {
      ({ epochs } = more);
      bar = new SingleBar({
        format: `epoch {epoch}/${epochs} [{bar}] {value}/{total}  loss {loss}  accuracy {accuracy}  {speed} images/s`,
        barsize: 24,
        hideCursor: true,
        stream,
      });
      bar.start(steps, done, { epoch, loss: '-', accuracy: '-', speed: '-' });
    },
    step: (p) =>
      bar?.increment(1, { epoch: p.epoch, loss: p.loss.toFixed(4), accuracy: percent(p.accuracy), speed: p.imagesPerSecond.toFixed(0) }),
    epochEnds(epoch, meanLoss, last) {
      bar?.stop();
      if (stream.isTTY !== true)
        print(
          `epoch ${epoch}/${epochs}  loss ${meanLoss.toFixed(4)}  accuracy ${percent(last.accuracy)}  ${last.imagesPerSecond.toFixed(0)} images/s`,
        );
    },
  };
}

/**
 * @param listen Listens to signals; what it is given is called before the program ends at once.
 * @returns the exit code. With `--json` the result is one object on `out`, and all else goes to `error`.
 */
export async function main(
  argv: readonly string[],
  { out, error: errors }: Streams,
  listen?: (atOnce: () => void) => Interrupt,
): Promise<number> {
  const display = makeDisplay(argv.includes('--json') ? errors : out);
  const interrupt = listen?.(() => display.end());
  try {
    for (const name of pluginNames(argv)) for (const plugin of await loadPlugins(name)) runtimes.current.use(plugin);
    const options = parseOptions(argv, runtimes.current.backendIds);
    const start = performance.now();
    const outcome = await run(options, display, interrupt?.signal);
    const seconds = Number(((performance.now() - start) / 1000).toFixed(2));
    if (options.json) out.write(`${JSON.stringify({ ...outcome, steps: outcome.losses.length, seconds })}\n`);
    return 0;
  } catch (error) {
    display.end();
    if (error instanceof Interrupted) {
      display.print(`Interrupted: ${error.message}. Saved: ${error.file}\nGo on with: npm start -- --resume ${error.file}`);
      return interrupt?.exitCode ?? 1;
    }
    // What commander throws it has printed already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    errors.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
