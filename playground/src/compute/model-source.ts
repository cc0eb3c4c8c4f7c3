/** @file From a model's source, as JavaScript, to a module: what the editor's text becomes when it runs. */
import * as tessera from 'tessera';
import { isModule, type nn, runtimes, type Tensor } from 'tessera';

/** A model of the page: images (N, 1, 28, 28) in, scores (N, 10) out. */
export type ImageModel = nn.Module & ((x: Tensor) => Tensor | Promise<Tensor>);

/** What sources import as `playground`. */
const playground = {
  /** A layer that a plugin registered, by its name. */
  layer(name: string): unknown {
    const layers = runtimes.current.layers();
    const found = layers.get(name);
    if (found !== undefined) return found.module;
    const known = [...layers.keys()];
    throw new Error(
      `no plugin registered a layer '${name}'; ${known.length === 0 ? 'there is none yet: add a plugin first' : `there are: ${known.join(', ')}`}`,
    );
  },
};

function requireModule(name: string): unknown {
  if (name === 'tessera') return tessera;
  if (name === 'playground') return playground;
  throw new Error(`a model can import 'tessera' and 'playground', not '${name}'`);
}

const isModuleClass = (value: unknown): value is new () => ImageModel =>
  typeof value === 'function' && (value as { prototype?: unknown }).prototype instanceof tessera.nn.Module;

/**
 * Runs a source (a CommonJS module) and makes its model: the default export or else the last one, a class of module or a function that gives a module.
 * @throws Error when there is no model, and whatever the source throws.
 */
export function modelFromSource(javascript: string): ImageModel {
  const exported: Record<string, unknown> = {};
  // The person's own program, in a worker that holds nothing of anyone's.
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- to run what is typed is what the editor is for
  const run = new Function('require', 'exports', `${javascript}\n//# sourceURL=model.js`) as (
    require: (name: string) => unknown,
    exports: Record<string, unknown>,
  ) => void;
  run(requireModule, exported);
  const found = exported['default'] ?? Object.values(exported).findLast((value) => typeof value === 'function');
  if (found === undefined) throw new Error('the source exports no model: write `export class … extends nn.Module`');
  const model: unknown = isModuleClass(found)
    ? new found()
    : typeof found === 'function' && !isModule(found)
      ? (found as () => unknown)()
      : found;
  if (!isModule(model)) throw new Error('what the source exports is no nn.Module, no class of one, and no function that gives one');
  return model as ImageModel;
}
