/** @file Trains the CNN of the README on handwritten digits: `npm start`, with options after `--`. */
import { SingleBar } from 'cli-progress';
import { CommanderError } from 'commander';
import { loadPlugins, runtimes } from 'tessera';
import { Interrupted } from './checkpoint.js';
import { listenForInterrupt } from './interrupt.js';
import { parseOptions, pluginNames } from './options.js';
import { type Display, percent, run } from './run.js';

/** A bar in a terminal; a line an epoch elsewhere, so that logs stay readable. */
function makeDisplay(): Display & { end(): void } {
  let bar: SingleBar | null = null;
  let epochs = 0;
  return {
    /** Gives the terminal its cursor back, however the run ended. */
    end: () => bar?.stop(),
    print: (text) => console.log(text),
    epochStarts({ epoch, steps, done, ...more }) {
      ({ epochs } = more);
      bar = new SingleBar({
        format: `epoch {epoch}/${epochs} [{bar}] {value}/{total}  loss {loss}  accuracy {accuracy}  {speed} images/s`,
        barsize: 24,
        hideCursor: true,
        stream: process.stdout,
      });
      bar.start(steps, done, { epoch, loss: '-', accuracy: '-', speed: '-' });
    },
    step: (p) =>
      bar?.increment(1, { epoch: p.epoch, loss: p.loss.toFixed(4), accuracy: percent(p.accuracy), speed: p.imagesPerSecond.toFixed(0) }),
    epochEnds(epoch, meanLoss, last) {
      bar?.stop();
      if (!process.stdout.isTTY)
        console.log(
          `epoch ${epoch}/${epochs}  loss ${meanLoss.toFixed(4)}  accuracy ${percent(last.accuracy)}  ${last.imagesPerSecond.toFixed(0)} images/s`,
        );
    },
  };
}

const argv = process.argv.slice(2);
const display = makeDisplay();
const interrupt = listenForInterrupt(() => display.end());
try {
  for (const name of pluginNames(argv)) for (const plugin of await loadPlugins(name)) runtimes.current.use(plugin);
  const options = parseOptions(argv, runtimes.current.backendIds);
  await run(options, display, interrupt.signal);
} catch (error) {
  display.end();
  if (error instanceof Interrupted) {
    console.log(`Interrupted: ${error.message}. Saved: ${error.file}\nGo on with: npm start -- --resume ${error.file}`);
    process.exitCode = interrupt.exitCode;
  } else {
    // What commander throws it has printed already.
    if (!(error instanceof CommanderError)) console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
  }
}
