"""GPT-2 by Hugging Face transformers on PyTorch, for benchmarks/src/engines/pytorch.ts: a line of JSON in, a line out."""
import json, os, resource, sys, time

def load(folder, threads):
    global torch, model
    import torch, transformers
    from safetensors.torch import load_file
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    config = transformers.GPT2Config(**json.load(open(os.path.join(folder, "config.json"))))
    config._attn_implementation = "sdpa"
    with transformers.modeling_utils.no_init_weights() if hasattr(transformers.modeling_utils, "no_init_weights") else torch.device("cpu"):
        model = transformers.GPT2LMHeadModel(config).eval()
    model.transformer.load_state_dict(load_file(os.path.join(folder, "model.safetensors")), strict=False)
    model.tie_weights()
    return {"version": f"{torch.__version__} (transformers {transformers.__version__})"}

def run(ids):
    global past
    out = model(torch.tensor([ids]), past_key_values=past, use_cache=True)
    past = out.past_key_values
    return out.logits[0]  # [T, V]

def handle(request):
    global past
    command = request["command"]
    if command == "load":
        return load(sys.argv[1], int(sys.argv[2]))
    if command == "start":
        past = None
        return {}
    if command == "decode":
        past = None
        token = int(run(request["ids"])[-1].argmax())
        start = time.perf_counter()
        for _ in range(request["tokens"]):
            token = int(run([token])[-1].argmax())
        return {"seconds": time.perf_counter() - start}
    logits = run(request["ids"])
    if command == "next":
        return {"token": int(logits[-1].argmax())}
    if "out" in request:
        logits.contiguous().numpy().tofile(request["out"])
    return {}

past = None
for line in sys.stdin:
    try:
        answer = handle(json.loads(line))
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    usage = resource.getrusage(resource.RUSAGE_SELF)
    answer |= {"cpuSeconds": usage.ru_utime + usage.ru_stime, "peakResidentBytes": usage.ru_maxrss * 1024}
    print(json.dumps(answer), flush=True)
