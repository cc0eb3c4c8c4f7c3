/** @file The option that most activations have. */

export interface InplaceOptions {
  /** Writes the result into the input. Default false. */
  readonly inplace?: boolean;
}

/** As PyTorch shows it, after other options or alone. */
export const inplaceRepr = (inplace: boolean, first = false): string => (inplace ? `${first ? '' : ', '}inplace=True` : '');
