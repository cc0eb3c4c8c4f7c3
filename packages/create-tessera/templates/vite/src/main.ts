import type { Order, Report } from './train.worker';

// All of the work is done in a worker: the page stays quick.
const worker = new Worker(new URL('./train.worker.ts', import.meta.url), { type: 'module' });
const button = document.querySelector<HTMLButtonElement>('#train')!;
const status = document.querySelector<HTMLOutputElement>('#status')!;
const canvas = document.querySelector<HTMLCanvasElement>('#picture')!;

function draw({ size, scores }: { size: number; scores: Float32Array }): void {
  const image = new ImageData(size, size);
  scores.forEach((p, i) => image.data.set([Math.round(255 * p), 90, Math.round(255 * (1 - p)), 255], 4 * i));
  const small = new OffscreenCanvas(size, size);
  small.getContext('2d')!.putImageData(image, 0, 0);
  canvas.getContext('2d')!.drawImage(small, 0, 0, canvas.width, canvas.height);
}

worker.addEventListener('message', ({ data }: MessageEvent<Report>) => {
  if (data.kind === 'ready') {
    status.value = `Ready, on ${data.device}.`;
    button.disabled = false;
  }
  if (data.kind === 'error') status.value = data.message;
  if (data.kind === 'epoch') {
    status.value = `Epoch ${data.epoch}, loss ${data.loss.toFixed(4)}`;
    draw(data.picture);
  }
  if (data.kind === 'done') button.disabled = false;
});

// A worker that cannot start: its file is not on the server, a policy forbids it, a browser that knows no modules in workers.
worker.addEventListener('error', ({ message }) => {
  status.value = `The worker failed: ${message || 'the console of the browser says why'}`;
});

button.addEventListener('click', () => {
  button.disabled = true;
  worker.postMessage({ epochs: 100 } satisfies Order);
});
