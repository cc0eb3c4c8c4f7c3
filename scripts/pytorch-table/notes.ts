/** @file What docs/pytorch.md says beside a name: names that differ, behaviour that differs, and why something is left out. */

/** PyTorch's names whose camelCase is not ours, by area or in general. */
export const RENAMED: Readonly<Record<string, string>> = {
  ndimension: 'ndim',
  nelement: 'numel',
  tolist: 'toArray',
  numpy: 'data',
  from_numpy: 'tensor',
  as_tensor: 'tensor',
  asarray: 'tensor',
  ger: 'outer',
  igamma: 'gammainc',
  set_anomaly_enabled: 'autograd.setDetectAnomaly',
  bartlett_window: 'signal.windows.bartlett',
  blackman_window: 'signal.windows.blackman',
  hamming_window: 'signal.windows.hamming',
  hann_window: 'signal.windows.hann',
  kaiser_window: 'signal.windows.kaiser',
  hvp: 'autograd.functional.hvp',
  grid_sampler: 'gridSample',
  affine_grid_generator: 'affineGrid',
  native_channel_shuffle: 'channelShuffle',
  is_signed: 'DTYPE_INFO',
  load: 'io.loadTorch',
  get_default_device: 'runtimes',
  get_default_dtype: 'DTYPES',
  get_rng_state: 'Generator',
  set_rng_state: 'Generator',
  initial_seed: 'Generator',
  seed: 'Generator',
  save: 'io.saveTorch',
  dtype: 'DTYPES',
  device: 'Device',
  grid_sampler_2d: 'gridSample',
  grid_sampler_3d: 'gridSample',
  chain_matmul: 'linalg.multiDot',
  frobenius_norm: 'norm',
  nuclear_norm: 'norm',
  narrow_copy: 'narrow',
  clip_grad_norm: 'clipGradNorm_',
  short: 'to',
  cpu: 'to',
  BasePruningMethod: 'pruneWith',
  CustomFromMask: 'customFromMaskMethod',
  Identity: 'identityMethod',
  L1Unstructured: 'l1UnstructuredMethod',
  LnStructured: 'lnStructuredMethod',
  RandomStructured: 'randomStructuredMethod',
  RandomUnstructured: 'randomUnstructuredMethod',
};

/** What is there as a type alone, or is written by those who extend a class: no export at run time tells. */
export const BY_TYPE: Readonly<Record<string, string>> = {
  'utils.data/Dataset': 'data.Dataset',
  'utils.data/Sampler': 'data.Sampler',
  'utils.data/IterableDataset': 'data.IterableDataset',
  'autograd.Function/register_hook': '.registerHook',
  'autograd.Function/forward': '.forward',
  'autograd.Function/backward': '.backward',
};

