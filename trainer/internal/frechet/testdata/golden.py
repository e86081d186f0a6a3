"""Writes golden.json: Fréchet distances by scipy's sqrtm, of random Gaussians.

Run with scipy 1.10 or later, in this folder: python3 golden.py
"""
import json

import numpy as np
from scipy.linalg import sqrtm

rng = np.random.default_rng(7)
cases = []


def case(name, m1, s1, m2, s2):
    root = sqrtm(s1 @ s2)
    assert np.abs(root.imag).max() < 1e-6 * (1 + np.abs(root.real).max()), name
    cases.append({
        "name": name, "dim": len(m1),
        "mean1": m1.tolist(), "cov1": s1.ravel().tolist(), "mean2": m2.tolist(), "cov2": s2.ravel().tolist(),
        "distance": float(((m1 - m2) ** 2).sum() + np.trace(s1 + s2 - 2 * root.real)),
    })


def cov(d, members):
    x = rng.standard_normal((members, d)) * rng.gamma(1, 2, d) @ rng.standard_normal((d, d)) / d ** .5
    return np.cov(x, rowvar=False).reshape(d, d)


for d, members in [(1, 9), (2, 9), (5, 12), (12, 40), (24, 2000)]:
    case(f"random, {d} numbers", rng.standard_normal(d), cov(d, members), rng.standard_normal(d), cov(d, members))
a = cov(8, 50)
case("one covariance", np.zeros(8), a, np.ones(8), a)
case("a hundred times as wide", np.zeros(8), a, np.zeros(8), cov(8, 50) * 1e4)
case("close", np.zeros(8), a, np.full(8, 1e-3), a * 1.001)

with open("golden.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")

# And from embeddings to the distance, as np.mean and np.cov have it.
x = np.round(np.maximum(rng.standard_normal((300, 6)) @ rng.standard_normal((6, 6)), 0), 3).astype(np.float32)
y = np.round(np.maximum(rng.standard_normal((280, 6)) @ rng.standard_normal((6, 6)) + .3, 0), 3).astype(np.float32)
cases.clear()
case("", x.astype(float).mean(0), np.cov(x.astype(float), rowvar=False), y.astype(float).mean(0), np.cov(y.astype(float), rowvar=False))
with open("embeddings.json", "w") as f:
    json.dump({"dim": 6, "x": [round(float(v), 3) for v in x.ravel()], "y": [round(float(v), 3) for v in y.ravel()], "distance": cases[0]["distance"]}, f, separators=(",", ":"))
    f.write("\n")
