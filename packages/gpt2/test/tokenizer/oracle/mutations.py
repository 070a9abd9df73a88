"""The same mutations of a text as mutations.ts, from the same seed."""
from random_texts import generator

FRAGMENTS = [
    '"', ",", ":", "{", "}", "[", "]", "\\", "0", "7", "-1", "1e3", "0.5", "null", "true", "false", '""', '"a b"', '["a","b"]', "{}",
    "[]", '"Ġ"', "\\u0120", " ", "\n", "\u0001", "a", "é", "Ġ", '"<|x|>"', "99999999999", '"BPE"', '"ByteLevel"', "#version",
]


def mutations(text, count, seed):
    """`count` mutated forms of a text, one to three edits each: something is cut out, put in, or copied from elsewhere."""
    below = generator(seed)
    for _ in range(count):
        mutated = text
        for _ in range(1 + (below(3) if below(2) == 0 else 0)):
            at = below(len(mutated) + 1)
            cut = below(6) if below(4) > 0 else below(60)
            if below(3) > 0:
                inserted = FRAGMENTS[below(len(FRAGMENTS))] if below(4) > 0 else ""
            else:
                start = below(len(mutated) + 1)
                inserted = mutated[start : start + below(60)]
            mutated = mutated[:at] + inserted + mutated[at + cut :]
        yield mutated
