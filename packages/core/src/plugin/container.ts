/** @file tsyringe's container in each runtime, with the polyfill that it needs loaded before it. Nothing else imports tsyringe. */
import './polyfill.js';
import { container } from 'tsyringe';
import { containers } from './value-container.js';

containers.make = () => container.createChildContainer();
