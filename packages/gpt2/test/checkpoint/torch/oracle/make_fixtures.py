"""Writes ../fixtures: files of `torch.save` in both formats, what they hold, and the logits of the models in them.

    pip install torch==2.15 transformers==5.24.0 safetensors numpy
    python make_fixtures.py

All weights are multiples of 1/1024 below 1/4 (gains: of 1/128), which every float type holds exactly: so all files of a model
hold the same numbers, whatever their dtype.
"""

import collections
import json
import os
import pickle
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel

FIXTURES = Path(__file__).parent.parent / "fixtures"
SIZES = dict(n_layer=2, n_head=2, n_embd=8)
VOCABULARY, POSITIONS = 40, 8
IDS = [5, 17, 20, 39, 7, 7, 0]


def set_weights(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator).clamp(-3, 3)
            if ".ln_" in name and name.endswith("weight"):
                parameter.copy_(1 + (noise * 16).round() / 128)
            else:
                parameter.copy_((noise * 80).round() / 1024)


def logits_of(model, **kwargs):
    with torch.no_grad():
        return model(torch.tensor([IDS]), **kwargs)


def hub():
    config = GPT2Config(**SIZES, vocab_size=VOCABULARY, n_positions=POSITIONS, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(config).eval()
    set_weights(model, 20190929)
    state = collections.OrderedDict(model.state_dict())
    expected = {name.removeprefix("transformer."): t.contiguous() for name, t in state.items() if name != "lm_head.weight"}
    logits = logits_of(model).logits[0]
    save_file({**{k: t.clone() for k, t in expected.items()}, "logits": logits.contiguous()}, FIXTURES / "hub.safetensors")
    fields = ("model_type", "n_layer", "n_head", "n_embd", "n_positions", "vocab_size", "activation_function", "layer_norm_epsilon")
    (FIXTURES / "config.json").write_text(json.dumps({f: getattr(config, f) for f in fields}, indent=2) + "\n")

    # As `save_pretrained` wrote it: tied embeddings share a storage; `_metadata` is an attribute of the dict.
    state._metadata = model.state_dict()._metadata
    torch.save(state, FIXTURES / "zip.bin")
    torch.save(state, FIXTURES / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.serialization.set_crc32_options(False)
    torch.save(state, FIXTURES / "no-crc.bin")
    torch.serialization.set_crc32_options(True)

    # Buffers of older versions, parameters instead of tensors, and every float type.
    mixed = collections.OrderedDict()
    types = [torch.float64, torch.float16, torch.bfloat16, torch.float32]
    for i, (name, tensor) in enumerate(expected.items()):
        mixed[name] = nn.Parameter(tensor.to(types[i % 4]))
        if name.endswith("ln_1.bias"):
            block = name.removesuffix("ln_1.bias")
            mixed[f"{block}attn.bias"] = torch.ones(POSITIONS, POSITIONS, dtype=torch.uint8).tril()[None, None]
            mixed[f"{block}attn.masked_bias"] = torch.tensor(-1e4)
    mixed["steps"] = torch.arange(3)
    torch.save(mixed, FIXTURES / "mixed.zip.bin")
    torch.save(mixed, FIXTURES / "mixed.legacy.bin", _use_new_zipfile_serialization=False)

    # Views: transposed, one column of several, part of a larger storage, all vectors in one storage.
    vectors = torch.cat([t for t in expected.values() if t.dim() == 1])
    strided, at = collections.OrderedDict(), 0
    for i, (name, tensor) in enumerate(expected.items()):
        if tensor.dim() == 1:
            strided[name] = vectors[at : at + len(tensor)]
            at += len(tensor)
        elif i % 3 == 0:
            strided[name] = tensor.t().contiguous().t()
        elif i % 3 == 1:
            strided[name] = torch.stack([torch.zeros_like(tensor), tensor], -1)[..., 1]
        else:
            strided[name] = torch.cat([torch.ones(3, tensor.shape[1]), tensor])[3:]
    for name, tensor in strided.items():
        assert torch.equal(tensor, expected[name])
    torch.save(strided, FIXTURES / "strided.zip.bin")
    torch.save(strided, FIXTURES / "strided.legacy.bin", _use_new_zipfile_serialization=False)

    # Two shards, one of each format.
    names = list(state)
    shards = [names[:9], names[9:]]
    files = [f"pytorch_model-0000{i}-of-00002.bin" for i in (1, 2)]
    for i, (file, part) in enumerate(zip(files, shards)):
        torch.save({name: state[name].clone() for name in part}, FIXTURES / file, _use_new_zipfile_serialization=i == 0)
    weight_map = {name: file for file, part in zip(files, shards) for name in part}
    (FIXTURES / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}, indent=1))

    torch.save({"epoch": 3, "state_dict": {f"module.{k}": t for k, t in expected.items()}}, FIXTURES / "training.pth")


