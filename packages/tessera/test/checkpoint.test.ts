/** @file Checkpoints of whole runs: resumed bit for bit, never half-written, never half-loaded. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformWithOxc } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileSystem, writeAtomically, writeSet } from '../../io/src/files/files.node.js';
import { F, io, manualSeed, nn, optim, randn, runtimes, type Tensor } from '../src/index.js';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'tessera-'))));
afterAll(() => rm(folder, { recursive: true }));

interface Run {
  readonly parts: {
    model: nn.Module;
    optimizer: optim.Adam;
    scheduler: optim.lrScheduler.StepLR;
    generator: typeof runtimes.current.generator;
  };
  readonly step: () => number;
}

function begin(): Run {
  manualSeed(7);
  const model = new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8), new nn.Dropout(0.3), new nn.Linear(8, 2));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01, amsgrad: true });
  const scheduler = new optim.lrScheduler.StepLR(optimizer, 2, { gamma: 0.5 });
  const step = (): number => {
    optimizer.zeroGrad();
    const x = randn(6, 4);
    const loss = F.mseLoss(model(x) as Tensor, x.narrow(1, 0, 2));
    loss.backward();
    optimizer.step();
    scheduler.step();
    return loss.item();
  };
  return { parts: { model, optimizer, scheduler, generator: runtimes.current.generator }, step };
}

describe('a run', () => {
  it('resumed at any step gives the losses of one that never stopped', async () => {
    const whole = begin();
    const losses = Array.from({ length: 6 }, whole.step);
    for (let stop = 0; stop < 6; stop++) {
      const path = join(folder, `stop-${stop}.pt`);
      const first = begin();
      const before = Array.from({ length: stop }, first.step);
      await io.saveCheckpoint(path, { ...first.parts, losses: before, note: 'half way' });
      const second = begin();
      const contents = await io.loadCheckpoint(path, second.parts);
      expect(contents).toMatchObject({ losses: before, note: 'half way' });
      expect([...before, ...Array.from({ length: 6 - stop }, second.step)]).toEqual(losses);
    }
  });

  it('that has no checkpoint yet begins', async () => {
    expect(await io.loadCheckpoint(join(folder, 'none.pt'), begin().parts)).toBeUndefined();
  });

  it('is as it was when a checkpoint does not fit', async () => {
    const first = begin();
    first.step();
    const bytes = await io.checkpointBytes({ ...first.parts, optimizer: { state: {}, param_groups: [] } });
    const second = begin();
    const untouched = await io.checkpointBytes(second.parts);
    expect(() => io.restoreCheckpoint(bytes, second.parts)).toThrow(expect.objectContaining({ code: 'ERR_OPTIM_STATE' }));
    expect(await io.checkpointBytes(second.parts)).toEqual(untouched);
    expect(() => io.restoreCheckpoint(bytes, { ...second.parts, ema: second.parts.model })).toThrow(
      expect.objectContaining({ code: 'ERR_CHECKPOINT_PART' }),
    );
  });
});

describe('writing', () => {
  const OLD = new TextEncoder().encode('old contents');
  const NEW = new TextEncoder().encode('new contents, which are longer');

  /** Node's files, of which the `n`th operation fails; `dies`: and nothing works from then on, as after a crash. */
  function faulty(n: number, dies: boolean): { files: FileSystem; count: () => number } {
    let at = 0;
    const op = async <T>(run: () => Promise<T>): Promise<T> => {
      at++;
      if (at === n || (dies && at > n)) throw new Error(`fault ${n}`);
      return run();
    };
    const files: FileSystem = {
      mkdir: (path, options) => op(() => mkdir(path, options)),
      open: async (path, flags) => {
        const handle = await op(() => open(path, flags));
        return {
          // Half of it is on disk when the fault comes.
          writeFile: async (data) => {
            await handle.writeFile((data as Uint8Array).subarray(0, 5));
            return op(() => handle.writeFile((data as Uint8Array).subarray(5)));
          },
          sync: () => op(() => handle.sync()),
          close: async () => {
            await handle.close();
            return op(async () => {});
          },
        };
      },
      rename: (from, to) => op(() => rename(from, to)),
      rm: (path, options) => op(() => rm(path, options)),
    };
    return { files, count: () => at };
  }

  it.each([false, true])('leaves the old or the new contents at a fault in any operation (and a crash: %s)', async (dies) => {
    const path = join(folder, `faults-${dies}`, 'run.pt');
    await writeAtomically(path, OLD);
    const sound = faulty(Infinity, false);
    await writeAtomically(join(folder, 'sound', 'x'), NEW, sound.files);
    expect(sound.count()).toBeGreaterThan(6);
    for (let n = 1; n <= sound.count(); n++) {
      await writeFile(path, OLD);
      await expect(writeAtomically(path, NEW, faulty(n, dies).files)).rejects.toThrow('fault');
      const now = new Uint8Array(await readFile(path));
      expect([String(OLD), String(NEW)]).toContain(String(now));
      // What was not finished is taken away, unless the program died.
      if (!dies) expect(await readdir(join(folder, `faults-${dies}`))).toEqual(['run.pt']);
      await writeAtomically(path, NEW);
      expect(new Uint8Array(await readFile(path))).toEqual(NEW);
    }
  });

  it.each([false, true])('leaves no mixture of two sets of files at a fault (and a crash: %s)', async (dies) => {
    const place = join(folder, `set-${dies}`);
    const names = ['1', '2', 'index'];
    const write = (contents: Uint8Array, files?: FileSystem): Promise<void> =>
      writeSet(
        place,
        names.map((name) => [name, contents]),
        (name) => name === 'stale',
        files,
      );
    await write(OLD);
    const sound = faulty(Infinity, false);
    await write(NEW, sound.files);
    expect(sound.count()).toBeGreaterThan(15);
    for (let n = 1; n <= sound.count(); n++) {
      await write(OLD);
      await writeFile(join(place, 'stale'), OLD);
      await expect(write(NEW, faulty(n, dies).files)).rejects.toThrow('fault');
      const now = (await readdir(place)).filter((name) => names.includes(name));
      const contents = await Promise.all(now.map(async (name) => String(new Uint8Array(await readFile(join(place, name))))));
      if (now.includes('index')) expect([now, new Set(contents).size]).toEqual([names, 1]);
      if (!dies) expect((await readdir(place)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    }
    await write(NEW);
    expect((await readdir(place)).filter((name) => !name.endsWith('.tmp'))).toEqual(names);
  });

  it('survives kill -9 at any moment', { timeout: 120_000 }, async () => {
    const path = join(folder, 'killed.bin');
    const size = 2_000_000;
    const source = fileURLToPath(new URL('../../io/src/files/files.node.ts', import.meta.url));
    const module = join(folder, 'files.mjs');
    await writeFile(module, (await transformWithOxc(await readFile(source, 'utf8'), source)).code);
    // Each write is of one byte value over and over, so that a mixture would show.
    const program = `import(${JSON.stringify(module)}).then(async ({ writeAtomically }) => { for (let i = 1; ; i++) { await writeAtomically(${JSON.stringify(path)}, new Uint8Array(${size}).fill(i)); process.stdout.write('.'); } })`;
    let written = 0;
    for (let kill = 0; kill < 5; kill++) {
      const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.on('data', (dots: Buffer) => void (written += dots.length));
      await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, 3 + kill * 7));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const bytes = await readFile(path);
      expect(bytes.length).toBe(size);
      expect(new Set(bytes).size).toBe(1);
    }
    expect(written).toBeGreaterThanOrEqual(5);
  });
});
