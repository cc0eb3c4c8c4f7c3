"""A BERT in NumPy, independent of the one in TypeScript: writes examples/data/bert, a small model with random weights under Hugging Face's names
and what it answers. Formulas: Devlin et al. (2019), as transformers' BertModel computes them. Run: python examples/bert/reference.py
"""

import json
import math
import struct
from pathlib import Path

import numpy as np

CONFIG = dict(
    vocab_size=30, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=32,
    max_position_embeddings=12, type_vocab_size=2, layer_norm_eps=1e-12, hidden_dropout_prob=0.1,
)
WIDTH, HEADS = CONFIG["hidden_size"], CONFIG["num_attention_heads"]
rng = np.random.default_rng(7)
weights = {}


def draw(name, *shape, mean=0.0, std=0.3):
    weights[name] = (mean + std * rng.standard_normal(shape)).astype(np.float32)


def draw_linear(name, out_features, in_features):
    draw(f"{name}.weight", out_features, in_features)
    draw(f"{name}.bias", out_features)


def draw_norm(name):
    draw(f"{name}.weight", WIDTH, mean=1.0)
    draw(f"{name}.bias", WIDTH)


for table, rows in [("word", CONFIG["vocab_size"]), ("position", CONFIG["max_position_embeddings"]), ("token_type", CONFIG["type_vocab_size"])]:
    draw(f"bert.embeddings.{table}_embeddings.weight", rows, WIDTH)
draw_norm("bert.embeddings.LayerNorm")
for i in range(CONFIG["num_hidden_layers"]):
    layer = f"bert.encoder.layer.{i}"
    for part in ["query", "key", "value"]:
        draw_linear(f"{layer}.attention.self.{part}", WIDTH, WIDTH)
    draw_linear(f"{layer}.attention.output.dense", WIDTH, WIDTH)
    draw_norm(f"{layer}.attention.output.LayerNorm")
    draw_linear(f"{layer}.intermediate.dense", CONFIG["intermediate_size"], WIDTH)
    draw_linear(f"{layer}.output.dense", WIDTH, CONFIG["intermediate_size"])
    draw_norm(f"{layer}.output.LayerNorm")
draw_linear("bert.pooler.dense", WIDTH, WIDTH)
draw_linear("cls.seq_relationship", 2, WIDTH)  # a head that Bert has no use for


def linear(name, x):
    return x @ weights[f"{name}.weight"].astype(np.float64).T + weights[f"{name}.bias"].astype(np.float64)


def norm(name, x):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + CONFIG["layer_norm_eps"])
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention(name, x, bias):
    n, t, _ = x.shape
    q, k, v = (linear(f"{name}.self.{part}", x).reshape(n, t, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3) for part in ["query", "key", "value"])
    scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(WIDTH // HEADS) + bias
    context = (softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(n, t, WIDTH)
    return norm(f"{name}.output.LayerNorm", linear(f"{name}.output.dense", context) + x)


words = rng.integers(0, CONFIG["vocab_size"], (2, 9)).astype(np.int32)
types = np.array([[0] * 5 + [1] * 4, [0] * 4 + [1] * 5], np.int32)
mask = np.array([[1] * 9, [1] * 6 + [0] * 3], np.int32)  # 0 is padding

embedding = lambda table: weights[f"bert.embeddings.{table}_embeddings.weight"].astype(np.float64)
x = norm("bert.embeddings.LayerNorm", embedding("word")[words] + embedding("position")[: words.shape[1]] + embedding("token_type")[types])
bias = np.where(mask[:, None, None, :] == 1, 0.0, -1e30)
for i in range(CONFIG["num_hidden_layers"]):
    layer = f"bert.encoder.layer.{i}"
    y = attention(f"{layer}.attention", x, bias)
    x = norm(f"{layer}.output.LayerNorm", linear(f"{layer}.output.dense", gelu(linear(f"{layer}.intermediate.dense", y))) + y)
pooled = np.tanh(linear("bert.pooler.dense", x[:, 0]))


def save(path, tensors, metadata):
    names = {np.dtype(np.float32): "F32", np.dtype(np.int32): "I32"}
    header, data = {"__metadata__": metadata}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


out = Path(__file__).parent.parent / "data" / "bert"
out.mkdir(parents=True, exist_ok=True)
(out / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
save(out / "model.safetensors", weights, {"format": "pt"})
answers = dict(words=words, types=types, mask=mask, last_hidden_state=x.astype(np.float32), pooler_output=pooled.astype(np.float32))
save(out / "answers.safetensors", answers, {"made_by": "examples/bert/reference.py"})
