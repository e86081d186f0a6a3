"""Writes reference.json: scores by scikit-image for images that are exact in float32.

Run with scikit-image 0.19 or later, in this folder: python3 reference.py
Pixels are stored as integers, in units of 1/256.
"""
import json

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

rng = np.random.default_rng(20)


def exact(x):
    return np.round(np.asarray(x) * 256).astype(int)


def smooth(h, w):
    x = gaussian_filter(rng.standard_normal((h, w)), 2)
    return (x - x.min()) / (x.max() - x.min())


def digit(h, w):
    """A bright ring on black, as digits are."""
    y, x = np.mgrid[:h, :w]
    r = np.hypot((y - h / 2) * 1.1, (x - w / 2) * 1.5)
    return np.clip(2.5 - abs(r - h / 3.2), 0, 1)


cases = []


def case(name, a, b):
    a, b = exact(a), exact(b)
    x, y = a / 256, b / 256
    cases.append({
        "name": name, "w": a.shape[1], "h": a.shape[0], "a": a.ravel().tolist(), "b": b.ravel().tolist(),
        "mse": mean_squared_error(x, y),
        "psnr": peak_signal_noise_ratio(x, y, data_range=1),
        "ssim": structural_similarity(x, y, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False),
    })


d = digit(28, 28)
case("digit, mild noise", d, np.clip(d + .1 * rng.standard_normal(d.shape), 0, 1))
case("digit, noise not clipped", d, d + .85 * rng.standard_normal(d.shape))
case("digit, moved", d, np.roll(d, (1, 2), (0, 1)))
case("digit, negative", d, 1 - d)
case("wide", smooth(13, 21), smooth(13, 21))
case("tall", smooth(23, 12), np.clip(smooth(23, 12) * .2 + .4, 0, 1))
case("one window", smooth(11, 11), smooth(11, 11))
case("flat", np.full((14, 14), .25), np.full((14, 14), .75))

with open("reference.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
