"""Writes ../fixtures/tokenizer-settings.json: the added tokens, ids and ends that Hugging Face `transformers` reads from folders with
all the files that say something of a tokenizer, in the forms of its versions.

    python make_tokenizer_settings.py      # needs transformers==5.24.0, tokenizers==0.23.3
"""
import json
import tempfile
from pathlib import Path

import transformers
from transformers import GPT2Tokenizer

HERE = Path(__file__).parent
BASE = json.loads((HERE.parents[1] / "tokenizer/fixtures/tokenizer-json.json").read_text())["base"]
VOCAB, MERGES = BASE["model"]["vocab"], BASE["model"]["merges"]
SIZE = len(VOCAB)
TEXTS = ["a zounds<pad> b", "<x> <y><sep>the  </s>  end", "<|endoftext|>of the <a><b>", "zounds", " <new>", "<old><mask>  z"]


def flags(content, **changes):
    return {"content": content, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True} | changes


def in_json(content, id, **changes):
    return {"id": id} | flags(content, **changes)


ADDED_JSON = [*BASE["added_tokens"], in_json("<pad>", SIZE), in_json("zounds", SIZE + 1, special=False, normalized=True)]
DECODER = {
    str(SIZE + 1): flags("<b>", lstrip=True),
    str(SIZE): flags("<a>", special=False),
    str(SIZE - 1): flags("<|endoftext|>"),
}
# Name, files beside vocab.json and merges.txt, and the added tokens of tokenizer.json, if it is there.
CASES = [
    ("vocab.json and merges.txt alone", {}, None),
    ("added_tokens.json", {"added_tokens.json": {"<pad>": SIZE, "zounds": SIZE + 1}}, None),
    ("added_tokens.json with ids that leave a gap", {"added_tokens.json": {"<pad>": SIZE + 9, "zounds": SIZE + 5}}, None),
    (
        "special_tokens_map.json",
        {
            "special_tokens_map.json": {
                "additional_special_tokens": ["<x>", "<y>"],
                "eos_token": {"content": "</s>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": True},
                "pad_token": "<pad>",
            }
        },
        None,
    ),
    (
        "both, with roles for what is added",
        {
            "added_tokens.json": {"<pad>": SIZE, "<sep>": SIZE + 1, "zounds": SIZE + 2},
            "special_tokens_map.json": {"pad_token": "<pad>", "sep_token": "<sep>", "mask_token": "<mask>", "bos_token": "<sep>"},
        },
        None,
    ),
    (
        "tokenizer_config.json with an added_tokens_decoder",
        {"tokenizer_config.json": {"add_prefix_space": True, "added_tokens_decoder": DECODER, "pad_token": "<a>", "eos_token": "<b>"}},
        None,
    ),
    (
        "roles in two files",
        {"tokenizer_config.json": {"pad_token": "<a>", "unk_token": "<|endoftext|>"}, "special_tokens_map.json": {"pad_token": "<b>"}},
        None,
    ),
    (
        "extra tokens as version 5 names them",
        {"tokenizer_config.json": {"extra_special_tokens": ["<x>", "<y>"], "image_token": "<a>", "pad_token": "<pad>"}},
        None,
    ),
    ("tokenizer.json", {}, ADDED_JSON),
    (
        "tokenizer.json, and older files beside it",
        {"added_tokens.json": {"<old>": SIZE + 2}, "special_tokens_map.json": {"pad_token": "<new>"}},
        ADDED_JSON,
    ),
    ("tokenizer.json, and a config that sets a space", {"tokenizer_config.json": {"add_prefix_space": True, "pad_token": "<new>"}}, ADDED_JSON),
]


def case(name, files, added):
    files = dict(files)
    if added is not None:
        files["tokenizer.json"] = {"added_tokens": added}
    with tempfile.TemporaryDirectory() as folder:
        # A vocabulary without <|endoftext|> in tokenizer.json's place shows which of the two is read.
        contents = {"vocab.json": VOCAB if added is None else {"!": 0}, "config.json": {"model_type": "gpt2"}} | files
        if added is not None:
            contents["tokenizer.json"] = BASE | {"added_tokens": added}
        for file, content in contents.items():
            Path(folder, file).write_text(json.dumps(content))
        merges = [" ".join(pair) for pair in MERGES] if added is None else []
        Path(folder, "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
        tokenizer = GPT2Tokenizer.from_pretrained(folder)
    tokens = {str(id): token.content for id, token in tokenizer.added_tokens_decoder.items()}
    return {
        "name": name,
        "files": files,
        "added": tokens,
        "special": sorted(id for id, token in tokenizer.added_tokens_decoder.items() if token.special),
        "endOfText": tokenizer.eos_token_id,
        "startOfText": tokenizer.bos_token_id,
        "ids": [tokenizer.encode(text) for text in TEXTS],
    }


cases = [case(*one) for one in CASES]
PATH = HERE.parent / "fixtures/tokenizer-settings.json"
PATH.write_text(json.dumps({"transformers": transformers.__version__, "texts": TEXTS, "cases": cases}, indent=None, ensure_ascii=False) + "\n")
print(f"{PATH.name}: {len(cases)} cases, {PATH.stat().st_size} bytes")
