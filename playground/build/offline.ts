/** @file A Vite plugin: `service-worker.js` beside the page, with the list of files to keep and a version made from what they hold. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Plugin, transformWithOxc } from 'vite';

const SOURCE = join(import.meta.dirname, '../src/offline/service-worker.ts');
/** What is kept when it is first used, not before: the editor's compiler, other libraries, reference data. */
const LARGE = 1_000_000;
const ON_USE = /^reference\/|^assets\/(?:peer-|tfjs-|webgl-|webgpu-[\w-]{8}-)/;

export function offline(): Plugin {
  return {
    name: 'tessera-offline',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_, bundle) {
      const hash = createHash('sha256');
      const keep: string[] = [];
      for (const file of Object.values(bundle).toSorted((a, b) => (a.fileName < b.fileName ? -1 : 1))) {
        const content = file.type === 'chunk' ? file.code : file.source;
        hash.update(file.fileName).update(content);
        if (content.length < LARGE && !ON_USE.test(file.fileName)) keep.push(file.fileName);
      }
      const source = readFileSync(SOURCE, 'utf8');
      const { code } = await transformWithOxc(source, SOURCE, { sourcemap: false });
      const constants = `const VERSION = '${hash.update(source).digest('hex').slice(0, 16)}';\nconst PRECACHE = ${JSON.stringify(keep, null, 2)};\n`;
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source: constants + code });
    },
  };
}
