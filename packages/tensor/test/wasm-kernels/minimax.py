"""Coefficients of the polynomials in src/backends/wasm/kernels/math.ts: weighted Remez exchange with mpmath.

Run: python minimax.py (mpmath 1.3.0). Each polynomial minimises the largest *relative* error of the whole function.
"""

import numpy as np
from mpmath import mp, mpf, matrix, lu_solve, exp, tanh, log1p, erf, erfc, sqrt, pi, cos

mp.dps = 50


def remez(f, weight, degree, low, high, rounds=12):
    """Coefficients c0..c_degree minimising max |weight(x) * (f(x) - poly(x))| on [low, high]."""
    low, high = mpf(low), mpf(high)
    # A weight of zero (where the function's value comes from the exact terms alone) would leave the system singular.
    given = weight
    weight = lambda x: max(abs(given(x)), mpf(10) ** -12)  # noqa: E731
    n = degree + 2
    nodes = [(low + high) / 2 - (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    grid = [low + (high - low) * (1 - cos(pi * i / 1500)) / 2 for i in range(1501)]
    values = [(x, f(x), weight(x)) for x in grid]
    for _ in range(rounds):
        a = matrix(n, n)
        b = matrix(n, 1)
        for i, x in enumerate(nodes):
            for j in range(degree + 1):
                a[i, j] = x**j
            a[i, degree + 1] = (-1) ** i / weight(x)
            b[i] = f(x)
        c = lu_solve(a, b)
        errors = []
        for x, fx, wx in values:
            p = mpf(0)
            for j in range(degree, -1, -1):
                p = p * x + c[j]
            errors.append((wx * (fx - p), x))
        runs = []
        for e in errors:
            if runs and (runs[-1][0] > 0) == (e[0] > 0):
                if abs(e[0]) > abs(runs[-1][0]):
                    runs[-1] = e
            else:
                runs.append(e)
        while len(runs) > n:
            runs.pop(0 if abs(runs[0][0]) < abs(runs[-1][0]) else -1)
        if len(runs) < n:
            break
        nodes = [x for _, x in runs]
    worst = max(abs(e) for e, _ in errors)
    return [c[j] for j in range(degree + 1)], worst


def show(name, result):
    coefficients, worst = result
    print(f"{name}: relative error 2^{float(mp.log(worst, 2)):.2f}")
    for c in coefficients:
        print(f"  {float(np.float32(float(c)))!r}")


tiny = mpf(10) ** -9
show("exp (e^r - 1 - r) / r^2", remez(lambda r: (exp(r) - 1 - r) / r**2 if abs(r) > tiny else mpf(1) / 2,
     lambda r: r**2 / exp(r), 4, -0.3470, 0.3470))
show("expm1 ((e^r - 1 - r) / r^2), relative to e^r - 1", remez(lambda r: (exp(r) - 1 - r) / r**2 if abs(r) > tiny else mpf(1) / 2,
     lambda r: r**2 / (exp(r) - 1) if abs(r) > tiny else mpf(0), 5, -0.3470, 0.3470))
show("log (log1p(f) - f + f^2/2) / f^3", remez(lambda f: (log1p(f) - f + f**2 / 2) / f**3 if abs(f) > tiny else mpf(1) / 3,
     lambda f: f**3 / log1p(f) if abs(f) > tiny else mpf(0), 8, sqrt(mpf(0.5)) - 1, sqrt(mpf(2)) - 1))
show("tanh (tanh x - x) / x^3 in x^2", remez(lambda t: (tanh(sqrt(t)) - sqrt(t)) / sqrt(t) ** 3 if t > tiny else -mpf(1) / 3,
     lambda t: sqrt(t) ** 3 / tanh(sqrt(t)) if t > tiny else mpf(0), 4, 0, 0.625**2))
show("erf (erf x - x) / x in x^2", remez(lambda t: erf(sqrt(t)) / sqrt(t) - 1 if t > tiny else 2 / sqrt(pi) - 1,
     lambda t: sqrt(t) / erf(sqrt(t)) if t > tiny else sqrt(pi) / 2, 6, 0, 1))
for degree in (9,):
    show(f"erfcx(x) / t, t = 2 / (2 + x), degree {degree}", remez(lambda t: exp((2 / t - 2) ** 2) * erfc(2 / t - 2) / t,
     lambda t: t / (exp((2 / t - 2) ** 2) * erfc(2 / t - 2)), degree, 2 / mpf(12.2), 2 / mpf(3)))
