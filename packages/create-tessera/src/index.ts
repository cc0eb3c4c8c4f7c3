/** @file Makes a project with Tessera from a template. */
export { createProject, ProjectError, type ProjectOptions, templates } from './create.node.js';
