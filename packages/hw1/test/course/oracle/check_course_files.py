"""Checks what `hw1 all --course-files` wrote: pickles hold the numbers of the text files, PNG files are there.

    python check_course_files.py [FOLDER]        # default: ../fixtures

Needs NumPy. Last run with NumPy 1.23.2, 1.26.4 and 2.4.6 on Python 3.11.
"""

import json
import pickle
import sys
import warnings
from pathlib import Path

import numpy as np

SETS = {"random": ["random"], "shakespeare": ["shakespeare"], "neurips": ["neurips", "papers"]}


def main():
    warnings.simplefilter("error")
    fixtures = Path(__file__).parent.parent / "fixtures"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else fixtures
    print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}")
    for name, text_names in SETS.items():
        path = folder / f"{name}_raw.pkl"
        if folder == fixtures and not path.exists():
            continue
        values = pickle.loads(path.read_bytes())
        assert type(values) is np.ndarray and values.dtype == np.float64 and values.flags.writeable, values
        (text,) = [file for n in text_names if (file := folder / f"likelihood_{n}.txt").exists()]
        expected = [float(line) for line in text.read_text().split()]
        assert values.shape == (len(expected),) and values.tolist() == expected
        print(f"{path.name}: {values.shape[0]} values as in {text.name}, mean {values.mean():.3f}")
        if folder != fixtures:
            assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    labels = pickle.loads((folder / "classification.pkl").read_bytes())
    lines = (folder / "classification.jsonl").read_text(encoding="utf-8").splitlines()
    assert type(labels) is list and labels == [json.loads(line)["random"] for line in lines]
    assert all(type(label) is bool for label in labels)
    print(f"classification.pkl: {len(labels)} bools as in classification.jsonl, {sum(labels)} of them True")


if __name__ == "__main__":
    main()
