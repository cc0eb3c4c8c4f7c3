/**
 * @file Checkpoints there and back, with a real PyTorch: what it saved in the middle of training loads here, and training goes on as it did there; what was
 * saved here loads there with `weights_only=True`, and goes on as it did here. Tests do the first half from fixtures; this needs a Python with torch.
 *
 *   PYTHON=path/to/python npm run check:pytorch
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { F, init, io, manualSeed, nn, optim, randint, randn, tensor, zeros } from 'tessera';

const python = process.env.PYTHON ?? 'python3';
const peer = join(import.meta.dirname, 'peer.py');
const [STEPS, MORE] = [3, 5];

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3, { padding: 1, bias: false });
  bn = new nn.BatchNorm2d(4);
  gru = new nn.GRU(16, 8, { batchFirst: true, bidirectional: true });
  norm = new nn.LayerNorm(16);
  fc = new nn.Linear(16, 3);

  forward(x) {
    const [out] = this.gru(this.bn(this.conv(x)).relu().flatten(2));
    return this.fc(this.norm(out).mean(1));
  }
}

/** As in peer.py. */
const OPTIMIZERS = {
  adam: (p) => new optim.Adam(p, { lr: 0.01 }),
  'adamw-amsgrad': (p) => new optim.AdamW(p, { lr: 0.01, amsgrad: true }),
  'sgd-nesterov': (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.001 }),
  'rmsprop-centered': (p) => new optim.RMSprop(p, { lr: 0.005, centered: true, momentum: 0.5 }),
  adagrad: (p) => new optim.Adagrad(p, { lr: 0.05 }),
  'two-groups': (p) => new optim.Adam([{ params: p.slice(0, 1), lr: 0.001 }, { params: p.slice(1) }], { lr: 0.02, betas: [0.8, 0.95] }),
};

/** A model with its optimizer and scheduler. */
function begin(name) {
  const model = new Net();
  const optimizer = OPTIMIZERS[name]([...model.parameters()]);
  return { model, optimizer, scheduler: new optim.lrScheduler.StepLR(optimizer, 2, { gamma: 0.5 }) };
}

function train({ model, optimizer, scheduler }, x, y, steps) {
  return Array.from({ length: steps }, () => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    scheduler.step();
    return loss.item();
  });
}

/** Of a dtype that PyTorch keeps as int64 where it is int32 here. */
const numbers = (state) =>
  Object.fromEntries(
    [...state].map(([name, t]) => [
      name,
      [name.endsWith('num_batches_tracked') ? 'int64' : t.dtype, t.shape, Array.from(t.reshape(-1).data(), Number)],
    ]),
  );

const close = (ours, theirs) => {
  const scale = Math.max(1, ...theirs.map(Math.abs));
  return ours.length === theirs.length && ours.every((x, i) => Math.abs(x - theirs[i]) <= 1e-4 * scale + 1e-6);
};

let wrong = 0;
function check(what, right) {
  console.log(`${right ? 'ok  ' : 'WRONG'} ${what}`);
  if (!right) wrong++;
}

function fromPyTorch(folder) {
  execFileSync(python, [peer, 'write', folder], { stdio: 'inherit' });
  const answers = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8'));
  const read = (name) => io.loadTorch(readFileSync(join(folder, `${name}.pt`)));
  const INTEGERS = new Set(['int64', 'int16', 'int8', 'uint16', 'uint32']);
  const dtypes = read('dtypes');
  for (const [name, [dtype, shape, values]] of Object.entries(answers.dtypes)) {
    const t = dtypes[name];
    const [ours, ourShape, ourValues] = numbers(new Map([[name, t]]))[name];
    const right =
      ours === (INTEGERS.has(dtype) ? 'int32' : dtype) && String(ourShape) === String(shape) && String(ourValues) === String(values);
    check(`${name}: ${dtype} of [${shape}]`, right);
  }
  for (const [name, { losses, after }] of Object.entries(answers.runs)) {
    const run = begin(name);
    const { x, y, ...parts } = read(name);
    for (const [part, state] of Object.entries(parts)) run[part].loadStateDict(state);
    const ours = train(run, x, y, MORE);
    check(`${name}: losses ${ours.map((l) => l.toFixed(5)).join(' ')}`, close(ours, losses));
    const state = numbers(run.model.stateDict());
    check(
      `${name}: the model after ${MORE} steps`,
      String(Object.keys(state)) === String(Object.keys(after)) &&
        Object.entries(after).every(([key, [, , values]]) => close(state[key][2], values)),
    );
  }
}

async function toPyTorch(folder) {
  const base = [
    [0, 1, 2],
    [3, 120, 77],
  ];
  const dtypes = Object.fromEntries(
    ['float64', 'float32', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'].map((dtype) => [dtype, tensor(base).to(dtype)]),
  );
  Object.assign(dtypes, {
    empty: zeros(0, 3),
    scalar: tensor(1.5),
    turned: tensor(base).t(),
    num_batches_tracked: tensor(7, { dtype: 'int32' }),
  });
  writeFileSync(join(folder, 'dtypes.pt'), io.saveTorch(dtypes));
  const answers = { dtypes: numbers(Object.entries(dtypes)), runs: {} };
  for (const [i, name] of Object.keys(OPTIMIZERS).entries()) {
    manualSeed(i + 100);
    const run = begin(name);
    const [x, y] = [randn(8, 1, 4, 4), randint(3, [8])];
    train(run, x, y, STEPS);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await io.saveCheckpoint(join(folder, `${name}.pt`), { ...run, x, y });
    answers.runs[name] = { losses: train(run, x, y, MORE), after: numbers(run.model.stateDict()) };
  }
  writeFileSync(join(folder, 'answers.json'), JSON.stringify(answers));
  try {
    execFileSync(python, [peer, 'read', folder], { stdio: 'inherit' });
  } catch (error) {
    if (error.status !== 1) throw error;
    wrong++;
  }
}

/** A heading, and a folder for what is under it. */
function section(title, name) {
  console.log(`\n${title}`);
  const folder = join(home, name);
  mkdirSync(folder);
  return folder;
}

const home = mkdtempSync(join(tmpdir(), 'tessera-pytorch-'));
try {
  console.log(`PyTorch ${execFileSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' }).trim()}`);
  await init({ device: 'cpu' });
  fromPyTorch(section('PyTorch saves, Tessera goes on', 'from'));
  await toPyTorch(section('Tessera saves, PyTorch goes on', 'to'));
} catch (error) {
  wrong++;
  console.error(error.code === 'ENOENT' ? `There is no ${python}: set PYTHON to a Python that has torch.` : error);
} finally {
  rmSync(home, { recursive: true });
}
console.log(wrong === 0 ? '\nAll as it should be.' : `\n${wrong} wrong.`);
process.exitCode = wrong === 0 ? 0 : 1;
