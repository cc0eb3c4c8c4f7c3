/// <reference types="@webgpu/types" />
/**
 * @file What went wrong on a device, until a read asks for it. What the device refuses is asked in error scopes: errors that nobody asked for come as events,
 * and in browsers those come after the answers to reads that were asked for later. Like the executor it travels as source text.
 */

/** Something that went wrong on the device, which the next read reports. */
export interface Fault {
  readonly kind: 'validation' | 'out-of-memory' | 'lost' | 'internal';
  readonly message: string;
  /** Where memory ran out: what was asked for, what it was for, and the buffers that there are not. */
  readonly bytes?: number;
  readonly user?: string | null;
  readonly buffers?: readonly number[];
}

export interface Faults {
  /** Keeps one; of many only the first few tell anything. */
  add(fault: Fault): void;
  /** The device is asked for what it refuses of what is done from here to the {@link end} that belongs to it. */
  begin(): void;
  end(): void;
  /** Null where all is answered; else a promise of the answers. */
  settled(): Promise<unknown> | null;
  /** Was there none since the last {@link take}, and is the device there? */
  none(): boolean;
  /** Is the device gone, by itself or because {@link lose} said so? */
  isLost(): boolean;
  lose(message: string): void;
  /** The first since the last call, if any. A lost device stays lost. */
  take(): Fault | null;
}

export function createFaults(device: GPUDevice): Faults {
  const MOST = 8;
  const faults: Fault[] = [];
  let lost: Fault | null = null;
  const add = (fault: Fault): void => {
    if (faults.length < MOST) faults.push(fault);
  };
  const open = new Set<Promise<unknown>>();
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    const { error } = event;
    const name = error.constructor.name;
    const kind = name === 'GPUOutOfMemoryError' ? 'out-of-memory' : name === 'GPUValidationError' ? 'validation' : 'internal';
    add({ kind, message: error.message });
  });
  void device.lost.then((info) => {
    lost = { kind: 'lost', message: `${info.reason}: ${info.message}` };
  });
  return {
    add,
    begin: () => device.pushErrorScope('validation'),
    end() {
      const answer: Promise<unknown> = device.popErrorScope().then(
        (error) => {
          open.delete(answer);
          if (error !== null) add({ kind: 'validation', message: error.message });
        },
        // The device is lost, which is told elsewhere.
        () => open.delete(answer),
      );
      open.add(answer);
    },
    settled: () => (open.size === 0 ? null : Promise.all(open)),
    none: () => faults.length === 0 && lost === null,
    isLost: () => lost !== null,
    lose(message) {
      lost ??= { kind: 'lost', message };
    },
    take() {
      const first = faults[0];
      faults.length = 0;
      return first ?? lost;
    },
  };
}
