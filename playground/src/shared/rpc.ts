/** @file Calls between the page and its workers: requests with answers one way, events the other. */

/** An error as it crosses to the page: class instances do not survive the way. */
export interface RemoteError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

/** What a worker offers: functions of one argument. */
export type Api = { readonly [name: string]: (argument: never) => unknown };

type Argument<A extends Api, K extends keyof A> = Parameters<A[K]>[0];
type Answer<A extends Api, K extends keyof A> = Awaited<ReturnType<A[K]>>;

interface Port {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

type FromWorker =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: RemoteError }
  | { readonly event: string; readonly data: unknown };

/** An `Error` of the worker, thrown again in the page. */
export class CallError extends Error {
  readonly code: string | undefined;
  readonly remoteStack: string | undefined;

  constructor(error: RemoteError) {
    super(error.message);
    this.name = error.name;
    this.code = error.code;
    this.remoteStack = error.stack;
  }
}

/** The worker was ended by the page, and with it what it was asked for. */
export class StoppedError extends Error {}

export function remoteError(error: unknown): RemoteError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
  };
}

/** Answers the page's calls. In a worker. */
export function serve(api: Api): void {
  const port = globalThis as unknown as Port;
  port.addEventListener('message', (message) => {
    const { id, method, argument } = message.data as { id: number; method: string; argument: never };
    const answer = async (): Promise<void> => {
      try {
        port.postMessage({ id, answer: await api[method]!(argument) });
      } catch (error) {
        port.postMessage({ id, error: remoteError(error) });
      }
    };
    void answer();
  });
}

/** Tells the page something that it did not ask for. In a worker. */
export function emit(event: string, data: unknown): void {
  (globalThis as unknown as Port).postMessage({ event, data });
}

/** The page's end of a worker. */
export class WorkerClient<A extends Api> {
  #id = 0;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly #listeners = new Map<string, (data: never) => void>();
  #worker: Worker;
  #heardAt = 0;

  constructor(worker: Worker) {
    this.#worker = this.#hear(worker);
  }

  #hear(worker: Worker): Worker {
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    worker.addEventListener('error', (event) => {
      this.#fail(new Error(event.message));
      this.#listeners.get('error')?.(event.message as never);
    });
    return worker;
  }

  get worker(): Worker {
    return this.#worker;
  }

  /** For how many ms the worker has been silent. */
  get silence(): number {
    return performance.now() - this.#heardAt;
  }

  /** Are there calls that it has not answered? */
  get owes(): boolean {
    return this.#waiting.size > 0;
  }

  call<K extends keyof A & string>(method: K, argument: Argument<A, K>): Promise<Answer<A, K>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#id;
      if (!this.owes) this.#heardAt = performance.now();
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, argument });
    });
  }

  /** `error` is told of errors that no call asked for. */
  on<T>(event: string, listener: (data: T) => void): void {
    this.#listeners.set(event, listener);
  }

  /** Ends the worker, whatever it does; calls that wait are rejected with a {@link StoppedError}. */
  terminate(): void {
    this.#worker.terminate();
    this.#fail(new StoppedError('stopped'));
  }

  /** Ends the worker, and goes on with another. */
  replace(worker: Worker): void {
    this.terminate();
    this.#worker = this.#hear(worker);
  }

  #receive(data: FromWorker): void {
    this.#heardAt = performance.now();
    if ('event' in data) return this.#listeners.get(data.event)?.(data.data as never);
    const waiting = this.#waiting.get(data.id);
    this.#waiting.delete(data.id);
    if ('error' in data) waiting?.reject(new CallError(data.error));
    else waiting?.resolve(data.answer as never);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
