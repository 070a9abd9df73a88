"""Recomputes the reference values of this folder from Hugging Face `transformers` in float64.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python reference.py                 # recompute everything, compare with the files, print the differences
    venv/bin/python reference.py --write DIR     # also write the recomputed files, laid out like these, into DIR
    venv/bin/python reference.py --write . stories   # as stories.safetensors was made: its prompts are stories-prompts.json
    venv/bin/python reference.py synthetic-tiny  # only one model

The forward pass is transformers' own `GPT2LMHeadModel` (eager attention) moved to float64; the values are rounded to
float32 only when they are compared or written. The prompts and the positions whose logits are kept are those of the
files; those of `stories` are compared with its texts, which the package `tokenizers` encodes. Exits with status 1 when a value differs by more than `BOUND`.
"""
import argparse, hashlib, json, pathlib, sys
import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel
import synthetic

HERE = pathlib.Path(__file__).parent
TRAINED = {name: HERE.parent.parent / "weights" / name for name in ["shakespeare", "stories"]}
# The largest accepted difference between a float64 value and a stored one: half a unit in the last place of the largest
# float32 here (the residual stream reaches 85: 3.8e-6), and a little for values at a rounding boundary.
BOUND = 4e-6


def checkpoint(name):
    """name -> (config as a dict, tensors by GPT-2's names)"""
    if name in TRAINED:
        with safe_open(TRAINED[name] / "model.safetensors", "np") as f:
            weights = {key.removeprefix("transformer."): f.get_tensor(key) for key in f.keys()}
        return json.loads((TRAINED[name] / "config.json").read_text()), weights
    weights = synthetic.build(name)
    stored = json.loads((HERE / f"{name}.json").read_text())
    assert stored["config"] == synthetic.config(name), f"{name}.json: config differs from synthetic.py"
    assert list(stored["tensors"]) == list(weights), f"{name}.json: tensors differ from synthetic.py"
    for key, value in weights.items():
        digest = hashlib.sha256(value.tobytes()).hexdigest()
        assert digest == stored["tensors"][key]["sha256"], f"{name}.json: SHA-256 of {key} differs"
    return stored["config"], weights


def model(name):
    config, weights = checkpoint(name)
    no_dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    config = GPT2Config(**{k: v for k, v in config.items() if k != "architectures"} | no_dropout,
                        attn_implementation="eager")
    # LayerNorm, GELU and softmax all follow the dtype of the weights, so .double() makes the whole pass float64.
    with torch.device("meta"):
        net = GPT2LMHeadModel(config)
    net = net.to_empty(device="cpu").double()
    weights = {k: v for k, v in weights.items() if not k.endswith((".attn.bias", ".attn.masked_bias"))}
    head = weights.pop("lm_head.weight", weights["wte.weight"])
    assert np.array_equal(head, weights["wte.weight"]), "the head is tied to the embedding"
    state = {"transformer." + k: torch.from_numpy(v.astype(np.float64)) for k, v in weights.items()}
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    net.tie_weights()
    return net.eval()


@torch.no_grad()
def run(net, ids):
    """logits [T, V], logprobs [T-1] and the residual stream after each block [L, T, D], all float64"""
    ids = torch.tensor(np.asarray(ids), dtype=torch.long)
    residual = []
    hooks = [block.register_forward_hook(lambda _m, _i, out: residual.append((out[0] if isinstance(out, tuple) else out)))
             for block in net.transformer.h]
    logits = net(ids[None], use_cache=False).logits[0]
    for hook in hooks:
        hook.remove()
    assert logits.dtype == torch.float64
    logprobs = torch.log_softmax(logits, -1)[:-1].gather(-1, ids[1:, None])[:, 0]
    hidden = torch.stack([r.reshape(len(ids), -1) for r in residual])
    return {"logits": logits.numpy(), "logprobs": logprobs.numpy(), "hidden": hidden.numpy()}


def stored_values(name):
    """What is in the file of a model: by prompt and what it is. Without a file, of `stories`, the ids and what is to be computed."""
    path = HERE / f"{name}.safetensors"
    stored = {}
    if path.exists():
        with safe_open(path, "np") as f:
            stored = {key: f.get_tensor(key) for key in f.keys()}
    if name == "stories":
        encode = ByteLevelBPETokenizer(*(str(TRAINED[name] / file) for file in ["vocab.json", "merges.txt"])).encode
        for prompt, given in json.loads((HERE / "stories-prompts.json").read_text()).items():
            for key, expected in [("ids", encode(given["text"]).ids), ("positions", given["positions"])]:
                expected = np.array(expected, np.int32)
                found = stored.setdefault(f"{prompt}.{key}", expected)
                assert np.array_equal(found, expected), f"{name} {prompt}.{key}: not what stories-prompts.json says"
            for key in ["logits", "logprobs"] + ["hidden"] * (prompt == "A"):
                stored.setdefault(f"{prompt}.{key}", None)
    return stored


def compare(name, write):
    net = model(name)
    stored = stored_values(name)
    worst = 0.0
    fresh = {}
    for prompt in sorted({key.split(".")[0] for key in stored}, key=lambda p: (len(p), p)):
        ids = stored[f"{prompt}.ids"]
        if name.startswith("synthetic"):
            T, V = int(prompt[1:]), net.config.vocab_size
            expected = synthetic.lowbias32(np.arange(T, dtype=np.uint64) + 1000 + T) % np.uint32(V)
            assert np.array_equal(ids, expected), f"{name} {prompt}: the prompt is not the documented one"
        values = run(net, ids)
        positions = stored.get(f"{prompt}.positions", np.arange(len(ids)))
        values["logits"] = values["logits"][positions]
        for key in (k for k in stored if k.startswith(prompt + ".")):
            what = key.split(".")[1]
            if what in ("ids", "positions"):
                fresh[key] = stored[key]
                continue
            fresh[key] = values[what].astype(np.float32)
            if stored[key] is None:
                print(f"{name:15} {key:15} {str(list(fresh[key].shape)):16} new")
                continue
            assert fresh[key].shape == stored[key].shape, (name, key, fresh[key].shape, stored[key].shape)
            difference = np.abs(values[what] - stored[key].astype(np.float64))
            identical = np.mean(fresh[key] == stored[key]) if stored[key].size else 1.0
            largest = difference.max(initial=0.0)
            worst = max(worst, largest)
            print(f"{name:15} {key:15} {str(list(stored[key].shape)):16} max {largest:.2e}  "
                  f"identical as float32 {identical:8.3%}  largest value {np.abs(stored[key]).max(initial=0.0):.1f}")
        if name in TRAINED:
            print(f"{name:15} {prompt}: sum of log-probabilities {values['logprobs'].sum():.5f}")
    if write:
        save_file(fresh, pathlib.Path(write) / f"{name}.safetensors")
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["synthetic-tiny", "shakespeare", "stories", "synthetic-124m"])
    parser.add_argument("--write", metavar="DIR")
    options = parser.parse_args()
    import transformers
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, numpy {np.__version__}")
    worst = max(compare(name, options.write) for name in options.models)
    print(f"largest difference {worst:.2e}, bound {BOUND:.0e}")
    sys.exit(1 if worst > BOUND else 0)
