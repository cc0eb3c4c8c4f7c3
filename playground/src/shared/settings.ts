/** @file What a person chooses before a training starts, as plain data: it crosses to the worker and is kept by the page. */

/** A model: one that the page brings, or a module written in the editor, as JavaScript. */
export type ModelChoice = { readonly kind: 'preset'; readonly id: string } | { readonly kind: 'source'; readonly javascript: string };

export type Schedule = 'constant' | 'cosine';

export interface OptimizerChoice {
  /** A class of `optim`. */
  readonly name: string;
  readonly options: Readonly<Record<string, number | boolean | readonly [number, number]>>;
  readonly schedule: Schedule;
}

export interface TrainingSettings {
  readonly device: string;
  readonly model: ModelChoice;
  readonly optimizer: OptimizerChoice;
  readonly batchSize: number;
  readonly seed: number;
}

/** A plugin: where its module is, or what it says. */
export type PluginSource = { readonly url: string } | { readonly name: string; readonly code: string };
