"""The same texts as random-texts.ts, from the same seed."""
import json
from pathlib import Path

KINDS = json.loads((Path(__file__).parent / "random-texts.json").read_text())
MASK = 0xFFFFFFFF


def random_texts(count, seed, tokens=(), leave_out=()):
    below = generator(seed)
    kinds = [kind for kind in KINDS if kind["name"] not in leave_out]
    kinds += [{"words": tokens}] * (len(kinds) if tokens else 0)
    for _ in range(count):
        text = ""
        for _ in range(1 + below(12)):
            piece = random_piece(kinds[below(len(kinds))], below)
            text += piece * (2 + below(30) if below(8) == 0 else 1)
        yield text


def random_piece(kind, below):
    if "words" in kind:
        return kind["words"][below(len(kind["words"]))]
    index = below(sum(last - first + 1 for first, last in kind["ranges"]))
    for first, last in kind["ranges"]:
        if first + index <= last:
            return chr(first + index)
        index -= last - first + 1


def generator(seed):
    state = seed

    def below(limit):
        nonlocal state
        state = (state + 0x6D2B79F5) & MASK
        t = ((state ^ (state >> 15)) * (state | 1)) & MASK
        t ^= (t + ((t ^ (t >> 7)) * (t | 61) & MASK)) & MASK
        return ((t ^ (t >> 14)) & MASK) % limit

    return below
