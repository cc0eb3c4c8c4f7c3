/** @file Node's files, where there is Node: loaded when they are first wanted, so that pages have none of it. */
import { NotSupportedError } from '@tessera/core';

/**
 * @param name The function that needs them, for the message.
 * @param instead What to use where there are none.
 * @throws NotSupportedError ERR_NO_FILES outside Node.
 */
export async function nodeFiles(name: string, instead: string): Promise<typeof import('./files.node.js')> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (process?.versions?.node === undefined)
    throw new NotSupportedError('ERR_NO_FILES', `${name}: there are no files here; use ${instead}`);
  return import('./files.node.js');
}
