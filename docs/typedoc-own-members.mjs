/** @file A plugin of typedoc: members that a class inherits stand on the page of the class that has them, and nowhere else; packages have their names. */
import { Converter, DeclarationReflection } from 'typedoc';

export function load(app) {
  // Options that a signature takes apart, `{ dim, keepdim = false }`, have no name of their own.
  app.converter.on(Converter.EVENT_CREATE_PARAMETER, (_, parameter) => {
    if (parameter.name === '__namedParameters') parameter.name = 'options';
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const reflection of Object.values(project.reflections))
      if (reflection instanceof DeclarationReflection && reflection.inheritedFrom !== undefined && reflection.name !== 'constructor')
        project.removeReflection(reflection);
    // `core/src`, after the folder of its sources, is the package `core`.
    for (const reflection of project.children ?? []) reflection.name = reflection.name.replace(/\/src$/, '');
  });
}
