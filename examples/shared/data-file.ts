/** @file Where the data of the examples lie. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The path of a file of data, of the digits if nothing else is said. The data lie beside the sources, one folder further up from the compiled programs.
 * @throws Error when it is not there.
 */
export function dataFile(name: string, folder = 'digits'): string {
  const found = ['../data/', '../../data/']
    .map((place) => fileURLToPath(new URL(`${place}${folder}/${name}`, import.meta.url)))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the data are missing: ${folder}/${name} is in none of the folders where it should be`);
  return found;
}
