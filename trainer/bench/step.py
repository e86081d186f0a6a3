"""Times PyTorch on the training steps that BenchmarkStep times: the same nets
(Table 8), batch and loss (Eq. 20), forward, backward and Adam. The output is
that of `go test -bench`, so that benchstat sets the two side by side. A
measurement alone: nothing in the project needs PyTorch."""

import argparse
import os
import sys
import time

# One thread for BLAS, which PyTorch calls from each of its own, is its best here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch  # noqa: E402  (reads the environment as it is loaded)
from torch import nn  # noqa: E402

LATENT, PIXELS = 18, 28 * 28
LAMBDA = (0.05, 1, 0.05, 1, 0.05, 2)


class Model(nn.Module):
    """F, G and D of Table 8."""

    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(
            nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(64 * 7 * 7, LATENT))
        self.g = nn.Sequential(
            nn.Linear(LATENT, 64 * 7 * 7), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 3, 2, 1, 1), nn.Sigmoid())
        widths = (LATENT, 100, 50, 20)
        self.hidden = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, widths[1:]))
        self.last = nn.Linear(widths[-1], 1)

    def distance(self, z):
        """D(z), and its gradient as a forward graph, which can be differentiated again."""
        x, before = z, []
        for layer in self.hidden:
            h = layer(x)
            before.append(h)
            x = nn.functional.silu(h)
        grad = self.last.weight
        for layer, h in zip(reversed(self.hidden), reversed(before)):
            s = torch.sigmoid(h)
            grad = (grad * (s * (1 + h * (1 - s)))) @ layer.weight
        return self.last(x), grad


def squared(a, b):
    return (a - b).square().sum() / len(a)


def dae(m, clean, noisy):
    return squared(m.g(m.f(noisy)), clean)


def lmppm(m, clean, noisy):
    star, z = m.f(clean), m.f(noisy)
    d_star, _ = m.distance(star)
    d, grad = m.distance(z)
    shift = z - d * grad / (grad.norm(dim=1, keepdim=True) + 1e-12)
    gap = (z - star).norm(dim=1, keepdim=True)
    terms = (
        squared(d, gap), squared(m.g(star), clean), squared(d_star, torch.zeros_like(d_star)),
        (torch.relu(-d_star).mean() + torch.relu(-d).mean()) / 2,
        squared(shift, star), squared(m.g(shift), clean))
    return sum(l * t for l, t in zip(LAMBDA, terms))


def has_fast_blas():
    """Debian's PyTorch calls whatever BLAS the system has; the reference one is
    eight times slower than OpenBLAS, and no peer."""
    if "BLAS_INFO=generic" not in torch.__config__.show():
        return True
    try:
        with open("/proc/self/maps") as maps:
            loaded = maps.read()
        return any(name in loaded for name in ("openblas", "mkl", "blis"))
    except OSError:
        return True


def measure(device, loss, n, seconds):
    torch.manual_seed(1)
    m = Model().to(device)
    adam = torch.optim.Adam(m.parameters(), 1e-3)
    clean = torch.rand(n, 1, 28, 28, device=device)
    noisy = clean + 0.4 * torch.randn_like(clean)

    def step():
        adam.zero_grad()
        loss(m, clean, noisy).backward()
        adam.step()

    def wait():
        if device != "cpu":
            torch.cuda.synchronize()

    for _ in range(5):
        step()
    wait()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for _ in range(5):
            step()
        steps += 5
        wait()
    return steps, (time.perf_counter() - start) / steps


def main():
    flags = argparse.ArgumentParser(description="time PyTorch on the training steps that BenchmarkStep times")
    flags.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    flags.add_argument("--threads", type=int, default=os.cpu_count(), help="of the CPU (default: its cores)")
    flags.add_argument("--batch", type=int, nargs="+", default=[128])
    flags.add_argument("--seconds", type=float, default=3, help="of each measurement (default 3)")
    o = flags.parse_args()
    if o.device == "cpu" and not has_fast_blas():
        sys.exit("PyTorch runs on the reference BLAS here; on Debian and Ubuntu, install libopenblas0-pthread")
    torch.set_num_threads(o.threads)
    name = "BenchmarkStep" if o.device == "cpu" else "BenchmarkGPU"
    for loss in (lmppm, dae):
        for n in o.batch:
            steps, each = measure(o.device, loss, n, o.seconds)
            print(f"{name}/{loss.__name__.upper()}/{n}-{o.threads}\t{steps}\t{each * 1e9:.0f} ns/op\t{n / each:.0f} images/s", flush=True)


if __name__ == "__main__":
    main()
