"""Writes ../fixtures/csv-digests.json: what Python's csv.DictReader makes of 20,000 texts, as a digest for each hundred of them.

    python csv_digests.py        # last run with Python 3.11

The texts come from a formula, which ../csv.test.ts repeats.
"""

import csv
import hashlib
import io
import json
from pathlib import Path

TEXTS = 20_000
BLOCK = 100
ALPHABET = ["a", "b", "é", " ", ",", ",", ",", '"', '"', '"', "\n", "\n", "\r", "\r\n", "'", "\0"]
HEADER = "Title,Abstract,PaperText\n"
LONGEST = 40


def texts():
    state = 20190929

    def draw(below):
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return (state >> 16) % below

    for i in range(TEXTS):
        body = "".join(ALPHABET[draw(len(ALPHABET))] for _ in range(draw(LONGEST + 1)))
        yield HEADER + body if i % 2 else body


def read(text):
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = reader.fieldnames or []
    rows = [[[column, value] for column, value in row.items() if column is not None] for row in reader]
    return [columns, rows]


def main():
    read_texts = [read(text) for text in texts()]
    digests = []
    for start in range(0, TEXTS, BLOCK):
        block = json.dumps(read_texts[start : start + BLOCK], ensure_ascii=False, separators=(",", ":"))
        digests.append(hashlib.sha256(block.encode()).hexdigest()[:8])
    path = Path(__file__).parent.parent / "fixtures" / "csv-digests.json"
    path.write_text(json.dumps(digests) + "\n")


if __name__ == "__main__":
    main()
