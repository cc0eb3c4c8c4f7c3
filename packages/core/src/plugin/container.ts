/** @file The dependency injection container, with the polyfill that it needs loaded before it. Everything else imports tsyringe from here. */
import './polyfill.js';

export { container as rootContainer, type DependencyContainer } from 'tsyringe';
