/**
 * @file Tensor: a handle on values. It is a view: a storage, a shape, strides and an offset. The ops are added to it as methods by their own
 * files (see ops/methods.ts); this file has what they stand on: values, reading, autograd's fields, and the end of life.
 */
import { backwardFrom, type BackwardOptions } from '../autograd/engine-ops.js';
import { gradState } from '../autograd/mode.js';
import { GradNode, type GradHook } from '../autograd/node.js';
import { AutogradError, IndexError, MemoryError, NotSupportedError, ValueError } from '../errors.js';
import { keep, scopes } from '../memory/scope.js';
import type { Device } from '../plugin/device.js';
import { type DType, DTYPE_INFO, isFloat } from './dtype.js';
import { materialise } from './launch.js';
import { contiguousStrides, isContiguous, normalizeDim, numelOf, type Shape } from './shape.js';
import { decode, type HostArray, type NestedArray, nest } from './host.js';
import { texts } from './text.js';
import type { Storage } from './storage.js';
import { IN_MEMORY, inMemory, relabel, type Value } from './value.js';
import { viewGradient } from './view-autograd.js';

const BRAND = Symbol.for('tessera.tensor');

/** Is it a tensor, of this copy of core or of another one in the same page? */
export function isTensor(x: unknown): x is Tensor {
  return typeof x === 'object' && x !== null && BRAND in x;
}

/** What `JSON.stringify` makes of a tensor; `tensor(data, { dtype }).reshape(shape)` brings it back. */
export interface TensorJSON {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: NestedArray;
}

/** A handle that can be removed again: what `registerHook` and its like give. PyTorch: RemovableHandle. */
export interface RemovableHandle {
  remove(): void;
}

/**
 * A multi-dimensional array of one dtype on one device, with a place in the autograd graph. PyTorch: torch.Tensor.
 *
 * Make one with `tensor([[1, 2], [3, 4]])`, `zeros(2, 3)`, `randn(4)` and their like, not with `new`.
 */
export class Tensor {
  /** @internal */
  storage: Storage;
  readonly shape: Shape;
  /** In elements of the storage. @internal */
  readonly offset: number;
  /** null: row-major over the whole storage. @internal */
  readonly ownStrides: Shape | null;
  /** The tensor that this one is a view of, where writes to one must reach the other's gradients. @internal */
  viewOf: Tensor | null = null;
  /** The accumulated gradient; {@link grad} hands it out. @internal */
  ownGrad: Tensor | null = null;
  /** Somebody outside may hold it. */
  #gradSeen = false;
  /** The backward pass that it is a temporary of, and in how many places that waits to read it. @internal */
  pass: object | null = null;
  /** @internal */
  holds = 0;
  #requiresGrad = false;
  #gradFn: GradNode | null = null;
  #accumulator: GradNode | null = null;
  #viewValue: Value | null = null;
  #viewVersion = 0;
  #disposed = false;
  #afterAccumulate: ((t: Tensor) => void)[] | null = null;

  /** @internal Tensors are made by the creation functions and by ops. */
  constructor(storage: Storage, shape: Shape, strides: Shape | null = null, offset = 0) {
    this.storage = storage;
    this.shape = shape;
    this.ownStrides = strides;
    this.offset = offset;
    storage.handles++;
    if (scopes.current !== null) scopes.current.track(this);
  }

  // ── what it is ──

  get dtype(): DType {
    return this.storage.dtype;
  }

  get device(): Device {
    return this.storage.device;
  }

  /** The number of dims. PyTorch: Tensor.ndim. */
  get ndim(): number {
    return this.shape.length;
  }

  /** PyTorch: Tensor.dim(). */
  dim(): number {
    return this.shape.length;
  }

  /** All sizes, or that of one dim. PyTorch: Tensor.size(). */
  size(): Shape;
  size(dim: number): number;
  size(dim?: number): Shape | number {
    if (dim === undefined) return this.shape;
    if (this.shape.length === 0)
      throw new IndexError('ERR_DIM_RANGE', `size: dimension specified as ${dim} but tensor has no dimensions`, { op: 'size' });
    return this.shape[normalizeDim(dim, this.shape.length, 'size')]!;
  }

