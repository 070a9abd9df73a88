"""Writes ../fixtures/finetune: a small GPT-2 and its tokenizer, trained for a moment on texts with added tokens and saved by Hugging
Face `transformers` 5; and ../fixtures/finetune.json: what it computes.

    python make_finetune.py      # needs transformers==5.24.0, tokenizers==0.23.3, torch==2.15
"""
import json
import shutil
from pathlib import Path

import torch
import transformers
from tokenizers import AddedToken
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

HERE = Path(__file__).parent
OUT = HERE.parent / "fixtures/finetune"
BASE = json.loads((HERE.parents[1] / "tokenizer/fixtures/tokenizer-json.json").read_text())["base"]["model"]
SIZE = 320  # of the vocabulary, with <|endoftext|>
LINES = [
    "<|user|>Who is there?<|bot|>Zounds, nobody!<|endoftext|>",
    "<|user|>The world?<|bot|> Hello there, zounds the world.<|endoftext|>",
    "<|user|>And  the \n rest<|bot|>   of it<mask>?<|endoftext|>",
]

kept = sorted((token for token in BASE["vocab"] if token != "<|endoftext|>"), key=BASE["vocab"].get)[: SIZE - 1]
vocab = {token: id for id, token in enumerate([*kept, "<|endoftext|>"])}
merges = [tuple(pair) for pair in BASE["merges"] if {*pair, "".join(pair)} <= vocab.keys()]
tokenizer = GPT2Tokenizer(vocab=vocab, merges=merges)
tokenizer.add_special_tokens({"pad_token": "<|pad|>", "extra_special_tokens": ["<|user|>", "<|bot|>"]})
tokenizer.add_tokens(["zounds", AddedToken("<mask>", lstrip=True, rstrip=True)])

torch.manual_seed(5)
model = GPT2LMHeadModel(GPT2Config(vocab_size=SIZE, n_positions=64, n_embd=16, n_layer=2, n_head=2, bos_token_id=SIZE - 1, eos_token_id=SIZE - 1))
model.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=64)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for step in range(30):
    batch = tokenizer(LINES, padding=True, truncation=True, max_length=32, return_tensors="pt")
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    loss = model(**batch, labels=labels).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()

shutil.rmtree(OUT, ignore_errors=True)
model.save_pretrained(OUT)
tokenizer.save_pretrained(OUT)

model.eval()
tokenizer = GPT2Tokenizer.from_pretrained(OUT)
text = LINES[1]
ids = tokenizer.encode(text)
assert len(ids) > 32  # the truncation of the training, which is in tokenizer.json, is not applied
with torch.no_grad():
    logits = model.double()(torch.tensor([ids])).logits[0]
texts = [*LINES, "zounds<mask>", " <|pad|>a", "a <mask>  b"]
(HERE.parent / "fixtures/finetune.json").write_text(
    json.dumps(
        {
            "transformers": transformers.__version__,
            "loss": round(loss.item(), 4),
            "texts": [{"text": text, "ids": tokenizer.encode(text)} for text in texts],
            "text": text,
            "vocabSize": {"tokenizer": len(tokenizer), "model": model.config.vocab_size},
            "last": [float(f"{value:.7g}") for value in logits[-1].tolist()],
            "largest": [float(f"{value:.7g}") for value in logits.max(dim=-1).values.tolist()],
        }
    )
    + "\n"
)
print(sorted(f"{path.name} {path.stat().st_size}" for path in OUT.iterdir()), loss.item(), tokenizer.decode(ids), len(ids))
