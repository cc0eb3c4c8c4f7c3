/** @file Whole checkpoints: all that a training run needs to go on as if it had never stopped. */
import { checkOptions, type OptionNames, FormatError, type Generator, isTensor, type Tensor, ValueError } from '@tessera/core';
import { nodeFiles } from '../files/node-files.js';
import { loadTorch, type TorchLoadOptions, type TorchValue } from '../torch/load.js';
import { saveTorchAsync, type TorchSavable } from '../torch/save.js';

const TORCH_LOAD_OPTIONS: OptionNames<TorchLoadOptions> = { device: true, maxBytes: true };

/** Anything with a state: a module, an optimizer, a scheduler, a scaler. */
export interface Stateful {
  stateDict(): unknown;
  loadStateDict(state: never): unknown;
}

/**
 * The parts of a run, under names of one's own: things with a state, random generators, and plain values (numbers, texts, arrays and objects of
 * them, tensors), such as the epoch and the losses so far.
 */
export type CheckpointParts = Readonly<Record<string, Stateful | Generator | TorchSavable>>;

const isStateful = (part: unknown): part is Stateful =>
  ((typeof part === 'object' && part !== null) || typeof part === 'function') &&
  typeof (part as Partial<Stateful>).stateDict === 'function' &&
  typeof (part as Partial<Stateful>).loadStateDict === 'function';
const isGenerator = (part: unknown): part is Generator =>
  typeof part === 'object' &&
  part !== null &&
  typeof (part as Partial<Generator>).getState === 'function' &&
  typeof (part as Partial<Generator>).setState === 'function';

const savableOf = (part: CheckpointParts[string]): TorchSavable =>
  isStateful(part) ? (part.stateDict() as TorchSavable) : isGenerator(part) ? part.getState() : (part as TorchSavable);

/**
 * The bytes of a checkpoint, in PyTorch's form: `torch.load(file, weights_only=True)` reads it as a dict of state_dicts.
 * @throws FormatError ERR_TORCH_VALUE for a part that cannot be saved; ValueError ERR_CHECKPOINT_PARTS for a part that has no name.
 */
export async function checkpointBytes(parts: CheckpointParts): Promise<Uint8Array> {
  if (typeof parts !== 'object' || isStateful(parts))
    throw new ValueError('ERR_CHECKPOINT_PARTS', 'a checkpoint takes its parts by name: { model, optimizer, epoch }');
  return saveTorchAsync(Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, savableOf(part)])));
}

const INSTEAD = 'checkpointBytes and restoreCheckpoint';

/**
 * Saves a run to one file, so that a crash at any moment leaves the old checkpoint or the new one. Node only; elsewhere use {@link checkpointBytes}.
 *
 * @example await saveCheckpoint('run.pt', { model, optimizer, scheduler, generator: runtimes.current.generator, epoch, losses })
 * @throws FormatError ERR_TORCH_VALUE; ValueError ERR_CHECKPOINT_PARTS; NotSupportedError ERR_NO_FILES.
 */
export async function saveCheckpoint(path: string, parts: CheckpointParts): Promise<void> {
  if (typeof path !== 'string')
    throw new ValueError('ERR_CHECKPOINT_PARTS', "saveCheckpoint takes a path and then the parts: saveCheckpoint('run.pt', { model })");
  const files = await nodeFiles('saveCheckpoint', INSTEAD);
  await files.writeAtomically(path, await checkpointBytes(parts));
}

/**
 * Gives the parts of a run back the states that a checkpoint holds for them. When one does not fit, the error says which, and all parts are as
 * they were. Answers the whole contents, plain values among them.
 *
 * @throws FormatError ERR_CHECKPOINT_PART for a part that the file lacks; as {@link loadTorch}, and as the parts' own `loadStateDict`.
 * @example const { epoch } = restoreCheckpoint(bytes, { model, optimizer })
 */
export function restoreCheckpoint(
  bytes: Uint8Array,
  parts: Readonly<Record<string, Stateful | Generator>> = {},
  options: TorchLoadOptions = {},
): Readonly<Record<string, TorchValue>> {
  checkOptions('restoreCheckpoint', options, TORCH_LOAD_OPTIONS);
  const contents = loadTorch(bytes, options);
  if (
    typeof contents !== 'object' ||
    contents === null ||
    isTensor(contents) ||
    Array.isArray(contents) ||
    contents instanceof Uint8Array ||
    contents instanceof Map
  )
    throw new FormatError('ERR_CHECKPOINT', 'checkpoint: the file holds something other than a dict of parts');
  const found = contents as Readonly<Record<string, TorchValue>>;
  const missing = Object.keys(parts).filter((name) => !Object.hasOwn(found, name));
  if (missing.length > 0)
    throw new FormatError(
      'ERR_CHECKPOINT_PART',
      `checkpoint: it has no ${missing.join(', ')}; it has ${Object.keys(found).join(', ') || 'nothing'}`,
      { missing },
    );
  const undo: (() => void)[] = [];
  try {
    for (const [name, part] of Object.entries(parts)) {
      undo.push(restorer(part));
      restore(name, part, found[name]!);
    }
  } catch (error) {
    for (const back of undo.toReversed()) back();
    throw error;
  }
  return found;
}

function restore(name: string, part: Stateful | Generator, state: TorchValue): void {
  if (isStateful(part)) part.loadStateDict(state as never);
  else if (state instanceof Uint8Array) part.setState(state);
  else throw new FormatError('ERR_CHECKPOINT_PART', `checkpoint: ${name} is no state of a random generator`);
}

/** Takes a part back to what it is now. */
function restorer(part: Stateful | Generator): () => void {
  if (!isStateful(part)) {
    const state = part.getState();
    return () => void part.setState(state);
  }
  const state = copied(part.stateDict());
  return () => void part.loadStateDict(state as never);
}

function copied(value: unknown): unknown {
  if (isTensor(value)) return (value as Tensor).detach().clone();
  if (Array.isArray(value)) return value.map(copied);
  if (value instanceof Map) return new Map([...(value as ReadonlyMap<unknown, unknown>)].map(([key, item]) => [key, copied(item)]));
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copied(item)]));
  return value;
}

/**
 * {@link restoreCheckpoint} from a file. Answers undefined when there is no such file: a run that begins. Node only.
 *
 * @example const start = (await loadCheckpoint('run.pt', { model, optimizer }))?.epoch ?? 0
 */
export async function loadCheckpoint(
  path: string,
  parts: Readonly<Record<string, Stateful | Generator>> = {},
  options: TorchLoadOptions = {},
): Promise<Readonly<Record<string, TorchValue>> | undefined> {
  checkOptions('loadCheckpoint', options, TORCH_LOAD_OPTIONS);
  const files = await nodeFiles('loadCheckpoint', INSTEAD);
  const bytes = await files.readWhole(path);
  return bytes === undefined ? undefined : restoreCheckpoint(bytes, parts, options);
}
