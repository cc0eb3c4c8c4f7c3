import { init, manualSeed, noGrad, tensor } from 'tessera';
import { spirals } from './data';
import { trainer } from './loop';
import { Net } from './model';

export interface Order {
  readonly epochs: number;
}
export type Report =
  | { readonly kind: 'ready'; readonly device: string }
  | { readonly kind: 'error'; readonly message: string }
  | {
      readonly kind: 'epoch';
      readonly epoch: number;
      readonly loss: number;
      readonly picture: { readonly size: number; readonly scores: Float32Array };
    }
  | { readonly kind: 'done' };

const SIZE = 60;
const report = (message: Report): void => postMessage(message);

try {
  const device = await init({ device: 'auto' }); // webgpu, then wasm, then cpu
  manualSeed(0);
  const model = new Net();
  const next = trainer(model, spirals(512));
  const grid = tensor(Array.from({ length: SIZE * SIZE }, (_, i) => [(2 * (i % SIZE)) / SIZE - 1, (2 * Math.floor(i / SIZE)) / SIZE - 1]));
  let epoch = 0;

  addEventListener('message', async ({ data: { epochs } }: MessageEvent<Order>) => {
    try {
      for (const end = epoch + epochs; epoch < end;) {
        const loss = await next();
        epoch++;
        const scores = (await noGrad(() => model(grid).softmax(1).select(1, 0)).dataAsync()) as Float32Array;
        report({ kind: 'epoch', epoch, loss, picture: { size: SIZE, scores } });
      }
    } catch (error) {
      report({ kind: 'error', message: String(error) });
    }
    report({ kind: 'done' });
  });
  report({ kind: 'ready', device: device.id });
} catch (error) {
  report({ kind: 'error', message: String(error) });
}
