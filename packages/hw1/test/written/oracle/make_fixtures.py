"""Writes ../fixtures/vocabulary.json: parameters of models that PyTorch and Hugging Face transformers build.

    pip install torch transformers==5.23.0
    python make_fixtures.py

Each config twice: GPT-2 as transformers has it, tied and without bias; and with an output layer of its own that has a bias,
as in the figure of the problem sheet. Built on the meta device: shapes only, no memory.
"""

import json
from pathlib import Path

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel

CONFIGS = [
    {"n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024},
    {"n_layer": 24, "n_head": 16, "n_embd": 1024, "n_positions": 1024},
    {"n_layer": 3, "n_head": 2, "n_embd": 10, "n_positions": 7, "n_inner": 23},
]


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def count(config, vocabulary):
    with torch.device("meta"):
        tied = GPT2LMHeadModel(GPT2Config(vocab_size=vocabulary, **config))
        figure = GPT2LMHeadModel(GPT2Config(vocab_size=vocabulary, tie_word_embeddings=False, **config))
        figure.lm_head = torch.nn.Linear(config["n_embd"], vocabulary, bias=True)
    return {"config": config, "vocabulary": vocabulary, "tied": parameters(tied), "figure": parameters(figure)}


def main():
    cases = [count(config, vocabulary) for config in CONFIGS for vocabulary in (50257, 60000)]
    target = Path(__file__).parent.parent / "fixtures" / "vocabulary.json"
    lines = ",\n".join(json.dumps(case) for case in cases)
    versions = f'{{"torch": "{torch.__version__}", "transformers": "{transformers.__version__}", "cases": [\n'
    target.write_text(versions + lines + "\n]}\n")


main()
