/** @file The suite for a test runner of the caller's choice: `conform`. */
import { ValueError } from '@tessera/core';
import { shippedFixtures } from './fixtures/index.js';
import { suitesOf } from './levels.js';
import type { FailedCase } from './report/scorecard.js';
import type { Selection } from './run.js';
import { runSuite } from './run-suite.js';
import { mayContain, wantedBy, wrongOnly } from './select.js';
import { type SubjectSource, withSubject } from './subject/start.js';
import { LEVELS, type Level, type Suite } from './suite.js';

/** What the kit needs of a test runner: Vitest, Jest, Mocha, node:test and others have these two. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

export type ConformOptions = SubjectSource & Selection & { readonly test: TestRunner };

/**
 * Declares the suite as tests: one for each kernel, op, layer, optimizer and model, with all of its cases. A test fails with a report of the
 * cases that failed; what is not supported passes, and is listed on the scorecard of `runConformance`.
 *
 * @returns when all tests are declared: await it at the top level of the test file.
 * @throws ValueError `ERR_CONFORMANCE_ONLY` where `only` names something that there is not, and what was probably meant.
 * @example
 * import { describe, it } from 'vitest';
 * await conform({ name: 'my-backend', create: () => new MyBackend(), test: { describe, it }, level: 'training' });
 */
export async function conform(options: ConformOptions): Promise<void> {
  const { test, only, name = nameOf(options), fixtures = shippedFixtures() } = options;
  const all = await suitesOf(options, fixtures);
  // A name that nothing has would be a run without tests, which passes.
  const wrong = only === undefined ? undefined : wrongOnly(only, all, all);
  if (wrong !== undefined) throw new ValueError('ERR_CONFORMANCE_ONLY', `conform: ${wrong}`);
  const suites = all.filter((suite) => only === undefined || mayContain(suite, only));
  test.describe(`conformance of ${name}`, () => {
    for (const level of LEVELS.filter((one) => suites.some((suite) => suite.level === one))) {
      test.describe(level, () => declare(level, suites, options));
    }
  });
}

function declare(level: Level, suites: readonly Suite[], options: ConformOptions): void {
  for (const suite of suites) {
    if (suite.level !== level) continue;
    options.test.it(suite.name, async () => {
      const failures = await failuresOf(suite, options);
      if (failures.length > 0) throw new Error(report(failures, options));
    });
  }
}

/** Each test has a device of its own: runners may run some of them, in any order. */
async function failuresOf(suite: Suite, options: ConformOptions): Promise<FailedCase[]> {
  const { only, sample = false } = options;
  return withSubject(options, options.name, async (subject) => {
    const failures: FailedCase[] = [];
    for await (const result of runSuite(suite, subject, wantedBy(suite, only, sample))) {
      if (result.status === 'failed') failures.push({ id: result.id, ...result.failure });
    }
    return failures;
  });
}

function report(failures: readonly FailedCase[], options: ConformOptions): string {
  const lines = failures.flatMap(({ id, stage, message, inputs, expected, got }) => [
    `${id} (${stage}): ${message}`,
    ...(inputs === undefined ? [] : [`    call      ${inputs}`]),
    ...(expected === undefined ? [] : [`    expected  ${expected}`]),
    ...(got === undefined ? [] : [`    got       ${got}`]),
    `    alone     conform({ …, only: '${id}' })`,
  ]);
  return `${failures.length} case${failures.length === 1 ? '' : 's'} failed on ${nameOf(options)}\n${lines.join('\n')}`;
}

function nameOf(options: SubjectSource & { readonly name?: string }): string {
  if (options.name !== undefined) return options.name;
  if ('backend' in options) return options.backend.id;
  return 'plugin' in options ? (options.device ?? options.plugin.name) : 'the backend';
}
