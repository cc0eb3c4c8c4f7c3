/** @file The geometry of padded planes (see planes.ts): how long they are, and where a tap finds its values. */
import type { Fields } from '../code/kernel-host.js';
import { type ImagePlanes, product, type Three } from './image-planes.js';

/** How a window moves over planes: position i reads, for each tap, the coordinate i · step + shift of the padded data. */
export interface Sweep {
  /** Positions along each dim. */
  readonly positions: Three;
  readonly step: Three;
  /** Zeros before the data. */
  readonly pad: Three;
  /** The largest shift of a tap along each dim; the least is 0 or more. */
  readonly reach: Three;
}

export class PaddedPlanes {
  /** Elements from one row of a phase's plane to the next. Flat position `row · pitch + i` belongs to place i of a row. */
  readonly pitch: number;
  readonly rowBytes: number;
  readonly sliceBytes: number;
  readonly phaseBytes: number;
  readonly planeBytes: number;
  /** Of `channels` planes and of what reading whole vectors touches after them. */
  readonly bytes: number;

  constructor(
    readonly source: ImagePlanes,
    readonly channels: number,
    readonly sweep: Sweep,
  ) {
    const { positions, step, pad, reach } = sweep;
    const long = (d: number): number => Math.max(pad[d] + source.sizes[d], (positions[d] - 1) * step[d] + reach[d] + 1);
    const rows = (d: number): number => Math.ceil(long(d) / step[d]);
    let pitch = rows(2);
    // The zeros after a row and those before the next are the same ones.
    if (step[2] === 1) pitch = Math.max(pitch - Math.min(pad[2], pitch - pad[2] - source.sizes[2]), positions[2]);
    this.pitch = pitch;
    this.rowBytes = pitch * 4;
    this.sliceBytes = rows(1) * this.rowBytes;
    this.phaseBytes = rows(0) * this.sliceBytes;
    this.planeBytes = product(step) * this.phaseBytes;
    this.bytes = channels * this.planeBytes + pad[2] * 4 + 512;
  }

  /** Flat positions of one slice. */
  get flat(): number {
    const [, rows, width] = this.sweep.positions;
    return (rows - 1) * this.pitch + width;
  }

  /** Where, from a position's own address, a tap of a channel lies, in bytes. */
  offset(channel: number, shift: Three): number {
    const { step } = this.sweep;
    const phase = (d: number): number => shift[d] % step[d];
    const along = (d: number): number => Math.floor(shift[d] / step[d]);
    return (
      channel * this.planeBytes +
      ((phase(0) * step[1] + phase(1)) * step[2] + phase(2)) * this.phaseBytes +
      along(0) * this.sliceBytes +
      along(1) * this.rowBytes +
      along(2) * 4
    );
  }

  /** The values of `SOURCE_FIELDS`; `bytes` are what is filled with zeros first. */
  fields(groupChannels: number, bytes = this.bytes): Fields {
    const { source, sweep } = this;
    return [
      [source.address, source.strideN, source.strideC * groupChannels, source.strideC, this.channels, ...source.sizes, ...source.strides],
      [this.planeBytes, ...sweep.pad, ...sweep.step, this.rowBytes, this.sliceBytes, this.phaseBytes, bytes],
    ];
  }
}
