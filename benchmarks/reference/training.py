"""Steps of training as PyTorch takes them, in float64: losses, norms, and what tells one gradient from another.

    venv/bin/python training.py                 # with the versions of requirements.txt; writes training-*.json
    venv/bin/python training.py synthetic-tiny  # only one model

The model is transformers' own `GPT2LMHeadModel` (see reference.py), the optimizer `torch.optim.AdamW` with decay on matrices and tables
only, clipping `clip_grad_norm_`. Each step has sequences of its own; its loss is the mean over the targets of all of them.

    token i of sequence j of step s   lowbias32(i + 4096 (16 s + j)) % vocab, one more than its length: the last is a target only
    rate of step s                    rises to `learningRate` in equal steps, then falls as a cosine (`rate`)

Of the gradients of the first steps, before clipping, these are kept: the norm of each, and eight projections, sum of g[i] times 1 or -1
by bit 24 + k of lowbias32(i + FNV-1a("projection " + name)), i being the row-major number of an element.
"""
import json, math, pathlib, sys
import numpy as np
import torch
from reference import model
from synthetic import fnv1a, lowbias32

HERE = pathlib.Path(__file__).parent
PROJECTIONS = 8
PLANS = {  # lengths of the sequences, steps, steps whose gradients are kept, and the schedule (its steps may be more)
    "synthetic-tiny": ([17, 40, 64], 10, 3, {"learningRate": 1e-3, "minLearningRate": 1e-4, "warmupSteps": 3, "steps": 10}),
    "synthetic-124m": ([64, 37, 27], 3, 3, {"learningRate": 3e-4, "minLearningRate": 3e-5, "warmupSteps": 2, "steps": 5}),
}
ADAMW = {"betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
CLIP = 1.0


def rate(step, schedule):
    warmup, most, least = schedule["warmupSteps"], schedule["learningRate"], schedule["minLearningRate"]
    if step < warmup:
        return most * (step + 1) / warmup
    done = (step + 1 - warmup) / (schedule["steps"] - warmup)
    return least + (most - least) * 0.5 * (1 + math.cos(math.pi * done))


def tokens(step, sequence, length, vocab):
    i = np.arange(length + 1, dtype=np.uint32) + np.uint32(4096 * (16 * step + sequence))
    return torch.from_numpy((lowbias32(i) % np.uint32(vocab)).astype(np.int64))


def projections(name, gradient):
    g = gradient.reshape(-1).numpy()
    i = np.arange(g.size, dtype=np.uint64)
    bits = lowbias32((i + fnv1a("projection " + name)) & 0xFFFFFFFF)
    return [float(np.dot(g, ((bits >> np.uint32(24 + k)) & 1) * 2.0 - 1.0)) for k in range(PROJECTIONS)]


def short(x):
    return float(f"{x:.9g}")


def train(name, sequences, count, kept, schedule):
    net = model(name).train()  # its dropout is 0
    weights = {key.removeprefix("transformer."): p for key, p in net.named_parameters()}
    decayed = [p for p in weights.values() if p.ndim >= 2]
    others = [p for p in weights.values() if p.ndim < 2]
    optimizer = torch.optim.AdamW([{"params": decayed}, {"params": others, "weight_decay": 0.0}], lr=0.0, **ADAMW)
    steps = []
    for step in range(count):
        optimizer.zero_grad()
        total = 0.0
        for j, length in enumerate(sequences):
            ids = tokens(step, j, length, net.config.vocab_size)
            logits = net(ids[None, :-1]).logits[0]
            loss = torch.nn.functional.cross_entropy(logits, ids[1:], reduction="sum") / sum(sequences)
            loss.backward()
            total += loss.item()
        result = {"learningRate": short(rate(step, schedule)), "loss": short(total)}
        if step < kept:
            result["gradients"] = {
                key: {"norm": short(p.grad.norm().item()), "projections": [short(x) for x in projections(key, p.grad)]}
                for key, p in weights.items()
            }
        result["norm"] = short(torch.nn.utils.clip_grad_norm_(weights.values(), CLIP).item())
        for group in optimizer.param_groups:
            group["lr"] = rate(step, schedule)
        optimizer.step()
        steps.append(result)
        print(name, step, f"loss {result['loss']:.6f} norm {result['norm']:.6f} rate {result['learningRate']:.2e}", flush=True)
    adamw = {"betas": ADAMW["betas"], "epsilon": ADAMW["eps"], "weightDecay": ADAMW["weight_decay"]}
    result = {"sequences": sequences, "schedule": schedule, "adamW": adamw, "clip": CLIP, "steps": steps}
    text = json.dumps(result, separators=(",", ":")).replace('"h.', '\n"h.').replace('{"learningRate"', '\n{"learningRate"')
    (HERE / f"training-{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    for name in sys.argv[1:] or PLANS:
        train(name, *PLANS[name])
