"""A model that was trained here in Hugging Face transformers, and back: `python round_trip.py FOLDER TEXT`.

Trains a model with `gpt2 train` from scratch, and fine-tunes the one in FOLDER; loads the results with transformers, compares logits,
trains one there for a few steps, saves it, and trains that on with `gpt2 train`. Prints what it finds; an assertion fails
where the two disagree. Needs torch, transformers and safetensors; run `npm run build` first.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, GPT2LMHeadModel, __version__

ROOT = Path(__file__).resolve().parents[5]
GPT2 = ["node", str(ROOT / "packages/cli/bin/gpt2.js")]


def gpt2(*args: str) -> str:
    return subprocess.run([*GPT2, *args], check=True, capture_output=True, text=True).stdout


def compare(folder: Path, text: str) -> GPT2LMHeadModel:
    """Loads a folder with transformers; its tokens and logits must be ours."""
    model, info = GPT2LMHeadModel.from_pretrained(folder, output_loading_info=True)
    missing = {name: found for name, found in info.items() if found}
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(text)["input_ids"][:64]
    out = folder.parent / f"{folder.name}.logits.safetensors"
    gpt2("logits", "--model", str(folder), "--ids", ",".join(map(str, ids)), "--out", str(out))
    expected = next(iter(load_file(out).values()))
    with torch.no_grad():
        actual = model(torch.tensor([ids])).logits[0]
    difference = (actual - expected).abs().max().item()
    print(f"{folder.name}: {len(ids)} tokens, logits differ by at most {difference:.1e}; loading says {missing or 'nothing'}")
    assert difference < 1e-4
    return model


def main(start: str, text_file: str) -> None:
    text = Path(text_file).read_text()[:200]
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        few = ["--context", "64", "--batch-tokens", "256", "--steps", "5", "--eval-tokens", "256", "--lr", "3e-4"]
        small = ["--layers", "2", "--heads", "2", "--channels", "16", "--vocab-size", "300"]
        gpt2("train", "--text", text_file, "--out", str(room / "scratch"), *small, *few)
        compare(room / "scratch", text)
        gpt2("train", "--model", start, "--text", text_file, "--out", str(room / "ours"), *few)
        model = compare(room / "ours", text)
        tokenizer = AutoTokenizer.from_pretrained(room / "ours")
        ids = torch.tensor([tokenizer(Path(text_file).read_text())["input_ids"][:65]])
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        for _ in range(3):
            loss = model(ids, labels=ids).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        print(f"trained in transformers {__version__}: loss {loss.item():.3f}")
        model.save_pretrained(room / "theirs")
        tokenizer.save_pretrained(room / "theirs")
        gpt2("train", "--model", str(room / "theirs"), "--text", text_file, "--out", str(room / "again"), *few)
        compare(room / "again", text)
        log = (room / "again/training/log.jsonl").read_text().splitlines()
        print("trained on here:", log[0], "…", log[-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
