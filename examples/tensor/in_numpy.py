"""The examples of this folder in NumPy, and what they give: expected.json, which the examples are tested against.

    python in_numpy.py        (numpy 2.4; any recent version will do)
"""

import inspect
import json
import pathlib

import numpy as np

rng = np.random.default_rng(2026)


def one_hot(labels):
    return np.eye(4)[labels]


def cosine_similarities(a, b):
    unit_a = a / np.linalg.norm(a, axis=1, keepdims=True)
    unit_b = b / np.linalg.norm(b, axis=1, keepdims=True)
    return unit_a @ unit_b.T


def k_means(points, centers):
    labels = ((points[:, None] - centers) ** 2).sum(-1).argmin(1)
    members = np.eye(3)[labels]
    return members.T @ points / members.sum(0)[:, None]


def softmax_regression(x, labels, weights):
    scores = np.exp(x @ weights)
    errors = scores / scores.sum(-1, keepdims=True) - np.eye(3)[labels]
    return weights - 0.5 / len(x) * x.T @ errors


def moving_average(x):
    return np.lib.stride_tricks.sliding_window_view(x, 3).mean(-1)


def pairwise_distances(a, b):
    return np.linalg.norm(a[:, None] - b, axis=-1)


def contraction(a, b):
    return np.einsum("ijk,kjl->il", a, b)


def mask_select(x):
    return x[x > 0]


def sort_by_column(x):
    return x[x[:, 1].argsort(kind="stable")]


def histogram(x):
    return np.histogram(x, 5, (-2, 2))[0].astype(np.int32)


def cumsum(x):
    return x.cumsum(0)


def meshgrid(count):
    x, y = np.meshgrid(np.linspace(-1, 1, count), np.linspace(-1, 1, count))
    return np.sqrt(x**2 + y**2)


def std(x):
    return (x - x.mean(0)) / x.std(0)


def pad(x):
    return np.pad(x, [(1, 2), (1, 1)], constant_values=1)


def clip(x):
    return x.clip(-1, 1)


def conv1d(signal):
    kernel = np.array([0.5, 0, -0.5])  # which convolve turns around
    return np.convolve(signal, kernel, "same")


def floats(*shape):
    return rng.normal(0, 1, shape).astype(np.float32).astype(np.float64)


def ints(high, *shape):
    return rng.integers(0, high, shape).astype(np.int32)


def packed(value):
    if not isinstance(value, np.ndarray):
        return value
    kind = {"f": "float32", "i": "int32"}[value.dtype.kind]
    data = [float(f"{x:.9g}") if kind == "float32" else int(x) for x in value.reshape(-1).tolist()]
    return {"dtype": kind, "shape": list(value.shape), "data": data}


points = floats(12, 2)
arguments = {
    one_hot: [ints(4, 6)],
    cosine_similarities: [floats(3, 5), floats(4, 5)],
    k_means: [points, points[:3] + 0.25],
    softmax_regression: [floats(6, 4), ints(3, 6), floats(4, 3)],
    moving_average: [floats(8)],
    pairwise_distances: [floats(4, 3), floats(5, 3)],
    contraction: [floats(2, 3, 4), floats(4, 3, 5)],
    mask_select: [floats(3, 4)],
    sort_by_column: [floats(5, 3)],
    histogram: [floats(50)],
    cumsum: [floats(4, 3)],
    meshgrid: [5],
    std: [floats(7, 3)],
    pad: [floats(2, 3)],
    clip: [floats(3, 4) * 2],
    conv1d: [floats(9)],
}
examples = [
    {
        "name": f.__name__.replace("_", "-"),
        "lines": len(inspect.getsource(f).splitlines()) - 1,
        "args": [packed(arg) for arg in args],
        "expected": packed(f(*args)),
    }
    for f, args in arguments.items()
]
text = "[\n" + ",\n".join(json.dumps(example) for example in examples) + "\n]\n"
pathlib.Path(__file__).with_name("expected.json").write_text(text)
