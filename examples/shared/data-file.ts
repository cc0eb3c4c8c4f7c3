/** @file Where the data of the examples lie. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The path of a file of the digits. The data lie beside the sources, one folder further up from the compiled programs.
 * @throws Error when it is not there.
 */
export function dataFile(name: string): string {
  const found = ['../data/digits/', '../../data/digits/']
    .map((folder) => fileURLToPath(new URL(folder + name, import.meta.url)))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the digits are missing: ${name} is in none of the folders where it should be`);
  return found;
}
