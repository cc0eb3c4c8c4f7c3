/** @file Numbered entries, as Sequential, ModuleList and ParameterList keep them: named '0', '1', … in order. */
import { IndexError, STATE, type Module, type Parameter } from '@tessera/core';

type Entry = Module | Parameter;

/** The entries of a container, by name. */
export const entriesOf = <T extends Entry>(container: Module): Map<string, T> => container[STATE].entries as Map<string, T>;

/** Where in a list of `length` an index points, counted from the end when negative. @throws IndexError `ERR_INDEX_RANGE`. */
export function place(index: number, length: number): number {
  const at = index < 0 ? index + length : index;
  if (!Number.isInteger(at) || at < 0 || at >= length) throw new IndexError('ERR_INDEX_RANGE', `index ${index} is out of range`);
  return at;
}

/** The entry at an index. */
export function entryAt<T extends Entry>(container: Module, index: number): T {
  const values = [...entriesOf<T>(container).values()];
  return values[place(index, values.length)];
}

/** Puts another entry at an index; it keeps the name. */
export function replaceAt<T extends Entry>(container: Module, index: number, entry: T): void {
  const entries = entriesOf<T>(container);
  entries.set([...entries.keys()][place(index, entries.size)], entry);
}

/** Changes the list of entries, and numbers them anew. */
export function renumber<T extends Entry>(container: Module, change: (list: T[]) => void): void {
  const entries = entriesOf<T>(container);
  const list = [...entries.values()];
  change(list);
  entries.clear();
  for (const [i, entry] of list.entries()) entries.set(String(i), entry);
}

/** Adds an entry under the next number. */
export function push<T extends Entry>(container: Module, entry: T): void {
  const entries = entriesOf<T>(container);
  entries.set(String(entries.size), entry);
}
