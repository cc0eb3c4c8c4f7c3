/** @file Ctrl-C: the first asks the run to stop, a second ends the program at once. */

/** What a shell expects of a program that a signal ended: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** One Ctrl-C may come twice: from the terminal, and from npm, which hands it on. */
const SAME_MS = 250;

export interface Interrupt {
  /** Aborted when the program was asked to stop. */
  readonly signal: AbortSignal;
  /** For {@link process.exitCode}, once it was. */
  exitCode: number;
}

/**
 * Listens to SIGINT and SIGTERM.
 * @param atOnce Called before the program is ended by a second one.
 * @param sameMs Within so many ms, two are one.
 */
export function listenForInterrupt(atOnce: () => void, sameMs = SAME_MS): Interrupt {
  const controller = new AbortController();
  const interrupt: Interrupt = { signal: controller.signal, exitCode: 0 };
  let first = 0;
  for (const [name, code] of Object.entries(EXIT_CODES)) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        first = performance.now();
        interrupt.exitCode = code;
        controller.abort();
      } else if (performance.now() - first > sameMs) {
        atOnce();
        // oxlint-disable-next-line no-process-exit -- what was asked for
        process.exit(code);
      }
    });
  }
  return interrupt;
}
