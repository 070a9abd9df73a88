"""Writes src/tokenizer/character-classes.table.ts: the letters and numbers that Hugging Face `tokenizers` sees, and
../fixtures/character-classes.json: a digest of the classes of all characters, one letter (L, N, O, S) each.

    python make_character_classes.py          # needs tokenizers==0.23.3, tiktoken==0.14.0

Every code point is put through both pre-tokenizers; they must agree. (Both follow Unicode 16.0.)
"""
import hashlib
import json
from pathlib import Path

import tiktoken
import tokenizers
from tokenizers.pre_tokenizers import ByteLevel

PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
TARGET = Path(__file__).parents[3] / "src/tokenizer/character-classes.table.ts"
FIXTURE = Path(__file__).parents[1] / "fixtures/character-classes.json"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
# A character that stays in one piece with this neighbour is of the neighbour's class; with none: white space.
NEIGHBOURS = {"a": "L", "1": "N", "!": "O"}


def huggingface_classes():
    split = ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str
    for c in CODE_POINTS:
        yield next((name for n, name in NEIGHBOURS.items() if len(split(n + chr(c))) == 1), "S")


def tiktoken_classes():
    for start in range(0, len(CODE_POINTS), 1 << 16):
        chunk = CODE_POINTS[start : start + (1 << 16)]
        # tiktoken does not show its pieces, but a piece that is a token by itself becomes that one token.
        ranks = {bytes([i]): i for i in range(256)}
        for c in chunk:
            for n in NEIGHBOURS:
                ranks.setdefault((n + chr(c)).encode(), len(ranks))
        encode = tiktoken.Encoding("classes", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}).encode_ordinary
        for c in chunk:
            yield next((name for n, name in NEIGHBOURS.items() if len(encode(n + chr(c))) == 1), "S")


def ranges(classes, wanted):
    """"start-of-range minus end of the last one, length" pairs in base 36."""
    found = []
    for c, name in zip(CODE_POINTS, classes):
        if name == wanted:
            if found and found[-1][1] == c:
                found[-1][1] = c + 1
            else:
                found.append([c, c + 1])
    numbers, last = [], 0
    for start, end in found:
        numbers += [start - last, end - start]
        last = end
    return " ".join(base36(n) for n in numbers)


def base36(n):
    digits = ""
    while True:
        n, digit = divmod(n, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        if n == 0:
            return digits


def literal(text, width=110):
    """The text as a TypeScript template of lines."""
    lines, line = [], ""
    for word in text.split(" "):
        if len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


classes = "".join(huggingface_classes())
assert classes == "".join(tiktoken_classes()), "Hugging Face and tiktoken do not agree on the character classes"
white_space = " ".join(f"{c:x}" for c, name in zip(CODE_POINTS, classes) if name == "S")
TARGET.write_text(
    f"""// Written by test/tokenizer/oracle/make_character_classes.py from tokenizers {tokenizers.__version__} (equal to
// tiktoken {tiktoken.__version__}); do not edit. Ranges are pairs in base 36: distance from the end of the range before, length.

/** \\p{{L}} of Unicode 16.0. */
export const letterRanges = `{literal(ranges(classes, "L"))}`;

/** \\p{{N}} of Unicode 16.0. */
export const numberRanges = `{literal(ranges(classes, "N"))}`;

/** Unicode's White_Space, as code points in base 16. Not JavaScript's \\s, which has U+FEFF and lacks U+0085. */
export const whiteSpace = `{literal(white_space)}`;
"""
)
FIXTURE.write_text(json.dumps({"sha256": hashlib.sha256(classes.encode()).hexdigest()}) + "\n")
print(f"{TARGET.name}: {classes.count('L')} letters, {classes.count('N')} numbers, {classes.count('S')} white space")
