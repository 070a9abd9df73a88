"""Logits of one small model under the configs that a GPT-2 checkpoint may have, by Hugging Face `transformers`.

    python make_checkpoints.py      (transformers 5.24.0, torch 2.15.0; writes ./checkpoints)

`model.safetensors` is what `save_pretrained` writes; `lm_head.safetensors` holds another output layer for it. `kinds.json` says for each
kind how its config.json reads and which tensors are added to, or left out of, the model's. `logits.safetensors` holds what
`GPT2LMHeadModel.from_pretrained` of that folder computes in float32, `[7, 64]` by kind.
"""

import json
import logging
import pathlib
import shutil
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

transformers.logging.set_verbosity_error()
logging.disable(logging.WARNING)
torch.manual_seed(2026)
IDS = [5, 17, 20, 30, 7, 7, 60]
out = pathlib.Path(__file__).with_name("checkpoints")
shutil.rmtree(out, ignore_errors=True)
out.mkdir()

sizes = {"vocab_size": 64, "n_positions": 12, "n_embd": 16, "n_layer": 2, "n_head": 2}
model = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=63, eos_token_id=63))
with torch.no_grad():  # larger than at initialization: activations must be seen where they bend, and differ
    for name, parameter in model.named_parameters():
        shift = 1.0 if "ln_" in name and name.endswith("weight") else 0.0
        parameter.copy_(shift + torch.randn_like(parameter) * (0.35 if parameter.dim() == 2 else 0.2))
saved = out / "saved"
model.save_pretrained(saved)
shutil.copy(saved / "model.safetensors", out / "model.safetensors")
base = (saved / "config.json").read_text()
shutil.rmtree(saved)
other = torch.randn(64, 16) * 0.35
save_file({"lm_head.weight": other}, out / "lm_head.safetensors")


def config(without=(), **changes):
    fields = {key: value for key, value in json.loads(base).items() if key not in without}
    return json.dumps(fields | changes, indent=1)


ACTIVATIONS = ["gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate", "gelu", "gelu_python",
               "quick_gelu", "relu", "silu", "swish", "sigmoid", "tanh", "linear"]  # fmt: skip
SIZES = ["n_embd", "n_layer", "n_head", "n_positions"]
head, same = {"lm_head.weight": "other"}, {"lm_head.weight": "transformer.wte.weight"}
kinds = {
    "as saved": {"config": base},
    **{name: {"config": config(activation_function=name)} for name in ACTIVATIONS},
    "scores not scaled": {"config": config(scale_attn_weights=False)},
    "scores scaled by layer": {"config": config(scale_attn_by_inverse_layer_idx=True)},
    "scores scaled by layer only": {"config": config(scale_attn_weights=False, scale_attn_by_inverse_layer_idx=True)},
    "upcast attention": {"config": config(reorder_and_upcast_attn=True)},
    "another epsilon": {"config": config(layer_norm_epsilon=0.01)},
    "other names of sizes": {
        "config": config(without=SIZES, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=12)
    },
    "fields left out": {"config": json.dumps({"model_type": "gpt2", **sizes})},
    "Infinity and NaN": {"config": config(time_limit=float("inf"), least=-float("inf"), note=[float("nan"), "NaN, -Infinity"])},
    "an output layer of its own": {"config": config(tie_word_embeddings=False), "add": head},
    "tied, with another output layer": {"config": config(), "add": head},
    "tied, with the same output layer": {"config": config(), "add": same},
    "tied, with the output layer only": {"config": config(), "add": same, "remove": ["transformer.wte.weight"]},
    "beside a classification head": {"config": config(), "add": {"score.weight": "other"}},
}

logits = {}
for name, kind in kinds.items():
    with tempfile.TemporaryDirectory() as folder:
        tensors = load_file(out / "model.safetensors")
        added = {to: other if what == "other" else tensors[what].clone() for to, what in kind.get("add", {}).items()}
        tensors = {key: value for key, value in (tensors | added).items() if key not in kind.get("remove", [])}
        save_file(tensors, pathlib.Path(folder, "model.safetensors"), metadata={"format": "pt"})
        pathlib.Path(folder, "config.json").write_text(kind["config"])
        loaded = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        with torch.no_grad():
            logits[name] = loaded(torch.tensor([IDS])).logits[0].contiguous()
save_file(logits, out / "logits.safetensors")
fields = sorted(GPT2Config().to_dict()) + sorted(GPT2Config.attribute_map)  # all that a config.json may hold
(out / "kinds.json").write_text(json.dumps({"ids": IDS, "fields": fields, "kinds": kinds}, indent=1) + "\n")
(out / "kinds.json").chmod(0o644)
reference = logits["as saved"]
for name, values in logits.items():
    print(f"{name:40} largest logit {values.abs().max():6.3f}, from GPT-2's {(values - reference).abs().max():8.5f}")
print(sum(file.stat().st_size for file in out.iterdir()), "bytes")
