"""Writes ../fixtures/tokenizer-json.json: what Hugging Face `tokenizers` makes of seeded random texts with added tokens in them,
for tokenizer.json files of all the kinds that GPT-2's tokenizer is saved in.

    python make_tokenizer_json.py      # needs tokenizers==0.23.3

The file has one small tokenizer and for each case what is different in it; the ids are there as digests.
"""
import copy
import json
from pathlib import Path

import tokenizers
from digest import Digest
from random_texts import generator, random_texts
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).parent
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def trained():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(random_texts(3_000, 11), trainer)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    saved = json.loads(tokenizer.to_str())
    # GPT-2 has it in the vocabulary itself.
    saved["model"]["vocab"]["<|endoftext|>"] = saved["added_tokens"][0]["id"]
    return saved


def added(content, id, **flags):
    token = {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False}
    return token | {"normalized": not flags.get("special", False), "special": False} | flags


BASE = trained()
VOCAB = BASE["model"]["vocab"]
MERGES = BASE["model"]["merges"]
SIZE = len(VOCAB)
END = BASE["added_tokens"][0]
AS_SAVED = [END, added("<|pad|>", SIZE, special=True), added("<|startoftext|>", SIZE + 1, special=True), added("zounds", SIZE + 2)]
FLAGS = [
    END,
    added("<mask>", SIZE, special=True, lstrip=True),
    added("<cut>", SIZE + 1, special=True, rstrip=True),
    added("<both>", SIZE + 2, special=True, lstrip=True, rstrip=True),
    added("ing", SIZE + 3, single_word=True),
    added("wor", SIZE + 4, single_word=True, normalized=False),
    added("ab", SIZE + 5),
    added("abc", SIZE + 6),
    added("bcd", SIZE + 7, normalized=False),
    added("cde", SIZE + 8, lstrip=True),
    added("<ma", SIZE + 9),
    added("  ", SIZE + 10, rstrip=True),
    added("\n", SIZE + 11, lstrip=True, rstrip=True, single_word=True),
    added("日本", SIZE + 12),
    added("😀", SIZE + 13, special=True, normalized=True),
]
SPLIT = {
    "type": "Sequence",
    "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": PATTERN}, "behavior": "Isolated", "invert": False},
        BYTE_LEVEL | {"use_regex": False},
    ],
}


def without(*tokens):
    """The vocabulary without some tokens, ids as they are, and the merges that are left."""
    gone = set(tokens)
    while True:
        more = {a + b for a, b in MERGES if {a, b, a + b} & gone} - gone
        if not more:
            break
        gone |= more
    return {
        "vocab": {token: id for token, id in VOCAB.items() if token not in gone},
        "merges": [pair for pair in MERGES if not {*pair, "".join(pair)} & gone],
    }


LONGEST = sorted(VOCAB, key=len)[-20:]
CASES = {
    "as transformers 5 saves it": {"added_tokens": AS_SAVED},
    "tokens that strip, are words, overlap": {"added_tokens": FLAGS},
    "merges as texts, and an old file's fields": {
        "added_tokens": AS_SAVED,
        "model": {"type": None, "ignore_merges": None, "byte_fallback": None, "merges": ["#version: 0.2", *map(" ".join, MERGES)]},
        "pre_tokenizer": {key: value for key, value in BYTE_LEVEL.items() if key != "use_regex"},
        "post_processor": BYTE_LEVEL,
    },
    "a space before texts": {"added_tokens": FLAGS, "pre_tokenizer": BYTE_LEVEL | {"add_prefix_space": True}},
    "texts as one word": {"added_tokens": AS_SAVED, "pre_tokenizer": BYTE_LEVEL | {"use_regex": False}},
    "one word with a space before it": {
        "added_tokens": AS_SAVED,
        "pre_tokenizer": BYTE_LEVEL | {"use_regex": False, "add_prefix_space": True},
    },
    "GPT-2's pattern as a part of its own": {"added_tokens": AS_SAVED, "pre_tokenizer": SPLIT},
    "merges given twice": {"added_tokens": AS_SAVED, "model": {"merges": MERGES + MERGES[:40] + MERGES[100:110]}},
    "gaps in the ids": {"added_tokens": AS_SAVED, "model": without(*LONGEST[:5])},
    "bytes without tokens": {"added_tokens": AS_SAVED, "model": without("Ġ", "e", "Ã", "Ċ", "ł")},
    "a token for bytes without one": {
        "added_tokens": AS_SAVED,
        "model": without("Ġ", "e", "Ã", "Ċ", "ł") | {"unk_token": "<|endoftext|>"},
    },
    "one token for several bytes without one": {
        "added_tokens": AS_SAVED,
        "model": without("Ġ", "e", "Ã", "Ċ", "ł") | {"unk_token": "!", "fuse_unk": True},
    },
    "words that are tokens whatever merges say": {
        "added_tokens": AS_SAVED,
        "model": {"ignore_merges": True, "vocab": VOCAB | {"ĠHello": SIZE, "Ġtokenization": SIZE + 1, "ing": VOCAB.get("ing", SIZE + 2)}},
    },
    "added tokens that the vocabulary has": {
        "added_tokens": [END, *(added(token, VOCAB[token]) for token in ("é", "Ġ", LONGEST[0], LONGEST[1], *list(VOCAB)[300:310]))]
    },
}


# Engines know different versions of Unicode, and what is a word's character is asked of the engine, except for letters.
NEW = ["any scalar value", "basic plane", "assigned astral planes", "new in Unicode 16 and 17"]


def changed(base, changes):
    """The same in tokenizer-json.test.ts: fields of `model` one by one, and null takes a field away."""
    json_ = copy.deepcopy(base)
    for field, value in changes.items():
        if field == "model":
            json_["model"] |= value
            json_["model"] = {name: part for name, part in json_["model"].items() if part is not None or name not in value}
        else:
            json_[field] = value
    return json_


def case(name, changes, count, seed):
    tokenizer = Tokenizer.from_str(json.dumps(changed(BASE, changes)))
    words = [token["content"] for token in changes["added_tokens"]] + ["zound", "abcd", "bcde", "wording"]
    texts, ids, ordinary = Digest(), Digest(), Digest()
    leave_out = NEW if any(token["single_word"] for token in changes["added_tokens"]) else []
    for text in random_texts(count, seed, words, leave_out):
        texts.text(text)
        tokenizer.encode_special_tokens = False
        ids.ids(tokenizer.encode(text).ids)
        tokenizer.encode_special_tokens = True
        ordinary.ids(tokenizer.encode(text).ids)
    decoded = Digest()
    below = generator(seed)
    for _ in range(count // 10):
        decoded.text(tokenizer.decode([below(SIZE + 30) for _ in range(1 + below(12))], skip_special_tokens=False))
    result = {"name": name, "changes": changes, "words": words, "leaveOut": leave_out, "count": count, "seed": seed}
    return result | {"texts": texts.hex(), "ids": ids.hex(), "ordinary": ordinary.hex(), "decoded": decoded.hex()}


cases = [case(name, changes, 20_000 if i < 2 else 2_000, 100 + i) for i, (name, changes) in enumerate(CASES.items())]
PATH = HERE.parent / "fixtures/tokenizer-json.json"
PATH.write_text(json.dumps({"tokenizers": tokenizers.__version__, "base": BASE, "cases": cases}, ensure_ascii=False) + "\n")
print(f"{PATH.name}: {len(cases)} cases, {PATH.stat().st_size} bytes")
