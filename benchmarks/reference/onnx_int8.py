"""What onnxruntime's dynamic quantization makes of synthetic-tiny: `onnx-int8.json`, which benchmarks/src/onnx/quantize.ts
must meet node by node and byte by byte.

    python -m venv venv && venv/bin/pip install numpy onnx onnxruntime
    venv/bin/python onnx_int8.py
"""
import hashlib, json, os, tempfile
import numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from synthetic import build, config

SIZE = "synthetic-tiny"
MS = "com.microsoft"

def graph():
    c, w = config(SIZE), build(SIZE)
    L, H, D, V = c["n_layer"], c["n_head"], c["n_embd"], c["vocab_size"]
    eps = c["layer_norm_epsilon"]
    w["lm_head"] = np.ascontiguousarray(w["wte.weight"].T)
    info = helper.make_tensor_value_info
    inputs = [info(n, TensorProto.INT64, [1, "S"]) for n in ("input_ids", "position_ids")]
    outputs, nodes = [], []
    def node(op, ins, outs, domain="", **attributes):
        nodes.append(helper.make_node(op, ins, outs, name=f"{outs[0]}/{op}", domain=domain, **attributes))
        return outs[0]
    def norm(name, x, skip, bias):
        node("SkipLayerNormalization", [x, skip, f"{name}.weight", f"{name}.bias", bias], [name, "", "", f"{name}/sum"], MS, epsilon=eps)
    node("Gather", ["wte.weight", "input_ids"], ["wte"])
    node("Gather", ["wpe.weight", "position_ids"], ["wpe"])
    node("Add", ["wte", "wpe"], ["x0"])
    node("LayerNormalization", ["x0", "h.0.ln_1.weight", "h.0.ln_1.bias"], ["h.0.ln_1"], axis=-1, epsilon=eps)
    residual = "x0"
    for i in range(L):
        h, a = f"h.{i}.", f"h.{i}.attn"
        for kind in ("key", "value"):
            inputs.append(info(f"past_{kind}_{i}", TensorProto.FLOAT, [1, H, "P", D // H]))
            outputs.append(info(f"present_{kind}_{i}", TensorProto.FLOAT, [1, H, "T", D // H]))
        normed = f"{h}ln_1"
        node("MatMul", [normed, f"{a}.c_attn.weight"], [f"{a}/qkv"])
        node("Split", [f"{a}/qkv"], [f"{a}/q", f"{a}/k", f"{a}/v"], axis=-1)
        node("MultiHeadAttention", [f"{a}/q", f"{a}/k", f"{a}/v", f"{a}.c_attn.bias", "", "", f"past_key_{i}", f"past_value_{i}"],
             [a, f"present_key_{i}", f"present_value_{i}"], MS, num_heads=H, unidirectional=1)
        node("MatMul", [a, f"{a}.c_proj.weight"], [f"{a}.c_proj"])
        norm(f"{h}ln_2", f"{a}.c_proj", residual, f"{a}.c_proj.bias")
        node("MatMul", [f"{h}ln_2", f"{h}mlp.c_fc.weight"], [f"{h}mlp.c_fc"])
        node("FastGelu", [f"{h}mlp.c_fc", f"{h}mlp.c_fc.bias"], [f"{h}mlp.gelu"], MS)
        node("MatMul", [f"{h}mlp.gelu", f"{h}mlp.c_proj.weight"], [f"{h}mlp.c_proj"])
        following = f"h.{i + 1}.ln_1" if i + 1 < L else "ln_f"
        norm(following, f"{h}mlp.c_proj", f"{h}ln_2/sum", f"{h}mlp.c_proj.bias")
        residual = f"{following}/sum"
    node("MatMul", ["ln_f", "lm_head"], ["logits"])
    outputs.append(info("logits", TensorProto.FLOAT, [1, "S", V]))
    weights = [numpy_helper.from_array(a, n) for n, a in w.items()]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MS, 1)]
    return helper.make_model(helper.make_graph(nodes, "gpt2", inputs, outputs, weights), opset_imports=opsets, ir_version=8)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "f32.onnx"), os.path.join(folder, "int8.onnx")
        onnx.save(graph(), source)
        quantize_dynamic(source, target, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8,
                         extra_options={"DefaultTensorType": TensorProto.FLOAT})
        made = onnx.load(target).graph
    nodes = [[n.op_type, n.domain, list(n.input), list(n.output)] for n in made.node]
    arrays = {i.name: (i.data_type, numpy_helper.to_array(i)) for i in made.initializer}
    weights = {n: {"type": t, "shape": list(a.shape), "sha256": hashlib.sha256(a.tobytes()).hexdigest()}
               for n, (t, a) in sorted(arrays.items()) if t in (TensorProto.INT8, TensorProto.UINT8) or n.endswith("_scale")}
    nodes.sort(key=lambda n: n[3][0])
    with open("onnx-int8.json", "w") as out:
        json.dump({"nodes": nodes, "weights": weights}, out, indent=1)
        out.write("\n")
