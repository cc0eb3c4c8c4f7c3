/** @file tsyringe reads Reflect metadata when it is loaded; this file is imported before it, and listed under sideEffects. */
import 'reflect-metadata/lite';
