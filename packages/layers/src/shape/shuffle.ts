/** @file Layers that move elements between channels and space. */
import { Module, type Tensor, refuseMore, typeNameOf } from '@tessera/core';
import { channelShuffle, pixelShuffle, pixelUnshuffle } from '../functional/index.js';

/** (…, C·r², H, W) to (…, C, H·r, W·r) (Shi et al., 2016). PyTorch: nn.PixelShuffle. */
export class PixelShuffle extends Module {
  static override readonly typeName = 'PixelShuffle';

  constructor(readonly upscaleFactor: number) {
    super();
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }

  forward(input: Tensor): Tensor {
    return pixelShuffle(input, this.upscaleFactor);
  }

  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}

/** The inverse of {@link PixelShuffle}. PyTorch: nn.PixelUnshuffle. */
export class PixelUnshuffle extends Module {
  static override readonly typeName = 'PixelUnshuffle';

  constructor(readonly downscaleFactor: number) {
    super();
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }

  forward(input: Tensor): Tensor {
    return pixelUnshuffle(input, this.downscaleFactor);
  }

  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}

/** Interleaves `groups` groups of channels (Zhang et al., 2018). PyTorch: nn.ChannelShuffle. */
export class ChannelShuffle extends Module {
  static override readonly typeName = 'ChannelShuffle';

  constructor(readonly groups: number) {
    super();
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }

  forward(input: Tensor): Tensor {
    return channelShuffle(input, this.groups);
  }

  override extraRepr(): string {
    return `groups=${this.groups}`;
  }
}
