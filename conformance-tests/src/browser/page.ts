/** @file The bundle's entry, in the page and in its worker: the page takes tasks from the command, and does them in the worker or by itself. */
import { type Modules, runTask } from './run-task.js';
import type { Answer, PageThread, Report, Task } from './task.js';

declare global {
  /** Bound by the command, in the page. */
  var tesseraReport: (report: Report) => void;
  /** Bound here, for the command to call. */
  var tesseraRun: (task: Task, thread: PageThread) => Promise<Answer>;
}

type FromWorker = { readonly ready: true } | { readonly report: Report } | { readonly answer: Answer };

/**
 * @param modules What the bundle holds.
 * @param bundle Its URL, which is the worker's too.
 */
export function start(modules: Modules, bundle: string): void {
  if (typeof document === 'undefined') serveWorker(modules);
  else
    globalThis.tesseraRun = (task, thread) =>
      thread === 'worker' ? inWorker(task, bundle) : runTask(task, modules, globalThis.tesseraReport);
}

/** In the worker: one task. */
function serveWorker(modules: Modules): void {
  const post = (message: FromWorker): void => globalThis.postMessage(message);
  globalThis.addEventListener('message', ({ data }: MessageEvent<Task>) => {
    void runTask(data, modules, (report) => post({ report })).then((answer) => post({ answer }));
  });
  // A module that awaits at its top level would miss a message that came before.
  post({ ready: true });
}

function inWorker(task: Task, bundle: string): Promise<Answer> {
  const worker = new Worker(bundle, { type: 'module', name: 'tessera-conformance' });
  return new Promise<Answer>((resolve) => {
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if ('ready' in data) worker.postMessage(task);
      else if ('report' in data) globalThis.tesseraReport(data.report);
      else resolve(data.answer);
    });
    worker.addEventListener('error', ({ message, filename, lineno }) => {
      const where = message === undefined ? 'it does not load' : `${message} (${filename}:${lineno})`;
      resolve({ error: { message: `the page's worker failed: ${where}` } });
    });
  });
}
