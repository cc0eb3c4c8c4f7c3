/** @file A template, copied into a folder and given its name. */
import { cp, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tarballsBeside } from './tarballs.node.js';

const HOME = fileURLToPath(new URL('../', import.meta.url));

/** The templates, and what each makes. */
export const templates: Readonly<Record<string, string>> = {
  node: 'a program for Node: a model, a training loop, weights as safetensors, a test',
  vite: 'a page built by Vite: trains while you watch, in WebAssembly or on the GPU',
};

export interface ProjectOptions {
  /** One of {@link templates}. Default 'node'. */
  readonly template?: string;
  /** Write into a folder that is not empty; files of the template take the place of those of the same name. Default false. */
  readonly force?: boolean;
  /**
   * What package.json asks for as `tessera`: a version, a range, `file:…`. Default: the version that was released with this one, or the tarballs
   * beside that which this one was installed from.
   */
  readonly tessera?: string;
}

/** What a person can mend: a folder that is not empty, a name that is no template. `code` tells which. */
export class ProjectError extends Error {
  constructor(
    readonly code: 'ERR_FOLDER' | 'ERR_TEMPLATE' | 'ERR_USAGE',
    message: string,
  ) {
    super(message);
    this.name = 'ProjectError';
  }
}

async function isTaken(folder: string): Promise<boolean> {
  try {
    if (!(await stat(folder)).isDirectory()) return true;
    return (await readdir(folder)).some((name) => name !== '.git');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** A folder's name as npm allows it for a package. */
const packageName = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._~-]+/g, '-')
    .replace(/^[._-]+/, '') || 'tessera-project';

/**
 * Makes a project; answers the folder's full path.
 * @throws ProjectError `ERR_TEMPLATE`, `ERR_FOLDER`.
 * @example await createProject('my-project', { template: 'vite' })
 */
export async function createProject(folder: string, { template = 'node', force = false, tessera }: ProjectOptions = {}): Promise<string> {
  if (!Object.hasOwn(templates, template))
    throw new ProjectError('ERR_TEMPLATE', `there is no template '${template}'; there are ${Object.keys(templates).join(', ')}`);
  const target = resolve(folder);
  if (!force && (await isTaken(target)))
    throw new ProjectError('ERR_FOLDER', `${folder} is there already and is not empty; name another folder, or add --force`);
  await mkdir(target, { recursive: true });
  await cp(join(HOME, 'templates', template), target, { recursive: true });
  // npm leaves .gitignore files out of packages.
  await rename(join(target, '_gitignore'), join(target, '.gitignore'));
  const { version } = JSON.parse(await readFile(join(HOME, 'package.json'), 'utf8')) as { version: string };
  const file = join(target, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as { name: string; dependencies: Record<string, string> };
  manifest.name = packageName(target);
  const beside = tessera === undefined ? await tarballsBeside(HOME, version) : undefined;
  manifest.dependencies = { ...manifest.dependencies, tessera: tessera ?? `^${version}`, ...beside };
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
  return target;
}