/** Names that are there and do not behave just as PyTorch's. */
export const DIFFERS: Readonly<Record<string, string>> = {
  LBFGS: 'reads the device; `stepAsync` works everywhere',
  AveragedModel: 'has no deep copy: `create` makes the model that holds the averages, unless its class takes no arguments',
  update_bn: 'async, as loaders are',
  nonzero: 'reads the device; `nonzeroAsync` works everywhere',
  masked_select: 'reads the device; `maskedSelectAsync` works everywhere',
  unique: 'reads the device; `uniqueAsync` works everywhere',
  unique_consecutive: 'reads the device; `uniqueConsecutiveAsync` works everywhere',
  item: 'reads the device; `itemAsync` works everywhere',
  tolist: 'reads the device; `toArrayAsync` works everywhere',
  numpy: 'gives a typed array; `dataAsync` works everywhere',
  one_hot: 'with −1 classes it reads the device; `oneHotAsync` works everywhere',
  ctc_loss: 'lengths that are tensors are read; `ctcLossAsync` works everywhere',
  CTCLoss: 'lengths that are tensors are read; `forwardAsync` works everywhere',
  AdaptiveLogSoftmaxWithLoss: 'targets are read; `forwardAsync` works everywhere',
  argmax: 'int32',
  argmin: 'int32',
  argsort: 'indices are int32',
  sort: 'indices are int32',
  topk: 'indices are int32',
  arange: 'whole numbers make int32, where PyTorch has int64',
  tensor: 'numbers make float32 (JavaScript cannot tell 1 from 1.0); int64 is int32',
  get_default_dtype: 'always float32',
  dropout: 'noise is made on the device; `rng: "torch"` draws as PyTorch’s CPU does',
  Dropout: 'noise is made on the device; `rng: "torch"` draws as PyTorch’s CPU does',
  TransformerEncoder: 'copies layers by their `clone()`, or takes a function that makes them; no nested tensors',
  TransformerDecoder: 'copies layers by their `clone()`, or takes a function that makes them',
  TransformerEncoderLayer: 'no inference path of its own: padded places hold what the formula gives, not zeros',
  vector_to_parameters: 'copies, where PyTorch makes the parameters views of the vector',
  orthogonal: 'of nn.utils.parametrizations: weights that are orthogonal already are made so again',
  pack_padded_sequence: 'lengths that are a tensor are read; `packPaddedSequenceAsync` works everywhere',
  pad_packed_sequence: 'lengths come as numbers',
  PackedSequence: 'batch sizes and orders are arrays of numbers',
  BasePruningMethod: 'methods are objects with `computeMask`, applied by `pruneWith`',
  Embedding: 'no sparse gradients',
  EmbeddingBag: 'no sparse gradients',
  orthogonal_: 'Gram and Schmidt’s method on the host: PyTorch’s values up to rounding',
  num_batches_tracked: 'int32',
  short: 'there is no int16; int32',
  to: 'moves within a program; `toAsync` works on devices that cannot be read at once',
  cpu: '`to("cpu")`, or `toAsync("cpu")`',
  load: 'safetensors, PyTorch’s .pt and NumPy’s files, under `io`',
  is_signed: 'a field of `DTYPE_INFO[dtype]`',
  get_default_device: '`runtimes.current.device`',
  get_rng_state: '`runtimes.current.generator.getState()`',
  set_rng_state: '`runtimes.current.generator.setState(bytes)`',
  initial_seed: '`runtimes.current.generator.initialSeed()`',
  seed: '`runtimes.current.generator.seed()`',
  save: 'safetensors, PyTorch’s .pt and NumPy’s files, under `io`',
  dtype: 'dtypes are strings, such as `"float32"`',
  poisson: 'reads the rates; `poissonAsync` works everywhere',
  binomial: 'reads its parameters; `binomialAsync` works everywhere',
  random_: 'int64 is int32; a bound that the dtype cannot hold exactly is an error',
};

const COMPLEX = 'complex numbers are left out';
const SPARSE = 'sparse tensors are left out';
const QUANTIZED = 'PyTorch’s quantized tensors are left out';
const NAMED = 'named tensors are left out';
const VENDOR = 'of one vendor’s library';
const DEVICE = 'PyTorch’s own devices; here `device` says where';
const INTERNAL = 'PyTorch’s inner workings';
const PYTHON = 'Python’s own';
const FACTOR = 'matrix factorisations are left out';
const FOURIER = 'Fourier transforms are complex';
const STORAGE = 'storages are no part of the API';
const DEPRECATED = 'deprecated in PyTorch';
const POLYNOMIAL = 'rare special functions are left out';
const TORCHSCRIPT = 'TorchScript and compilers of PyTorch';

