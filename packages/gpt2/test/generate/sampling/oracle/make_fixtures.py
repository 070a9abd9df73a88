"""Writes ../fixtures/huggingface.json: distributions of the next token after Hugging Face's own logits processors.

    pip install torch transformers==5.24.0
    python make_fixtures.py

Rows of logits are float32, the processors run on them in float64, in the order of `GenerationMixin`: sequence bias,
repetition penalty, n-grams, temperature, top-k, top-p, min-p. Presence and frequency penalty, which Hugging Face does not
have, follow the formula of OpenAI's API reference, before the temperature.
"""

import itertools
import json
from pathlib import Path

import torch
import transformers
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    SequenceBiasLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

VOCABULARY = 40
PREVIOUS = [3, 17, 3, 0, 39, 17, 21]
REPEATING = [5, 3, 17, 8, 3, 17, 3, 0, 39, 3, 17]
PROMPT_LENGTH = 4
BIAS = {8: 2.5, 17: -1.25, 39: -100.0, 0: 0.5}
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


def process(logits, previous, options):
    """Scores after the processors that `options` ask for; None if rounding would decide what top-p or min-p keeps."""
    ids = torch.tensor([previous])
    scores = logits.double()[None]
    if options.get("logitBias"):
        bias = [[[token], value] for token, value in options["logitBias"].items()]
        scores = SequenceBiasLogitsProcessor(bias)(ids, scores)
    if options.get("repetitionPenalty"):
        scores = RepetitionPenaltyLogitsProcessor(options["repetitionPenalty"])(ids, scores)
    if options.get("noRepeatNgramSize"):
        scores = NoRepeatNGramLogitsProcessor(options["noRepeatNgramSize"])(ids, scores)
    output = previous[PROMPT_LENGTH:]
    for token in set(output):
        scores[0, token] -= output.count(token) * options.get("frequencyPenalty", 0)
        scores[0, token] -= options.get("presencePenalty", 0)
    if options.get("temperature"):
        scores = TemperatureLogitsWarper(options["temperature"])(ids, scores)
    if options.get("topK"):
        scores = TopKLogitsWarper(options["topK"])(ids, scores)
    if options.get("topP"):
        falling = scores[0].softmax(-1).sort(descending=True).values.cumsum(-1)
        if ((falling - options["topP"]).abs() < MARGIN).any():
            return None
        scores = TopPLogitsWarper(options["topP"])(ids, scores)
    if options.get("minP"):
        share = scores[0].softmax(-1) / scores[0].softmax(-1).max()
        if ((share - options["minP"]).abs() < MARGIN).any():
            return None
        scores = MinPLogitsWarper(options["minP"])(ids, scores)
    return scores[0]


def combinations(**values):
    for chosen in itertools.product(*values.values()):
        yield {key: value for key, value in zip(values, chosen) if value is not None}


FILTERS = dict(
    temperature=(None, 0.3, 1.7),
    topK=(None, 1, 5, 38),
    topP=(None, 0.05, 0.5, 0.95),
    repetitionPenalty=(None, 1.3, 0.8),
)
ADJUSTMENTS = dict(
    logitBias=(None, BIAS),
    repetitionPenalty=(None, 1.3),
    noRepeatNgramSize=(None, 1, 2, 3),
    presencePenalty=(None, 0.7),
    frequencyPenalty=(None, 1.5, -0.4),
)
MIN_P = dict(minP=(0.02, 0.3, 1.0), temperature=(None, 0.3, 1.7), topK=(None, 5), topP=(None, 0.95))


def case(name, logits, previous, options):
    scores = process(logits, previous, options)
    if scores is None:
        return None
    probabilities = scores.softmax(-1)
    kept = [i for i in range(VOCABULARY) if probabilities[i] > 0]
    return {
        "row": name,
        "options": options,
        **({"previous": previous} if previous is not PREVIOUS else {}),
        "ids": kept,
        "probabilities": [float(f"{probabilities[i]:.12g}") for i in kept],
    }


def decided(name, options):
    """Which of equal tokens top-p keeps is up to the sort."""
    return name != "ties" or "topP" not in options


def main():
    cases = []
    for name, logits in rows().items():
        cases += [case(name, logits, PREVIOUS, options) for options in combinations(**FILTERS) if decided(name, options)]
        cases += [case(name, logits, PREVIOUS, options) for options in combinations(**MIN_P) if decided(name, options)]
        if name == "plain":
            cases += [case(name, logits, REPEATING, options) for options in combinations(**ADJUSTMENTS)]
    cases = [found for found in cases if found is not None]
    # JSON has no infinity: null stands for a masked token.
    numbers = {
        name: [None if value == float("-inf") else value for value in row.tolist()] for name, row in rows().items()
    }
    target = Path(__file__).parent.parent / "fixtures" / "huggingface.json"
    fixture = {"transformers": transformers.__version__, "previous": PREVIOUS, "promptLength": PROMPT_LENGTH, "rows": numbers}
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    target.write_text(json.dumps(fixture)[:-1] + ', "cases": [\n' + lines + "\n]}\n")
    print(len(cases), "cases,", target.stat().st_size, "bytes")


main()
