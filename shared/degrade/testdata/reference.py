"""Writes reference.json: images degraded by PyTorch and torchvision in float64.

Run with torch 1.13 and torchvision 0.14 or later, in this folder: python3 reference.py
Inputs are stored as integers, in units of 1/256, so that they are exact in float32.
"""
import json

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.transforms import ElasticTransform
from torchvision.transforms import functional_tensor as T
from torchvision.transforms.functional import gaussian_blur

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(7)
cases = []


def image(h, w):
    """A tilted ring and a bar, up to the border, with values below 0 and above 1."""
    y, x = np.mgrid[:h, :w]
    r = np.hypot((y - h * .55) * 1.1, (x - w * .4) * 1.5 + .2 * y - h * .1)
    p = np.clip(2.5 - abs(r - h / 3.2), 0, 1)
    p[: h // 2, w - 3 :] = .75
    return np.round((p + .1 * rng.standard_normal((h, w))) * 256).astype(int)


def case(kind, severity, p, out, **more):
    h, w = p.shape
    cases.append({"kind": kind, "severity": severity, "w": w, "h": h, "src": p.ravel().tolist(), **more,
                  "want": [float("%.8g" % v) for v in out.ravel().tolist()]})


def tensor(p):
    return torch.from_numpy(p / 256)[None, None]


def elastic(p, sigma):
    # get_params draws dx, then dy, with torch.rand: give it ours.
    dx, dy = (np.round(rng.uniform(-1, 1, p.shape) * 256).astype(int) for _ in range(2))
    draws = [(torch.from_numpy(d / 256)[None, None] + 1) / 2 for d in (dx, dy)]
    rand, torch.rand = torch.rand, lambda *_: draws.pop(0)
    shift = ElasticTransform.get_params([34.0, 34.0], [sigma, sigma], list(p.shape))
    torch.rand = rand
    out = T.elastic_transform(tensor(p), shift, "bilinear", [0.0])
    case("elastic", sigma, p, out, dx=dx.ravel().tolist(), dy=dy.ravel().tolist())


def downsample(p, factor):
    h, w = p.shape
    low = F.interpolate(tensor(p), size=(int(h * factor), int(w * factor)), mode="bilinear", align_corners=False)
    case("downsample", factor, p, F.interpolate(low, size=(h, w), mode="bilinear", align_corners=False))


def sharpen(p, s):
    x = tensor(p)
    case("sharpen", s, p, (x + s * (x - gaussian_blur(x, [9, 9], [1.0, 1.0]))).clamp(0, 1))


elastic(image(28, 28), 1.8)
elastic(image(28, 28), 2.3)
elastic(image(14, 20), 1.0)
elastic(image(20, 14), 1.3)
for f in (.5, .35, .8):
    downsample(image(28, 28), f)
downsample(image(13, 22), .4)
for s in (8, 18):
    sharpen(image(28, 28), s)
sharpen(image(9, 12), 1)

with open("reference.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