class Norm(nn.Module):
    def __init__(self, width, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class SelfAttention(nn.Module):
    def __init__(self, width, heads, bias, buffer):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width, bias=bias)
        self.c_proj = nn.Linear(width, width, bias=bias)
        if buffer:
            self.register_buffer("bias", torch.ones(POSITIONS, POSITIONS).tril()[None, None])

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (y.view(batch, length, self.heads, -1).transpose(1, 2) for y in self.c_attn(x).split(width, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(batch, length, width))


class Mlp(nn.Module):
    def __init__(self, width, bias, approximate):
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width, bias=bias)
        self.c_proj = nn.Linear(4 * width, width, bias=bias)
        self.activation = nn.GELU(approximate=approximate)

    def forward(self, x):
        return self.c_proj(self.activation(self.c_fc(x)))


class Layer(nn.Module):
    def __init__(self, width, heads, bias, approximate, buffer):
        super().__init__()
        self.ln_1, self.attn = Norm(width, bias), SelfAttention(width, heads, bias, buffer)
        self.ln_2, self.mlp = Norm(width, bias), Mlp(width, bias, approximate)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class NanoLike(nn.Module):
    """A GPT with the parameters of nanoGPT's: the same names, linear weights `[out, in]`, biases only if asked for."""

    def __init__(self, bias, approximate="none", buffer=False):
        super().__init__()
        width, heads = SIZES["n_embd"], SIZES["n_head"]
        layers = [Layer(width, heads, bias, approximate, buffer) for _ in range(SIZES["n_layer"])]
        self.transformer = nn.ModuleDict(
            dict(wte=nn.Embedding(VOCABULARY, width), wpe=nn.Embedding(POSITIONS, width), h=nn.ModuleList(layers), ln_f=Norm(width, bias))
        )
        self.lm_head = nn.Linear(width, VOCABULARY, bias=False)
        self.transformer.wte.weight = self.lm_head.weight

    def forward(self, ids):
        x = self.transformer.wte(ids) + self.transformer.wpe.weight[: ids.shape[1]]
        for layer in self.transformer.h:
            x = layer(x)
        return self.lm_head(self.transformer.ln_f(x))


def nanogpt():
    # As `train.py` saves it, compiled and without biases.
    model = NanoLike(bias=False).eval()
    set_weights(model, 1)
    optimizer = torch.optim.AdamW(model.parameters())
    before = logits_of(model)[0].clone()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    state = {f"_orig_mod.{k}": t.clone() for k, t in model.state_dict().items()}
    state["_orig_mod.lm_head.weight"] = state["_orig_mod.transformer.wte.weight"]
    optimizer.step()
    checkpoint = {
        "model": state,
        "optimizer": optimizer.state_dict(),
        "model_args": dict(**SIZES, block_size=POSITIONS, bias=False, vocab_size=VOCABULARY, dropout=0.0),
        "iter_num": 2000,
        "best_val_loss": torch.tensor(1.5),
        "config": {"dataset": "shakespeare", "learning_rate": 6e-4, "decay_lr": True},
    }
    torch.save(checkpoint, FIXTURES / "ckpt.pt")

    # The tanh form of GELU, as in older versions; biases, and causal masks as buffers.
    biased = NanoLike(bias=True, approximate="tanh", buffer=True).eval()
    set_weights(biased, 2)
    tensors = {k: t.clone() for k, t in biased.state_dict().items()}
    save_file(tensors, FIXTURES / "nanogpt.safetensors")
    save_file({"ckpt": before, "biased": logits_of(biased)[0]}, FIXTURES / "nanogpt.logits.safetensors")


class Hostile:
    def __reduce__(self):
        return (os.system, ("echo ran > ran",))


def hostile():
    torch.save({"wte.weight": Hostile()}, FIXTURES / "hostile.zip.bin")
    torch.save({"wte.weight": Hostile()}, FIXTURES / "hostile.legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(torch.ones(2), FIXTURES / "tensor.bin")
    torch.save({"step": 1, "losses": [1.0, 2.0]}, FIXTURES / "no-tensors.bin")
    torch.save({"model": {"a": torch.ones(1)}, "state_dict": {"a": torch.ones(1)}}, FIXTURES / "two-state-dicts.bin")
    torch.save(nn.Linear(2, 2), FIXTURES / "module.bin")
    (FIXTURES / "pickle.bin").write_bytes(pickle.dumps({"a": 1}, 2))
    module = torch.jit.script(nn.Linear(2, 2))
    module.save(str(FIXTURES / "torchscript.pt"))


if __name__ == "__main__":
    shutil.rmtree(FIXTURES, ignore_errors=True)
    FIXTURES.mkdir()
    hub()
    nanogpt()
    hostile()
