/** @file Pipelines of programs: found by the program's identity and a few letters more. */
import type { Program } from '@tessera/core/backend';
import type { Launcher, PipelineSource } from '../device/launcher.js';

export class ProgramTable {
  readonly #entries = new WeakMap<Program, Map<string, number>>();

  find(launcher: Launcher, program: Program, key: string, make: () => PipelineSource): number {
    let entry = this.#entries.get(program);
    if (entry === undefined) this.#entries.set(program, (entry = new Map()));
    let pipeline = entry.get(key);
    if (pipeline === undefined) entry.set(key, (pipeline = launcher.compile(make())));
    return pipeline;
  }
}
