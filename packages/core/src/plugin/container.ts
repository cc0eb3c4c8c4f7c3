/** @file The dependency injection container, with the polyfill that it needs loaded before it. Everything else imports tsyringe from here. */
import './polyfill.js';
import { container, type DependencyContainer } from 'tsyringe';

export type { DependencyContainer };
/** A value of its own, not tsyringe's passed on: Bun evaluates the source of a re-export before the import above it. */
export const rootContainer: DependencyContainer = container;
