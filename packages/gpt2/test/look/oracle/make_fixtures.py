"""Writes ../fixtures/pytorch.json: what PyTorch's hooks read and change in the Shakespeare model.

    pip install torch transformers==5.24.0 safetensors
    python make_fixtures.py

Hugging Face's GPT2LMHeadModel in float64. Places are named as in src/look/places.ts; each is reached by a hook of a module: its
output, or the input of the one that reads it.
"""

import json
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).parent
MODEL = HERE / "../../../../../weights/shakespeare"
TEXTS = {  # "To be, or not to be", and as many tokens of "What is the matter, my lord"
    "ids": [398, 304, 11, 522, 321, 287, 304],
    "other": [462, 324, 267, 261, 1002, 11, 306],
}
EVERY = 16  # of the logits' columns

CASES = {
    "a head off": [{"place": "h.1.attn.head.2", "scale": 0}],
    "two heads and an MLP off": [
        {"place": "h.0.attn.head.0", "scale": 0},
        {"place": "h.3.attn.head.3", "scale": 0},
        {"place": "h.2.mlp.cProj", "scale": 0},
    ],
    "a direction added to the residual stream": [{"place": "x.2", "column": 17, "add": 3.5}],
    "the residual stream of one token doubled between attention and MLP": [{"place": "h.1.attended", "row": 4, "scale": 2}],
    "one neuron set for one token": [{"place": "h.2.mlp.hidden", "row": 2, "column": 100, "scale": 0, "add": 5}],
    "queries sharpened, keys dulled": [
        {"place": "h.0.attn.query", "scale": 3},
        {"place": "h.3.attn.key", "scale": 0.25},
    ],
    "values of one channel": [{"place": "h.2.attn.value", "column": 40, "add": -2}],
    "layer normalizations changed": [
        {"place": "h.0.ln1", "scale": 1.25},
        {"place": "h.3.ln2", "row": 6, "scale": -1},
        {"place": "lnF", "column": 3, "add": 1},
    ],
    "embeddings exchanged for another text's at one token": [{"place": "wte", "row": 1, "other": True}],
    "a residual stream patched in from another text": [{"place": "x.3", "row": 5, "other": True}],
    "a head's output patched in from another text": [{"place": "h.2.attn.head.1", "other": True}],
    "the last residual stream and the logits": [
        {"place": "x.4", "column": 0, "scale": 0},
        {"place": "logits", "column": 16, "add": 1},
    ],
}

model = transformers.GPT2LMHeadModel.from_pretrained(MODEL, attn_implementation="eager").double().eval()
stack = model.transformer
config = model.config
C, D, L = config.n_embd, config.n_embd // config.n_head, config.n_layer


def reach(place):
    """A module, whether the place is its input or its output, and the columns that the place has of it."""
    whole = slice(None)
    if place in ("wte", "wpe"):
        return getattr(stack, place), "out", whole
    if place == "lnF":
        return stack.ln_f, "out", whole
    if place == "logits":
        return model.lm_head, "out", whole
    if place == f"x.{L}":
        return stack.ln_f, "in", whole
    kind, number, *rest = place.split(".")
    block = stack.h[int(number)]
    if kind == "x":
        return block, "in", whole
    match rest:
        case ["ln1"]:
            return block.ln_1, "out", whole
        case ["ln2"]:
            return block.ln_2, "out", whole
        case ["attn", "cAttn"]:
            return block.attn.c_attn, "out", whole
        case ["attn", "query" | "key" | "value" as part]:
            first = ["query", "key", "value"].index(part) * C
            return block.attn.c_attn, "out", slice(first, first + C)
        case ["attn", "y"]:
            return block.attn.c_proj, "in", whole
        case ["attn", "head", head]:
            return block.attn.c_proj, "in", slice(int(head) * D, int(head) * D + D)
        case ["attn", "cProj"]:
            return block.attn.c_proj, "out", whole
        case ["mlp", "hidden"]:
            return block.mlp.c_proj, "in", whole
        case ["mlp", "cProj"]:
            return block.mlp.c_proj, "out", whole
    raise KeyError(place)


def hooked(place, function):
    """Puts what `function` makes of the value at a place into it; None leaves it. Returns the handles of the hooks."""
    if place.endswith(".attended"):  # the block adds in place: what is added to the sum is added to the attention's output
        block = stack.h[int(place.split(".")[1])]
        incoming = []
        arriving = block.register_forward_pre_hook(lambda module, args: incoming.append(args[0]))

        def add(module, args, output):
            total = incoming.pop() + output
            changed = function(total[0])
            return None if changed is None else output + (changed - total[0])[None]

        return [arriving, block.attn.c_proj.register_forward_hook(add)]
    module, side, columns = reach(place)

    def change(value):
        changed = function(value.reshape(-1, value.shape[-1])[:, columns])
        if changed is None:
            return None
        value = value.clone()
        value.reshape(-1, value.shape[-1])[:, columns] = changed
        return value

    if side == "out":
        return [module.register_forward_hook(lambda module, args, output: change(output))]

    def before(module, args):
        changed = change(args[0])
        return None if changed is None else (changed, *args[1:])

    return [module.register_forward_pre_hook(before)]


