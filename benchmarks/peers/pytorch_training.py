"""Training by PyTorch, for benchmarks/src/engines/pytorch-training.ts: a line of JSON in, a line out."""
import json, os, resource, sys, time
import numpy as np
import torch
import torch.nn.functional as F

def load(threads):
    torch.set_num_threads(threads)
    return {"version": torch.__version__}

def values(entry):
    """A tensor of a file of float32."""
    data = np.fromfile(entry["file"], dtype="<f4").reshape(entry["shape"])
    return torch.from_numpy(data)

# ---- one block ---------------------------------------------------------------------------------------------------------

def prepare_block(request):
    global operands, cotangent, shape
    shape = request["shape"]
    operands = [values(entry).requires_grad_() for entry in request["operands"]]
    cotangent = values(request["cotangent"])
    return {}

def run_block():
    T, C, H = shape["T"], shape["C"], shape["H"]
    for operand in operands:
        operand.grad = None
    x, *w = operands
    norm = lambda x, i: F.layer_norm(x, (C,), w[i], w[i + 1], 1e-5)
    linear = lambda x, i: torch.addmm(w[i + 1], x, w[i])
    q, k, v = (part.view(1, T, H, C // H).transpose(1, 2) for part in linear(norm(x, 0), 2).split(C, dim=1))
    attended = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(T, C)
    middle = x + linear(attended, 4)
    hidden = F.gelu(linear(norm(middle, 6), 8), approximate="tanh")
    loss = ((middle + linear(hidden, 10)) * cotangent).sum()
    loss.backward()
    return {"loss": loss.item()}

# ---- whole steps -------------------------------------------------------------------------------------------------------

def prepare_steps(request):
    global net, optimizer, clip
    import transformers
    from safetensors.torch import load_file
    folder, clip = request["folder"], request["clip"]
    options = json.load(open(os.path.join(folder, "config.json")))
    options = {key: value for key, value in options.items() if not key.endswith("_pdrop") and key != "architectures"}
    config = transformers.GPT2Config(**options, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, attn_implementation="sdpa")
    net = transformers.GPT2LMHeadModel(config)
    stored = {"transformer." + key.removeprefix("transformer."): value for key, value in load_file(os.path.join(folder, "model.safetensors")).items()}
    net.load_state_dict(stored, strict=False)
    net.tie_weights()
    net.float().train()
    matrices = [p for p in net.parameters() if p.ndim >= 2]
    vectors = [p for p in net.parameters() if p.ndim < 2]
    groups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    rates = {"lr": request["learningRate"], "betas": request["betas"], "eps": request["epsilon"], "weight_decay": request["weightDecay"]}
    optimizer = torch.optim.AdamW(groups, **rates, fused=True)
    return {"version": f"{torch.__version__} (transformers {transformers.__version__})"}

def step(batch):
    ids = torch.tensor(batch)
    optimizer.zero_grad(set_to_none=True)
    logits = net(ids[:, :-1], use_cache=False).logits
    loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
    optimizer.step()
    return {"loss": loss.item(), "norm": norm.item()}

def handle(request):
    command = request["command"]
    if command == "load":
        return load(request["threads"])
    if command == "prepareBlock":
        return prepare_block(request)
    if command == "runBlock":
        return run_block()
    if command == "norms":
        return {"norms": [operand.grad.double().norm().item() for operand in operands]}
    if command == "prepareSteps":
        return prepare_steps(request)
    start = time.perf_counter()
    results = [step(batch) for batch in request["batches"]]
    return {"seconds": time.perf_counter() - start, "steps": results}

for line in sys.stdin:
    try:
        answer = handle(json.loads(line))
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    usage = resource.getrusage(resource.RUSAGE_SELF)
    answer |= {"cpuSeconds": usage.ru_utime + usage.ru_stime, "peakResidentBytes": usage.ru_maxrss * 1024}
    print(json.dumps(answer), flush=True)
