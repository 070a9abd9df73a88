"""Writes ../fixtures/mutated-tokenizer-json.json: what Hugging Face `tokenizers` makes of 10,000 mutated tokenizer.json files.

    python make_mutated.py      # needs tokenizers==0.23.3

For each of them four hexadecimal digits: of the SHA-256 of what it makes of some texts, or `----` if it is refused.
"""
import hashlib
import json
import os
from pathlib import Path

import tokenizers
from mutations import mutations
from tokenizers import Tokenizer

HERE = Path(__file__).parent
COUNT, SEED = 10_000, 21
BASE = json.loads((HERE.parent / "fixtures/tokenizer-json.json").read_text())["base"]
TEXTS = ["the world <|x|>of  x", "zounds<|endoftext|>, zounds \n\n ing", "Hello été 日本 😀 12\t", "'sll!\u0000 \u00ad e"]


def small():
    """A small one: half of its text is settings, not tokens."""
    model = BASE["model"]
    size = 290
    tokens = sorted((token for token in model["vocab"] if token != "<|endoftext|>"), key=model["vocab"].get)[:size]
    vocab = {token: id for id, token in enumerate([*tokens, "<|endoftext|>"])}
    merges = [pair for pair in model["merges"] if {*pair, "".join(pair)} <= vocab.keys()]
    token = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [
        {"id": size, "content": "<|endoftext|>"} | token,
        {"id": size + 1, "content": "<|x|>"} | token | {"lstrip": True},
        {"id": size + 2, "content": "zounds"} | token | {"special": False, "normalized": True},
        {"id": size + 3, "content": "ing"} | token | {"special": False, "single_word": True},
    ]
    return BASE | {"added_tokens": added, "model": model | {"vocab": vocab, "merges": merges}}


def verdict(text):
    try:
        tokenizer = Tokenizer.from_str(text)
        ids = [tokenizer.encode(text).ids for text in TEXTS]
    except BaseException:  # a panic of Rust is no Exception
        return "----"
    return hashlib.sha256(json.dumps(ids, separators=(",", ":")).encode()).hexdigest()[:4]


os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # panics print a stack
text = json.dumps(small(), ensure_ascii=False, separators=(",", ":"))
verdicts = []
for mutated in mutations(text, COUNT, SEED):
    try:
        mutated.encode()
        verdicts.append(verdict(mutated))
    except UnicodeEncodeError:
        verdicts.append("----")
PATH = HERE.parent / "fixtures/mutated-tokenizer-json.json"
PATH.write_text(
    json.dumps({"tokenizers": tokenizers.__version__, "count": COUNT, "seed": SEED, "texts": TEXTS, "text": text, "verdicts": "".join(verdicts)}, ensure_ascii=False)
    + "\n"
)
print(f"{PATH.name}: {COUNT - verdicts.count('----')} accepted, {PATH.stat().st_size} bytes")