def run(ids, hooks):
    """Logits [T, V] and attention maps, with hooks: pairs of place and function."""
    handles = [handle for hook in hooks for handle in hooked(*hook)]
    with torch.no_grad():
        result = model(torch.tensor([ids]), output_attentions=True)
    for handle in handles:
        handle.remove()
    return result.logits[0], result.attentions


def read(ids, places):
    values = {}

    def reader(place):
        return place, lambda value: values.update({place: value.clone()})  # and returns None

    logits, attentions = run(ids, [reader(place) for place in places])
    return values, logits, attentions


def edit(change):
    """The function of a hook that a case describes."""
    other = read(TEXTS["other"], [change["place"]])[0][change["place"]] if change.get("other") else None

    def function(value):
        value = value.clone()
        rows = slice(None) if change.get("row") is None else slice(change["row"], change["row"] + 1)
        columns = slice(None) if change.get("column") is None else change["column"]
        if other is not None:
            value[rows] = other[rows]
        else:
            value[rows, columns] = value[rows, columns] * change.get("scale", 1) + change.get("add", 0)
        return value

    return change["place"], function


def numbers(tensor):
    return [float(f"{value:.8g}") for value in tensor.flatten().tolist()]


def contributions(position, target, against):
    """Gradient times part, of the logit with the final scale frozen: autograd knows nothing of our formula."""
    heads = [f"h.{layer}.attn.head.{head}" for layer in range(L) for head in range(config.n_head)]
    mlps = [f"h.{layer}.mlp.cProj" for layer in range(L)]
    values, logits, _ = read(TEXTS["ids"], ["wte", "wpe", f"x.{L}", *heads, *mlps])
    x = values[f"x.{L}"][position].clone().requires_grad_()
    scale = (x.var(unbiased=False) + config.layer_norm_epsilon).sqrt().detach()
    normalized = (x - x.mean()) / scale * stack.ln_f.weight.detach() + stack.ln_f.bias.detach()
    rows = model.lm_head.weight.detach()
    direction = rows[target] - (0 if against is None else rows[against])
    (normalized @ direction).backward()
    parts = {place: values[place][position] for place in ["wte", "wpe", *mlps]}
    for layer, block in enumerate(stack.h):
        weight = block.attn.c_proj.weight.detach()
        for head in range(config.n_head):
            place = f"h.{layer}.attn.head.{head}"
            parts[place] = values[place][position] @ weight[head * D : (head + 1) * D]
        parts[f"h.{layer}.attn.cProj.bias"] = block.attn.c_proj.bias.detach()
    logit = logits[position][target] - (0 if against is None else logits[position][against])
    sums = {place: float(f"{(part @ x.grad).item():.8g}") for place, part in parts.items()}
    sums["lnF.bias"] = float(f"{(stack.ln_f.bias.detach() @ direction).item():.8g}")
    assert abs(sum(sums.values()) - logit.item()) < 1e-5
    return {"position": position, "target": target, "against": against, "logit": logit.item(), "parts": sums}


def lens():
    """For each layer: the three likeliest tokens after each token, and the probabilities of those that follow."""
    streams = [f"x.{layer}" for layer in range(L + 1)]
    values, _, _ = read(TEXTS["ids"], streams)
    layers = {}
    for place in streams:
        with torch.no_grad():
            probabilities = model.lm_head(stack.ln_f(values[place])).softmax(-1)
        top = probabilities.topk(4)
        assert (top.values[:, :-1] - top.values[:, 1:]).min() > 1e-7  # no rounding decides an order
        following = torch.tensor(TEXTS["ids"][1:])
        layers[place] = {
            "ids": top.indices[:, :3].tolist(),
            "probabilities": numbers(top.values[:, :3]),
            "next": numbers(probabilities[:-1].gather(1, following[:, None])),
        }
    return layers


def main():
    layer = [
        "ln1", "attn.cAttn", "attn.query", "attn.key", "attn.value", "attn.y", "attn.head.3", "attn.cProj", "attended", "ln2",
        "mlp.hidden", "mlp.cProj",
    ]  # fmt: skip
    places = ["wte", "wpe", *(f"x.{i}" for i in range(L + 1)), *(f"h.2.{name}" for name in layer), "lnF", "logits"]
    values, logits, attentions = read(TEXTS["ids"], places)
    fixtures = {
        **TEXTS,
        "every": EVERY,
        "lastRows": {place: numbers(values[place][-1]) for place in places},
        "patterns": {f"h.{i}.attn.pattern": numbers(attention[0]) for i, attention in enumerate(attentions)},
        "cases": [
            {"title": title, "changes": changes, "logits": numbers(run(TEXTS["ids"], map(edit, changes))[0][:, ::EVERY])}
            for title, changes in CASES.items()
        ],
        "lens": lens(),
        "contributions": [contributions(6, int(logits[6].argmax()), None), contributions(3, 321, 304)],
        "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
    }
    path = HERE / "../fixtures/pytorch.json"
    path.write_text(json.dumps(fixtures, indent=None, separators=(",", ":")).replace('],"', '],\n"') + "\n")
    print(path.stat().st_size, "bytes")


main()
