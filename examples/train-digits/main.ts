/** @file Trains the CNN of the README on handwritten digits: `npm start`, with options after `--`. */
import { SingleBar } from 'cli-progress';
import { CommanderError } from 'commander';
import { loadPlugins, runtimes } from 'tessera';
import { parseOptions, pluginNames } from './options.js';
import { type Display, percent, run } from './run.js';

/** A bar in a terminal; a line an epoch elsewhere, so that logs stay readable. */
function display(epochs: number): Display {
  let bar: SingleBar | null = null;
  return {
    print: (text) => console.log(text),
    epochStarts(epoch, steps) {
      bar = new SingleBar({
        format: `epoch {epoch}/${epochs} [{bar}] {value}/{total}  loss {loss}  accuracy {accuracy}  {speed} images/s`,
        barsize: 24,
        hideCursor: true,
        stream: process.stdout,
      });
      bar.start(steps, 0, { epoch, loss: '-', accuracy: '-', speed: '-' });
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

try {
  const argv = process.argv.slice(2);
  for (const name of pluginNames(argv)) for (const plugin of await loadPlugins(name)) runtimes.current.use(plugin);
  const options = parseOptions(argv, runtimes.current.backendIds);
  await run(options, display(options.epochs));
} catch (error) {
  // What commander throws it has printed already.
  if (!(error instanceof CommanderError)) console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}