  /** Bytes an element. PyTorch: Tensor.itemsize. */
  get itemsize(): number {
    return DTYPE_INFO[this.dtype].size;
  }

  /** Bytes of all elements, views' shared ones too. PyTorch: Tensor.nbytes. */
  get nbytes(): number {
    return this.itemsize * this.numel();
  }

  /** The number of elements. PyTorch: Tensor.numel(). */
  numel(): number {
    return this.ownStrides === null ? this.storage.length : numelOf(this.shape);
  }

  /** The distance between neighbours along each dim, in elements. PyTorch: Tensor.stride(). */
  stride(): Shape;
  stride(dim: number): number;
  stride(dim?: number): Shape | number {
    const strides = this.ownStrides ?? contiguousStrides(this.shape);
    return dim === undefined ? strides : strides[normalizeDim(dim, this.shape.length, 'stride')]!;
  }

  /** PyTorch: Tensor.storage_offset(). */
  storageOffset(): number {
    return this.offset;
  }

  /** Row-major without gaps? PyTorch: Tensor.is_contiguous(). */
  isContiguous(): boolean {
    return this.ownStrides === null || isContiguous(this.shape, this.ownStrides);
  }

  /** Bytes an element. PyTorch: Tensor.element_size(). */
  elementSize(): number {
    return DTYPE_INFO[this.dtype].size;
  }

  isFloatingPoint(): boolean {
    return isFloat(this.dtype);
  }

  /** The size of the first dim. PyTorch: len(tensor). */
  get length(): number {
    if (this.shape.length === 0) throw new ValueError('ERR_0D', 'length: a 0-d tensor has no length');
    return this.shape[0]!;
  }

  /** How often its storage was written to. PyTorch: Tensor._version. */
  get version(): number {
    return this.storage.version;
  }

  // ── its value ──

  /** What it holds: deferred, or a leaf. @internal */
  get value(): Value {
    if (this.#disposed) this.#failDisposed();
    const { storage } = this;
    if (this.ownStrides === null) return storage.value;
    const memory = storage.memory();
    const cached = this.#viewValue;
    if (cached !== null && cached.memory === memory) return cached;
    return (this.#viewValue = inMemory(
      memory,
      this.shape,
      numelOf(this.shape),
      this.ownStrides,
      this.offset,
      isContiguous(this.shape, this.ownStrides),
    ));
  }

