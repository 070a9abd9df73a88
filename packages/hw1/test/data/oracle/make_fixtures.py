"""Writes ../fixtures: pickles of every protocol, what they hold as JSON, pickles that are to be refused, and a folder of
the course's files. Python's own pickle module makes them; nothing but its standard library is needed.

    python make_fixtures.py
"""

import csv
import datetime
import json
import os
import pickle
import random
from pathlib import Path

FIXTURES = Path(__file__).parent.parent / "fixtures"
HERE = FIXTURES.parent.parent.parent

LINES = """\
To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer the slings and arrows of fortune
Tomorrow, and tomorrow, and tomorrow, creeps in this petty pace from day to day, to the last syllable of recorded time
Friends, Romans, countrymen, lend me your ears; I come to bury Caesar, not to praise him. The evil that men do lives on
Now is the winter of our discontent made glorious summer by this sun of York; and all the clouds that lour'd upon us
If music be the food of love, play on, give me excess of it; that surfeiting, the appetite may sicken, and so die.
Shall I compare thee to a summer's day? Thou art more lovely and more temperate: rough winds do shake the darling buds
All the world's a stage, and all the men and women merely players; they have their exits and their entrances, and one
The quality of mercy is not strain'd, it droppeth as the gentle rain from heaven upon the place beneath: it is twice
O Romeo, Romeo, wherefore art thou Romeo? Deny thy father and refuse thy name; or, if thou wilt not, be but sworn
Our revels now are ended. These our actors, as I foretold you, were all spirits and are melted into air, into thin air
""".splitlines()

PLAIN = {
    "strings": ["", "plain", "two\nlines", "quote ' and \"", "back\\slash \\u0041", "naïve", "λόγος", "日本", "🙂", "a" * 300],
    "ints": [0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**53 - 1, -(2**53) + 1],
    "floats": [0.0, -0.5, 1e300, 3.141592653589793],
    "constants": [None, True, False],
    "tuples": [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]],
    "nested": {"a": [{"b": []}, {}]},
}


def plain():
    value = dict(PLAIN)
    value["tuples"] = [tuple(items) for items in PLAIN["tuples"]]
    shared = ["shared"]
    value["shared"] = [shared, shared]
    return value


class Runs:
    """An object whose pickle asks its reader to run a command."""

    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        return (os.system, (f"touch {self.name}",))


class Custom:
    pass


def write(name, value, protocol):
    path = FIXTURES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol=protocol))


def cut(text):
    return text[:100]


def course():
    generator = random.Random(20190929)

    def letters():
        return "".join(generator.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(100))

    abstracts = (HERE / "data" / "method-abstracts.txt").read_text(encoding="utf-8").split("\n\n")
    abstracts = [" ".join(abstract.split()) for abstract in abstracts]
    write("course/random.pkl", {i: letters() for i in range(20)}, 2)
    write("course/shakespeare.pkl", [cut(line) for line in LINES], 3)
    write("course/neurips.pkl", {i: cut(abstract) for i, abstract in enumerate(abstracts[5:15])}, 4)
    snippets = [letters() if i % 2 else cut(LINES[i % len(LINES)][10:]) for i in range(30)]
    write("course/snippets.pkl", snippets, 5)
    with open(FIXTURES / "course/papers.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Id", "Title", "Abstract", "PaperText"])
        for i, abstract in enumerate(abstracts[:6]):
            rows.writerow([i, f'On "method" {i}, in brief', abstract.replace(". ", ".\n"), f"{abstract}\n\n{abstract}"])


def main():
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        write(f"plain.{protocol}.pkl", plain(), protocol)
        write(f"dict.{protocol}.pkl", {i: text for i, text in reversed(list(enumerate(LINES[:3])))}, protocol)
        write(f"list.{protocol}.pkl", LINES[:3], protocol)
        write(f"runs.{protocol}.pkl", {0: Runs(f"ran-{protocol}")}, protocol)
        write(f"custom.{protocol}.pkl", [Custom()], protocol)
        write(f"date.{protocol}.pkl", datetime.date(2023, 10, 1), protocol)
    write("set.4.pkl", {"a"}, 4)
    write("bytes.4.pkl", [b"\x00\xff", bytes(300)], 4)
    write("bytearray.5.pkl", bytearray(b"\x01\x02"), 5)
    write("frames.4.pkl", ["x" * 70_000, "y" * 70_000], 4)
    write("large-int.2.pkl", [2**200, -(2**200), 2**64], 2)
    with open(FIXTURES / "values.json", "w", encoding="utf-8") as file:
        shared = {**PLAIN, "shared": [["shared"], ["shared"]]}
        json.dump({"plain": shared, "lines": LINES[:3]}, file, indent=1, ensure_ascii=False)
        file.write("\n")
    course()


if __name__ == "__main__":
    main()