/** Why a missing name is missing: the first that fits. */
export const LEFT_OUT: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/complex|conj|^(imag|real|angle|polar|H|mH|cdouble|cfloat|chalf|view_as_real.*|resolve_neg|is_neg|isreal)$/, COMPLEX],
  [
    /sparse|^(crow|ccol|col|row)_indices|^(indices|values)(_copy)?$|coalesce|^(smm|hsmm|dsmm|saddmm|sspaddmm|spmm|hspmm|dense_dim|to_dense|is_nested)$|^SparseAdam$/,
    SPARSE,
  ],
  [/quant|^q_|^qscheme$|^int_repr$|fbgemm|fake_|fused_moving|^quint|^qint/, QUANTIZED],
  [/^(align_|refine_names|rename|has_names|names$|name$)/, NAMED],
  [/^(cudnn|miopen|mkldnn|to_mkldnn|is_mkldnn)/, VENDOR],
  [
    /^(is_)?(cuda|ipu|xpu|mtia|maia|meta|mps|vulkan|xla|hpu)$|pin_memory|is_pinned|get_device|record_stream|is_vulkan_available|^share_memory|is_shared|is_cpu|DataParallel|Distributed|distributed|SyncBatchNorm/,
    DEVICE,
  ],
  [
    /storage|^(set_|is_set_to|data_ptr|resize|resize_as|resize_as_|resize_|dim_order|layout|empty_permuted|new_empty_strided)$|memory_format|from_file|frombuffer/,
    STORAGE,
  ],
  [/^sym_|script|^parse_|import_ir|unify_type|merge_type|^(compile|cond|fork|wait|functionalize|debug_unwrap)$|vital|^__/, TORCHSCRIPT],
  [
    /^(cholesky_(solve|inverse|ex)|eig.*|geqrf|householder_product|inv_ex|ldl.*|lobpcg|logdet|lstsq|lu.*|matrix_exp|matrix_rank|orgqr|ormqr|pca_lowrank|pinv|pinverse|qr|slogdet|solve|solve_ex|solve_triangular|svd|svd_lowrank|symeig|tensorinv|tensorsolve|triangular_solve|cond|vecdot|cholesky|kron)$/,
    FACTOR,
  ],
  [/^i?stft$/, FOURIER],
  [/^convolution$/, 'the inner form of conv1d, conv2d and conv3d'],
  [/^char$/, 'there is no int8'],
  [/^(choose_qparams_optimized)$/, QUANTIZED],
  [/^histogramdd$/, 'rare; `histogram` has one dimension'],
  [/^is_(anomaly|inference_mode)/, 'what is on is seen in `setDetectAnomaly` and `inferenceMode` alone'],
  [/^(default_convert|transfer_parametrizations_and_params|PruningContainer)$/, INTERNAL],
  [/polynomial|bessel|airy|gammainc|igamma/, POLYNOMIAL],
  [
    /^(as_subclass|module_load|apply_|map_|map2_|reinforce|new|type|storage_type|is_nonzero|is_same_size|typename|variable|Variable|volatile|output_nr|retains_grad|NestedIOFunction|grad_mode|OptimizerPostHook|OptimizerPreHook|profile_hook_step|Callable|Literal|Union|bind|PackedSequence_|_DatasetKind|T_destination|call_super_init|dump_patches|set_multithreading_enabled)$/,
    PYTHON,
  ],
  [
    /batch_norm_|native_|unsafe_|hash_tensor|segment_reduce|norm_except_dim|feature_dropout|autocast|set_default|set_num|get_num|get_float32|set_float32|deterministic|flush_denormal|warn_always|init_num_threads|get_autocast|slice_inverse|to_padded_tensor/,
    INTERNAL,
  ],
  [
    /DataPipe|datapipe|DataChunk|runtime_validation|argument_validation|guaranteed|non_deterministic/,
    'data pipes are deprecated in PyTorch',
  ],
  [
    /^(constant|dirac|eye|kaiming_normal|kaiming_uniform|normal|orthogonal|sparse|uniform|xavier_normal|xavier_uniform|clip_grad_norm|Container|NLLLoss2d|range|register_backward_hook|remove_spectral_norm|remove_weight_norm|weight_norm|spectral_norm|chain_matmul)$/,
    DEPRECATED,
  ],
  [
    /^(setup_context|vmap|jvp|linearize|jacfwd|stack_module_state|save_for_forward|maybe_clear_saved_tensors|register_prehook)$/,
    'forward-mode and vectorised derivatives are left out',
  ],
  [/^(custom_bwd|custom_fwd|GradScaler)$/, 'for half-precision training on CUDA'],
  [/^skip_init$/, 'weights are drawn in no time; there is no device without memory'],
  [/^convert_conv/, 'memory formats are the backend’s'],
];

/** Areas that are left out whole. */
export const WHOLE: readonly (readonly [area: string, reason: string])[] = [
  ['torch.fft', 'Fourier transforms are complex'],
  ['torch.distributions', 'a package of its own, not begun'],
  ['torch.sparse, torch.ao.quantization, torch.jit, torch.distributed, torch.export', 'left out, as above'],
];
