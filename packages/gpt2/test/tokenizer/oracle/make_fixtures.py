"""Writes ../fixtures/huggingface.json: what Hugging Face `tokenizers` makes of seeded random texts and of real ones.

    python make_fixtures.py      # needs tokenizers==0.23.3, tiktoken==0.14.0; run `npm ci` in the repository first

GPT-2's vocabulary comes from the npm package tiktoken, the real texts (13 languages and code) from the npm package
typescript. Python's tiktoken has to agree with Hugging Face on all of it.
"""
import base64
import json
from pathlib import Path

import tiktoken
import tokenizers
from digest import Digest
from random_texts import generator, random_texts
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).parent
PACKAGES = HERE.parents[4] / "node_modules"
END_OF_TEXT = "<|endoftext|>"
RANDOM_TEXTS, RANDOM_TEXTS_SEED = 110_000, 1
RANDOM_IDS, RANDOM_IDS_SEED = 20_000, 2
TRAINING_TEXTS, TRAINING_SEED = 4_000, 3
TRAINING_SIZE = 1_500


def gpt2_ranks():
    encoder = json.loads((PACKAGES / "tiktoken/encoders/gpt2.json").read_text())
    ranks = {}
    for line in encoder["bpe_ranks"].splitlines():
        _, first, *tokens = line.split(" ")
        ranks |= {base64.b64decode(token): int(first) + i for i, token in enumerate(tokens)}
    return ranks, encoder["special_tokens"], encoder["pat_str"]


def merged_from(token, rank, ranks):
    """The two parts that were merged to this token: what the earlier merges leave of its bytes."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        lowest, at = min((ranks.get(a + b, rank), i) for i, (a, b) in enumerate(zip(parts, parts[1:])))
        assert lowest < rank
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts


def byte_symbols():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(0x100 + i) for i, b in enumerate(others)}


def gpt2_tokenizer(ranks, special):
    symbols = byte_symbols()
    write = lambda data: "".join(symbols[b] for b in data)
    merges = [tuple(map(write, merged_from(t, rank, ranks))) for t, rank in ranks.items() if len(t) > 1]
    tokenizer = Tokenizer(models.BPE(vocab={write(t): rank for t, rank in ranks.items()} | special, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


ranks, special, pattern = gpt2_ranks()
ordinary = gpt2_tokenizer(ranks, special)
with_special = gpt2_tokenizer(ranks, special)
with_special.add_special_tokens([AddedToken(END_OF_TEXT, special=True, normalized=False)])
openai = tiktoken.Encoding("gpt2", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)

texts, ids, ids_with_special = Digest(), Digest(), Digest()
for text in random_texts(RANDOM_TEXTS, RANDOM_TEXTS_SEED):
    encoded = ordinary.encode(text).ids
    encoded_with_special = with_special.encode(text).ids
    assert encoded == openai.encode_ordinary(text), ascii(text)
    assert encoded_with_special == openai.encode(text, allowed_special="all"), ascii(text)
    texts.text(text)
    ids.ids(encoded)
    ids_with_special.ids(encoded_with_special)

below = generator(RANDOM_IDS_SEED)
decoded = Digest()
for _ in range(RANDOM_IDS):
    sequence = [below(50257) for _ in range(1 + below(12))]
    # Short tokens too: they are the ones that cut characters in two.
    sequence = [i if below(3) else i % 256 for i in sequence]
    text = ordinary.decode(sequence, skip_special_tokens=False)
    assert text == openai.decode(sequence, errors="replace"), sequence
    decoded.text(text)

real = {}
library = PACKAGES / "typescript/lib"
for path in [library / "lib.dom.d.ts", *sorted(library.glob("*/diagnosticMessages.generated.json"))]:
    text = path.read_bytes().decode()
    encoded = ordinary.encode(text).ids
    assert encoded == openai.encode_ordinary(text), path
    text_digest, ids_digest = Digest(), Digest()
    text_digest.text(text)
    ids_digest.ids(encoded)
    name = path.relative_to(PACKAGES).as_posix()
    real[name] = {"text": text_digest.hex(), "tokens": len(encoded), "ids": ids_digest.hex()}

trained = Tokenizer(models.BPE())
trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trained.train_from_iterator(
    random_texts(TRAINING_TEXTS, TRAINING_SEED),
    trainers.BpeTrainer(
        vocab_size=TRAINING_SIZE,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    ),
)
training = json.loads(trained.to_str())["model"]

(HERE.parent / "fixtures/huggingface.json").write_text(
    json.dumps(
        {
            "versions": {"tokenizers": tokenizers.__version__, "tiktoken": tiktoken.__version__},
            "random": {
                "count": RANDOM_TEXTS,
                "seed": RANDOM_TEXTS_SEED,
                "texts": texts.hex(),
                "ids": ids.hex(),
                "idsWithSpecial": ids_with_special.hex(),
            },
            "decoding": {"count": RANDOM_IDS, "seed": RANDOM_IDS_SEED, "texts": decoded.hex()},
            "real": real,
            "training": {
                "count": TRAINING_TEXTS,
                "seed": TRAINING_SEED,
                "vocabSize": TRAINING_SIZE,
                "merges": [" ".join(pair) for pair in training["merges"]],
                "lastId": max(training["vocab"].values()),
            },
        },
        indent=1,
    )
    + "\n"
)
print("fixtures/huggingface.json written")
