/** @file Where a profiler is told of what happens: one question where a module is called and where a node of the graph runs, none anywhere else. */

/** What a span of time was spent on. */
export type SpanKind = 'user' | 'module' | 'backward' | 'node' | 'kernel' | 'transfer';

/** Who is told. */
export interface Observer {
  /** Opens a span within the one that is open. `subject`: the module or the node. */
  enter(kind: SpanKind, name: string, subject?: unknown): void;
  exit(result?: unknown): void;
}

/** The profiler that runs; null nearly always. */
export const observing: { current: Observer | null } = { current: null };

/** Runs `fn` as a span, until its promise is settled if it gives one. Called only while somebody observes. */
export function observed<T>(observer: Observer, kind: SpanKind, name: string, subject: unknown, fn: () => T): T {
  observer.enter(kind, name, subject);
  let result: T;
  try {
    result = fn();
  } catch (error) {
    observer.exit();
    throw error;
  }
  if (result instanceof Promise) {
    return result.then(
      (value: unknown) => {
        observer.exit(value);
        return value;
      },
      (error: unknown) => {
        observer.exit();
        throw error;
      },
    ) as T;
  }
  observer.exit(result);
  return result;
}

/**
 * Runs `fn` under a name that the profiler shows; without a profiler, just runs it. PyTorch: torch.profiler.record_function.
 * @example const loss = recordFunction('forward and loss', () => criterion(model(x), y));
 */
export function recordFunction<T>(name: string, fn: () => T): T {
  const observer = observing.current;
  return observer === null ? fn() : observed(observer, 'user', name, null, fn);
}
