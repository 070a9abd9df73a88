"""Writes ../fixtures/huggingface.json: distributions of the next token after Hugging Face's own logits processors.

    pip install torch transformers==5.23.0
    python make_fixtures.py

Rows of logits are float32, the processors run on them in float64, in the order of `GenerationMixin`: repetition penalty,
temperature, top-k, top-p.
"""

import itertools
import json
from pathlib import Path

import torch
import transformers
from transformers.generation.logits_process import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

VOCABULARY = 40
PREVIOUS = [3, 17, 3, 0, 39, 17, 21]
MARGIN = 1e-9  # no running sum may lie so near to top_p that rounding would decide


def rows():
    generator = torch.Generator().manual_seed(20190929)
    plain = torch.randn(VOCABULARY, generator=generator) * 3
    peaked = torch.randn(VOCABULARY, generator=generator)
    peaked[17] += 12
    flat = torch.randn(VOCABULARY, generator=generator) * 0.01
    negative = -50 + torch.randn(VOCABULARY, generator=generator) * 5
    wide = torch.randn(VOCABULARY, generator=generator) * 100
    ties = torch.randint(-3, 4, (VOCABULARY,), generator=generator).float() / 2
    masked = torch.randn(VOCABULARY, generator=generator)
    masked[5:30] = -torch.inf
    return {
        "plain": plain,
        "peaked": peaked,
        "flat": flat,
        "negative": negative,
        "wide": wide,
        "ties": ties,
        "masked": masked,
    }


def process(logits, temperature, top_k, top_p, penalty):
    ids = torch.tensor([PREVIOUS])
    scores = logits.double()[None]
    if penalty is not None:
        scores = RepetitionPenaltyLogitsProcessor(penalty)(ids, scores)
    if temperature is not None:
        scores = TemperatureLogitsWarper(temperature)(ids, scores)
    if top_k is not None:
        scores = TopKLogitsWarper(top_k)(ids, scores)
    if top_p is not None:
        falling = scores[0].softmax(-1).sort(descending=True).values.cumsum(-1)
        if ((falling - top_p).abs() < MARGIN).any():
            return None
        scores = TopPLogitsWarper(top_p)(ids, scores)
    return scores[0]


def main():
    cases = []
    for name, logits in rows().items():
        grid = itertools.product((None, 0.3, 1.7), (None, 1, 5, 38), (None, 0.05, 0.5, 0.95), (None, 1.3, 0.8))
        for temperature, top_k, top_p, penalty in grid:
            if name == "ties" and top_p is not None:
                continue  # which of equal tokens top-p keeps is up to the sort
            scores = process(logits, temperature, top_k, top_p, penalty)
            if scores is None:
                continue
            probabilities = scores.softmax(-1)
            kept = [i for i in range(VOCABULARY) if probabilities[i] > 0]
            options = {
                "temperature": temperature,
                "topK": top_k,
                "topP": top_p,
                "repetitionPenalty": penalty,
            }
            cases.append(
                {
                    "row": name,
                    "options": {key: value for key, value in options.items() if value is not None},
                    "ids": kept,
                    "probabilities": [float(f"{probabilities[i]:.12g}") for i in kept],
                }
            )
    # JSON has no infinity: null stands for a masked token.
    numbers = {
        name: [None if value == float("-inf") else value for value in row.tolist()] for name, row in rows().items()
    }
    target = Path(__file__).parent.parent / "fixtures" / "huggingface.json"
    fixture = {"transformers": transformers.__version__, "previous": PREVIOUS, "rows": numbers}
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    target.write_text(json.dumps(fixture)[:-1] + ', "cases": [\n' + lines + "\n]}\n")
    print(len(cases), "cases,", target.stat().st_size, "bytes")


main()
