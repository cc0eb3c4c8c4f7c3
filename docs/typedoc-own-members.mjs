/** @file A plugin of typedoc: members that a class inherits stand on the page of the class that has them, and nowhere else. */
import { Converter, DeclarationReflection } from 'typedoc';

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const reflection of Object.values(project.reflections))
      if (reflection instanceof DeclarationReflection && reflection.inheritedFrom !== undefined && reflection.name !== 'constructor')
        project.removeReflection(reflection);
  });
}
