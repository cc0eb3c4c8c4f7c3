/** @file Whether operations are recorded. PyTorch: torch.no_grad, torch.enable_grad, torch.inference_mode. */
import { AutogradError } from '../errors.js';
import { checkOptions, type OptionNames } from '../options.js';

const DETECT_ANOMALY_OPTIONS: OptionNames<{ readonly checkNan?: boolean }> = { checkNan: true };

/** The state of the tape in this copy of core; JavaScript runs one synchronous piece of code at a time, so it needs no threads' copies. */
export const gradState = { enabled: true, inference: false };

function isThenable(x: unknown): boolean {
  return typeof x === 'object' && x !== null && typeof (x as { then?: unknown }).then === 'function';
}

function within<T>(name: string, enabled: boolean, inference: boolean, fn: () => T): T {
  if (typeof fn !== 'function')
    throw new AutogradError(
      'ERR_NO_FUNCTION',
      `${name} takes a function, ${name}(() => model(x)), and gives what that returns; setGradEnabled(false) switches until it is switched back`,
    );
  const was = gradState.enabled;
  const wasInference = gradState.inference;
  gradState.enabled = enabled;
  gradState.inference = inference;
  let result: T;
  try {
    result = fn();
  } finally {
    gradState.enabled = was;
    gradState.inference = wasInference;
  }
  if (isThenable(result)) {
    // The state was already restored when the function reached its first await: most of it would have run under the old one.
    void Promise.resolve(result).catch(() => {});
    throw new AutogradError(
      'ERR_ASYNC_SCOPE',
      `${name} takes a synchronous function: its effect would end at the first await. Wrap the synchronous parts, or use setGradEnabled(false) and restore it yourself.`,
    );
  }
  return result;
}

/** Runs `fn` without recording. PyTorch: torch.no_grad(). @throws AutogradError `ERR_ASYNC_SCOPE` for an async function. */
export const noGrad = <T>(fn: () => T): T => within('noGrad', false, gradState.inference, fn);
/** Runs `fn` with recording, inside `noGrad` too. PyTorch: torch.enable_grad(). */
export const enableGrad = <T>(fn: () => T): T => within('enableGrad', true, gradState.inference, fn);
/** Runs `fn` without recording; what it makes can never be part of a graph. PyTorch: torch.inference_mode(). */
export const inferenceMode = <T>(fn: () => T): T => within('inferenceMode', false, true, fn);
/** Is recording on? PyTorch: torch.is_grad_enabled(). */
export const isGradEnabled = (): boolean => gradState.enabled;
/** Switches recording on or off until it is switched again; answers what it was. PyTorch: torch.set_grad_enabled(). */
export function setGradEnabled(enabled: boolean): boolean {
  const was = gradState.enabled;
  gradState.enabled = enabled;
  return was;
}

/** Anomaly mode: nodes remember where they were made, and gradients are searched for NaN. */
export const anomaly = { on: false, checkNan: true };

/** Switches anomaly mode on or off. PyTorch: torch.autograd.set_detect_anomaly. */
export function setDetectAnomaly(on: boolean, options: { readonly checkNan?: boolean } = {}): void {
  checkOptions('setDetectAnomaly', options, DETECT_ANOMALY_OPTIONS);
  anomaly.on = on;
  anomaly.checkNan = options.checkNan ?? true;
}

/**
 * Runs `fn` in anomaly mode: an error in a backward names the forward call, and a NaN in a gradient is an error (on devices that can be read at
 * once). Slow; for finding faults. PyTorch: torch.autograd.detect_anomaly.
 * @example detectAnomaly(() => model(x).sum().backward())
 */
export function detectAnomaly<T>(fn: () => T, options: { readonly checkNan?: boolean } = {}): T {
  checkOptions('detectAnomaly', options, DETECT_ANOMALY_OPTIONS);
  const was = { ...anomaly };
  setDetectAnomaly(true, options);
  try {
    const result = fn();
    if (isThenable(result))
      throw new AutogradError(
        'ERR_ASYNC_SCOPE',
        'detectAnomaly takes a synchronous function: its effect would end at the first await. Use setDetectAnomaly(true).',
      );
    return result;
  } finally {
    Object.assign(anomaly, was);
  }
}
