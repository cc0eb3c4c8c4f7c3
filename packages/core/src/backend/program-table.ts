/** @file Compiled kernels by program and layout: an array by the program's id, a one-entry cache in front of a map by layout. */
import type { Program } from './program.js';

/** The compiled forms of one program. */
export class ProgramEntry<T> {
  /** The layout that was used last, and its kernel: tried before {@link find}. */
  key = -1;
  value: T | null = null;
  readonly #all = new Map<number, T>();

  constructor(readonly program: Program | null) {}

  find(key: number): T | null {
    const value = this.#all.get(key);
    if (value === undefined) return null;
    this.key = key;
    return (this.value = value);
  }

  remember(key: number, value: T): T {
    this.#all.set(key, value);
    this.key = key;
    this.value = value;
    return value;
  }
}

/**
 * What a backend made of programs: compiled once for each program and each layout of its views, where a layout is any number that the backend makes
 * of it (strides by class, ranks, dtypes).
 *
 * @example
 * const entry = table.entry(program);
 * const known = entry.key === key ? entry.value : entry.find(key);
 * const kernel = known ?? entry.remember(key, compile(program, layout));
 */
export class ProgramTable<T> {
  readonly #byId: ProgramEntry<T>[] = [];
  /** Programs of a second copy of core, whose ids are taken. */
  readonly #others = new WeakMap<Program, ProgramEntry<T>>();

  entry(program: Program): ProgramEntry<T> {
    const entry = this.#byId[program.id];
    return entry !== undefined && entry.program === program ? entry : this.#slow(program);
  }

  #slow(program: Program): ProgramEntry<T> {
    // Filled up one by one, so that the array stays one without holes.
    while (this.#byId.length <= program.id) this.#byId.push(new ProgramEntry<T>(null));
    if (this.#byId[program.id].program === null) return (this.#byId[program.id] = new ProgramEntry<T>(program));
    let entry = this.#others.get(program);
    if (entry === undefined) this.#others.set(program, (entry = new ProgramEntry<T>(program)));
    return entry;
  }
}
