/** @file Files in Node that are either as they were or as they should be, whatever happens in between. */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What {@link writeAtomically} asks of a file system: Node's own, unless a test puts faults in it. */
export interface FileSystem {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  open(path: string, flags: string): Promise<Pick<FileHandle, 'writeFile' | 'sync' | 'close'>>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
}
const nodeFiles: FileSystem = { mkdir, open, rename, rm };

let count = 0;

/** A file's contents, whole or piece by piece. */
export type Contents = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Writes a file under another name beside it, has the disk take it, and then gives it its own name: a crash at any moment, of the program or
 * of the machine, leaves the old contents or the new ones. Missing folders are made.
 */
export async function writeAtomically(path: string, contents: Contents, files: FileSystem = nodeFiles): Promise<void> {
  const folder = dirname(path);
  await files.mkdir(folder, { recursive: true });
  const beside = await writeBeside(path, contents, files);
  await files.rename(beside, path).catch((error: unknown) => removed([beside], files, error));
  await syncFolder(folder, files);
}

/**
 * Writes several files of one folder, which belong together, and takes others away: all are on disk under other names before the first gets its own.
 * The last is the one that makes them a set (an index): of several files it is taken away before the others are exchanged, so that a crash between
 * leaves no set, and never a mixture of two.
 */
export async function writeSet(
  folder: string,
  contents: readonly (readonly [name: string, contents: Contents])[],
  isStale: (name: string) => boolean,
  files: FileSystem = nodeFiles,
): Promise<void> {
  await files.mkdir(folder, { recursive: true });
  const moves: (readonly [from: string, to: string])[] = [];
  try {
    for (const [name, content] of contents) {
      const path = join(folder, name);
      // oxlint-disable-next-line no-await-in-loop -- one piece in memory at a time
      moves.push([await writeBeside(path, content, files), path]);
    }
    if (moves.length > 1) {
      await files.rm(moves.at(-1)![1], { force: true });
      await syncFolder(folder, files);
    }
    // oxlint-disable-next-line no-await-in-loop -- the last is the last
    for (const [from, to] of moves) await files.rename(from, to);
  } catch (error) {
    await removed(
      moves.map(([from]) => from),
      files,
      error,
    );
  }
  const kept = new Set(contents.map(([name]) => name));
  const stale = (await readdir(folder)).filter((name) => !kept.has(name) && isStale(name));
  await Promise.all(stale.map((name) => files.rm(join(folder, name), { force: true })));
  await syncFolder(folder, files);
}

/** Answers the name that the file has as yet. */
async function writeBeside(path: string, contents: Contents, files: FileSystem): Promise<string> {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.${++count}.tmp`);
  try {
    const file = await files.open(beside, 'wx');
    try {
      if (contents instanceof Uint8Array) await file.writeFile(contents);
      // Each goes on where the one before ended.
      else for await (const piece of contents) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await removed([beside], files, error);
  }
  return beside;
}

/** Takes away what was not finished. @throws the error that it did not finish for. */
async function removed(paths: readonly string[], files: FileSystem, error: unknown): Promise<never> {
  await Promise.all(paths.map((path) => files.rm(path, { force: true }).catch(() => {})));
  throw error;
}

/** The new name is on disk, too. Windows has no such thing. */
async function syncFolder(folder: string, files: FileSystem): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await files.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The whole file; undefined when there is none. */
export async function readWhole(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file to read pieces of. @throws NodeJS.ErrnoException where there is none. */
export async function openFile(path: string): Promise<FileHandle> {
  return open(path, 'r');
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory();
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A file in a folder. */
export const within = (folder: string, name: string): string => join(folder, name);

/** A file in the folder of another. */
export const besides = (path: string, name: string): string => join(dirname(path), name);
