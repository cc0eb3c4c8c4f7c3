/** @file The random numbers of code that names no generator. */
import { runtimes } from '../plugin/runtime.js';
import { Generator } from './generator.js';

/** That of the current runtime, made at its first use. */
export const defaultGenerator = (): Generator => runtimes.current.generatorBy(() => new Generator());