  #failDisposed(): never {
    throw new MemoryError('ERR_DISPOSED', `this tensor of shape [${this.shape.join(', ')}] was disposed of`, { shapes: [this.shape] });
  }

  /** Computes it now, if that is still to be done. */
  realize(): this {
    materialise(this.value);
    return this;
  }

  /** Is its value still to be computed? */
  get isDeferred(): boolean {
    const { value } = this.storage;
    return value.op !== IN_MEMORY || value.memory!.producer !== null;
  }

  // ── reading ──

  /** A leaf with the elements in row-major order, without gaps. To be given to `#done` when it was read. */
  #readable(): Value {
    let v = this.value;
    if (v.op !== IN_MEMORY) materialise(v);
    if (!v.contiguous) {
      v = relabel(v, v.shape, v.dtype);
      materialise(v);
    }
    return v;
  }

  /** Gives a copy back that was made for reading only. */
  #done(v: Value): void {
    if (v.memory!.owners === 0) v.memory!.abandon();
  }

  /**
   * The elements in row-major order, as a host array of its own: Float32Array (float16 and bfloat16 too), Float64Array, Int32Array or Uint8Array.
   * @throws NotSupportedError `ERR_SYNC_READ` where the device cannot wait; use `dataAsync()`.
   */
  data(): HostArray {
    return decode(this.#bytes('data'), this.dtype);
  }

  /** As {@link data}, on every device. */
  async dataAsync(): Promise<HostArray> {
    return decode(await this.bytesAsync(), this.dtype);
  }

  /** The elements' bytes, row-major and little-endian, in PyTorch's sizes: what files hold. */
  bytes(): Uint8Array {
    return this.#bytes('bytes');
  }

  #bytes(name: string): Uint8Array {
    if (this.numel() === 0) return new Uint8Array(0);
    const { backend } = this.device;
    if (backend.readSync === undefined) return this.#failSync(name, `${name}Async`);
    const v = this.#readable();
    const bytes = backend.readSync(v.memory!.buffer, v.offset, v.numel);
    this.#done(v);
    return bytes;
  }

  /** As {@link bytes}, on every device. */
  async bytesAsync(): Promise<Uint8Array> {
    if (this.numel() === 0) return new Uint8Array(0);
    const v = this.#readable();
    try {
      return await this.device.backend.read(v.memory!.buffer, v.offset, v.numel);
    } finally {
      this.#done(v);
    }
  }

  #failSync(name: string, instead: string): never {
    throw new NotSupportedError(
      'ERR_SYNC_READ',
      `${name}: device '${this.device.id}' cannot be read synchronously; use await ${instead}()`,
      { device: this.device.id, op: name },
    );
  }

  /**
   * The one element as a number, or a boolean. PyTorch: Tensor.item().
   * @throws ValueError `ERR_ITEM` when there is not exactly one.
   */
  item(): number {
    this.#checkItem();
    if (this.device.backend.readSync === undefined) this.#failSync('item', 'itemAsync');
    return this.data()[0]!;
  }

  async itemAsync(): Promise<number> {
    this.#checkItem();
    return (await this.dataAsync())[0]!;
  }

  #checkItem(): void {
    if (this.numel() !== 1)
      throw new ValueError('ERR_ITEM', `item: a Tensor with ${this.numel()} elements cannot be converted to Scalar`, {
        op: 'item',
        shapes: [this.shape],
      });
  }

  /** Nested arrays of numbers (of booleans for bool); the element itself for a 0-d tensor. PyTorch: Tensor.tolist(). */
  toArray(): NestedArray {
    if (this.device.backend.readSync === undefined) this.#failSync('toArray', 'toArrayAsync');
    return nest(this.data(), this.shape, this.dtype);
  }

  async toArrayAsync(): Promise<NestedArray> {
    return nest(await this.dataAsync(), this.shape, this.dtype);
  }

  /**
   * Its dtype, shape and elements, for `JSON.stringify`, which calls it. JSON has neither NaN nor infinities and writes null for them; for
   * files there is `saveSafetensors`.
   * @throws NotSupportedError `ERR_SYNC_READ` where the device cannot wait.
   * @example JSON.stringify(tensor([[1, 2]])) // {"dtype":"float32","shape":[1,2],"data":[[1,2]]}
   */
  toJSON(): TensorJSON {
    if (this.device.backend.readSync === undefined) this.#failSync('toJSON', 'toArrayAsync');
    return { dtype: this.dtype, shape: this.shape, data: this.toArray() };
  }

  /** As PyTorch prints it. Reads the elements. */
  toString(): string {
    return texts.format(this);
  }

  /** What `console.log` shows in Node. It never throws: a debugger may ask at any time. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const sizes = `shape=[${this.shape.join(', ')}], dtype=${this.dtype}, device='${this.device.id}'`;
    if (this.#disposed) return `Tensor(disposed of, ${sizes})`;
    try {
      return this.toString();
    } catch (error) {
      return `Tensor(${sizes}, cannot be read: ${error instanceof Error ? error.message : String(error)})`;
    }
  }

  get [Symbol.toStringTag](): string {
    return 'Tensor';
  }

  /** JavaScript has no operators on objects: `a + b` would be text or NaN. @throws ValueError `ERR_OPERATOR`. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new ValueError(
      'ERR_OPERATOR',
      'a Tensor is no number: write a.add(b), a.sub(b), a.mul(b), a.div(b), a.lt(b), … in place of operators, and a.item() for the number of a one-element tensor',
    );
  }

  // ── autograd ──

  /** The accumulated gradient of a leaf, after `backward()`. PyTorch: Tensor.grad. */
  get grad(): Tensor | null {
    if (this.ownGrad !== null) this.#gradSeen = true;
    return this.ownGrad;
  }

  set grad(grad: Tensor | null) {
    this.ownGrad = grad;
    this.#gradSeen = true;
  }

  /** A gradient that nobody outside has seen yet. @internal */
  takeGrad(grad: Tensor): void {
    this.ownGrad = grad;
    this.#gradSeen = false;
  }

  /** Has no gradient any more. One that nobody was shown is freed at once: what `zeroGrad()` does. @internal */
  dropGrad(): void {
    const grad = this.ownGrad;
    this.ownGrad = null;
    if (grad !== null && !this.#gradSeen) grad.dispose();
  }

  /** Do ops on it get recorded? Only floating dtypes may. PyTorch: Tensor.requires_grad. */
  get requiresGrad(): boolean {
    return this.#requiresGrad || (this.viewOf !== null && this.gradFn !== null);
  }

  set requiresGrad(on: boolean) {
    this.requiresGrad_(on);
  }

  /**
   * PyTorch: Tensor.requires_grad_().
   * @throws AutogradError `ERR_REQUIRES_GRAD_DTYPE` for integers and bools, `ERR_REQUIRES_GRAD_LEAF` when switching it off on a result.
   */
  requiresGrad_(on = true): this {
    if (on && !isFloat(this.dtype)) {
      throw new AutogradError('ERR_REQUIRES_GRAD_DTYPE', `only Tensors of floating point dtype can require gradients, not ${this.dtype}`, {
        dtypes: [this.dtype],
      });
    }
    if (!on && this.gradFn !== null) {
      throw new AutogradError(
        'ERR_REQUIRES_GRAD_LEAF',
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use x.detach().",
      );
    }
    if (on && this.storage.inference && !gradState.inference) {
      throw new AutogradError('ERR_INFERENCE', 'Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.');
    }
    this.#requiresGrad = on;
    return this;
  }

  /** The node that made it; null for leaves. PyTorch: Tensor.grad_fn. */
  get gradFn(): GradNode | null {
    const base = this.viewOf;
    if (base !== null && this.#viewVersion !== this.storage.version) {
      this.#viewVersion = this.storage.version;
      // The base was written to since this view was taken: what it shows has another history now.
      if (base.requiresGrad && base.gradFn !== null) {
        this.#gradFn = viewGradient(base, this);
        this.#requiresGrad = true;
      }
    }
    return this.#gradFn;
  }

  /** Made in inference mode? PyTorch: Tensor.is_inference(). */
  isInference(): boolean {
    return this.storage.inference;
  }

  /** Made by the user, or not part of a graph? PyTorch: Tensor.is_leaf. */
  get isLeaf(): boolean {
    return this.gradFn === null;
  }

  /** Gives it a history. @internal */
  setGradFn(node: GradNode | null): void {
    // What was asked to keep the tensor's gradient keeps that of its new value.
    if (node !== null && this.#gradFn?.retain === this) {
      this.#gradFn.retain = null;
      node.retain = this;
    }
    this.#gradFn = node;
    this.#requiresGrad = node !== null;
    this.#viewVersion = this.storage.version;
  }

  /** Notes that it is a view: its history follows what happens to `base`. @internal */
  setBase(base: Tensor): void {
    this.viewOf = base.viewOf ?? base;
    this.#viewVersion = this.storage.version;
  }

  /** The node that accumulates into `grad`, for a leaf. @internal */
  accumulator(): GradNode {
    if (this.#accumulator === null) {
      const node = new GradNode('AccumulateGrad', () => [], []);
      node.leaf = this;
      this.#accumulator = node;
    }
    return this.#accumulator;
  }

  /** PyTorch: Tensor.backward(). Options may come without a gradient before them: `loss.backward({ retainGraph: true })`. @see backward */
  backward(options: BackwardOptions): void;
  backward(gradient?: Tensor | null, options?: BackwardOptions): void;
  backward(first?: Tensor | BackwardOptions | null, options: BackwardOptions = {}): void {
    if (first === undefined || first === null || isTensor(first)) backwardFrom(this, first ?? null, options);
    else backwardFrom(this, null, first);
  }

  /** The same values outside the graph; it shares memory, so writes to one show in the other. PyTorch: Tensor.detach(). */
  detach(): Tensor {
    if (this.#disposed) this.#failDisposed();
    return new Tensor(this.storage, this.shape, this.ownStrides, this.offset);
  }

  /** Cuts it off from the graph, in place. PyTorch: Tensor.detach_(). */
  detach_(): this {
    if (this.viewOf !== null) throw new AutogradError('ERR_DETACH_VIEW', "Can't detach views in-place. Use detach() instead.");
    this.setGradFn(null);
    return this;
  }

  /** Keeps the gradient of a tensor that is no leaf. PyTorch: Tensor.retain_grad(). */
  retainGrad(): this {
    if (!this.requiresGrad) throw new AutogradError('ERR_NO_GRAD', "can't retain_grad on Tensor that has requires_grad=False");
    const fn = this.gradFn;
    if (fn !== null) fn.retain = this;
    return this;
  }

  /**
   * Calls `hook` with its gradient; a tensor that the hook returns takes the gradient's place. PyTorch: Tensor.register_hook().
   */
  registerHook(hook: GradHook): RemovableHandle {
    if (!this.requiresGrad) throw new AutogradError('ERR_NO_GRAD', 'cannot register a hook on a tensor that does not require gradient');
    const node = this.gradFn ?? this.accumulator();
    node.hooks ??= [];
    node.hooks.push(hook);
    return { remove: () => void (node.hooks = node.hooks?.filter((h) => h !== hook) ?? null) };
  }

  /** Calls `hook` when a gradient was added to `grad`. PyTorch: Tensor.register_post_accumulate_grad_hook(). */
  registerPostAccumulateGradHook(hook: (t: Tensor) => void): RemovableHandle {
    if (!this.requiresGrad || this.gradFn !== null)
      throw new AutogradError('ERR_NOT_LEAF', 'post accumulate grad hooks cannot be registered on non-leaf tensors');
    this.#afterAccumulate ??= [];
    this.#afterAccumulate.push(hook);
    return { remove: () => void (this.#afterAccumulate = this.#afterAccumulate?.filter((h) => h !== hook) ?? null) };
  }

  /** @internal */
  afterAccumulate(): void {
    if (this.#afterAccumulate !== null) for (const hook of this.#afterAccumulate.slice()) hook(this);
  }

  /**
   * Shows the contents of `other`, of the same shape and any dtype and device, from now on: how `module.to()` keeps the parameters that
   * optimizers hold. The history is not touched. PyTorch: `tensor.data = other`. @internal
   */
  become(other: Tensor): void {
    if (other.storage === this.storage && other.offset === this.offset) return;
    const old = this.storage;
    this.storage = other.storage;
    this.storage.handles++;
    const own = this as { shape: Shape; ownStrides: Shape | null; offset: number };
    own.shape = other.shape;
    own.ownStrides = other.ownStrides;
    own.offset = other.offset;
    this.#viewValue = null;
    if (--old.handles === 0 && old.saves === 0) old.release();
  }

  // ── the end ──

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** Gives its memory back at once, unless a view or the graph still needs it. Tensors that are not disposed of are collected in time. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { storage } = this;
    if (--storage.handles === 0 && storage.saves === 0) storage.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The same place in the graph for a tape that saved this tensor before it was disposed of. It counts as no handle. @internal */
  forTape(): Tensor {
    const t = keep(new Tensor(this.storage, this.shape, this.ownStrides, this.offset));
    t.storage.handles--;
    t.viewOf = this.viewOf;
    t.#gradFn = this.#gradFn;
    t.#requiresGrad = this.#requiresGrad;
    t.#viewVersion = this.#viewVersion;
    if (this.#requiresGrad && this.#gradFn === null) t.#accumulator = this.accumulator();
    return t;
  }
}
Object.defineProperty(Tensor.prototype, BRAND, { value: true });
