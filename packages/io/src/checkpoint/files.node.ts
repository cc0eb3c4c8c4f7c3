/** @file Files in Node that are either as they were or as they should be, whatever happens in between. */
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
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

/**
 * Writes a file under another name beside it, has the disk take it, and then gives it its own name: a crash at any moment, of the program or
 * of the machine, leaves the old contents or the new ones. Missing folders are made.
 */
export async function writeAtomically(path: string, bytes: Uint8Array, files: FileSystem = nodeFiles): Promise<void> {
  const folder = dirname(path);
  await files.mkdir(folder, { recursive: true });
  const beside = join(folder, `.${basename(path)}.${process.pid}.${++count}.tmp`);
  try {
    const file = await files.open(beside, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(beside, path);
  } catch (error) {
    await files.rm(beside, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(folder, files);
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
