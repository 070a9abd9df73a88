"""The SHA-256 of the GGUF files that benchmarks/src/gguf must write for synthetic-tiny, by the PyPI package `gguf`.

    python -m venv venv && venv/bin/pip install numpy gguf
    venv/bin/python gguf_file.py
"""
import hashlib, os, tempfile
import gguf
from gguf import GGMLQuantizationType as Q
from synthetic import build, config

SIZE = "synthetic-tiny"
BLOCK = {"attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj",
         "ffn_norm": "ln_2", "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"}

def tensors(weights, layers):
    """(name, array, may be quantized), in the order of the file."""
    yield "token_embd.weight", weights["wte.weight"], True
    yield "position_embd.weight", weights["wpe.weight"], False
    for i in range(layers):
        for ours, theirs in BLOCK.items():
            w = weights[f"h.{i}.{theirs}.weight"]
            yield f"blk.{i}.{ours}.weight", w.T if w.ndim == 2 else w, w.ndim == 2  # Conv1D's [in, out] to [out, in]
            yield f"blk.{i}.{ours}.bias", weights[f"h.{i}.{theirs}.bias"], False
    yield "output_norm.weight", weights["ln_f.weight"], False
    yield "output_norm.bias", weights["ln_f.bias"], False

def write(path, quantized):
    c = config(SIZE)
    w = gguf.GGUFWriter(path, "gpt2")
    w.add_block_count(c["n_layer"])
    w.add_context_length(c["n_positions"])
    w.add_embedding_length(c["n_embd"])
    w.add_feed_forward_length(4 * c["n_embd"])
    w.add_head_count(c["n_head"])
    w.add_layer_norm_eps(c["layer_norm_epsilon"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if quantized else gguf.LlamaFileType.ALL_F32)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list([f"t{i}" for i in range(c["vocab_size"])])
    w.add_token_types([gguf.TokenType.NORMAL] * c["vocab_size"])
    w.add_token_merges(["t 0"])
    w.add_bos_token_id(c["bos_token_id"])
    w.add_eos_token_id(c["eos_token_id"])
    for name, array, may in tensors(build(SIZE), c["n_layer"]):
        if quantized and may:
            w.add_tensor(name, gguf.quants.quantize(array, Q.Q8_0), raw_dtype=Q.Q8_0)
        else:
            w.add_tensor(name, array.copy(order="C"))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, quantized in (("f32", False), ("q8_0", True)):
            path = os.path.join(folder, name)
            write(path, quantized)
            print(name, os.path.getsize(path), hashlib.sha256(open(path, "rb").read()).hexdigest())
