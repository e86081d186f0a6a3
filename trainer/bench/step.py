"""Times PyTorch on the training steps that BenchmarkStep, BenchmarkUNet and BenchmarkGPU
time: the same nets (Table 8, and with --unet that of Table 9), batch and loss (Eq. 20),
forward, backward and Adam. The output is that of `go test -bench`, so that benchstat sets
the two side by side; with --unet alone in it, the peak of the process's memory is that of
the one step. A measurement alone: nothing in the project needs PyTorch."""

import argparse
import os
import resource
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


def block(inside, out):
    return nn.Sequential(nn.Conv2d(inside, out, 3, 1, 1), nn.BatchNorm2d(out), nn.LeakyReLU(0.2))


class UNet(nn.Module):
    """F and G of Table 9 for images of any side, with the skips and without the
    projections. Of an odd side, the last row and column are not pooled, and on the way back
    have no more than the bias."""

    def __init__(self, side, channels=(32, 64, 128, 256), latent=1024, colors=3):
        super().__init__()
        small = side >> len(channels)
        shape = (channels[-1], small, small)
        flat = channels[-1] * small * small
        ins = (colors,) + channels[:-1]
        self.down = nn.ModuleList(nn.Sequential(block(i, o), block(o, o)) for i, o in zip(ins, channels))
        self.f = nn.Sequential(nn.Flatten(), nn.Linear(flat, latent), nn.LeakyReLU(0.2))
        self.g = nn.Sequential(nn.Linear(latent, flat), nn.Unflatten(1, shape))
        self.deconv, self.up, inside = nn.ModuleList(), nn.ModuleList(), channels[-1]
        for i in reversed(range(len(channels))):
            c, out = channels[i], channels[max(i - 1, 0)]
            self.deconv.append(nn.ConvTranspose2d(inside, c, 2, 2, output_padding=(side >> i) % 2))
            self.up.append(nn.Sequential(block(2 * c, c), block(c, out)))
            inside = out
        self.out = nn.Sequential(nn.Conv2d(inside, colors, 3, 1, 1), nn.Sigmoid())

    def forward(self, x):
        skips = []
        for blocks in self.down:
            x = blocks(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.g(self.f(x))
        for deconv, blocks, skip in zip(self.deconv, self.up, reversed(skips)):
            x = blocks(torch.cat((deconv(x), skip), 1))
        return self.out(x)


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


def unet(m, clean, noisy):
    return squared(m(noisy), clean)


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


def measure(device, make, loss, shape, seconds, warm):
    torch.manual_seed(1)
    m = make().to(device)
    adam = torch.optim.Adam(m.parameters(), 1e-3)
    clean = torch.rand(*shape, device=device)
    noisy = clean + 0.4 * torch.randn_like(clean)

    def step():
        adam.zero_grad()
        loss(m, clean, noisy).backward()
        adam.step()

    def wait():
        if device != "cpu":
            torch.cuda.synchronize()

    for _ in range(warm):
        step()
    wait()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for _ in range(warm):
            step()
        steps += warm
        wait()
    return steps, (time.perf_counter() - start) / steps


# The nets that BenchmarkUNet times beside that of Table 9.
NARROW = {"channels": (16, 32, 64, 128, 128), "latent": 192}


def cell(text):
    """A U-Net to time: SIDE, SIDE:BATCH, or narrow:SIDE:BATCH."""
    parts = text.split(":")
    net = parts.pop(0) if parts[0] in ("table9", "narrow") else "table9"
    side, batch = int(parts[0]), int(parts[1]) if len(parts) > 1 else 4
    return net, side, batch


def main():
    flags = argparse.ArgumentParser(description="time PyTorch on the training steps that the project's benchmarks time")
    flags.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    flags.add_argument("--threads", type=int, default=os.cpu_count(), help="of the CPU (default: its cores)")
    flags.add_argument("--batch", type=int, nargs="*", default=[128], help="of the nets of Table 8 (default 128)")
    flags.add_argument("--unet", type=cell, nargs="*", default=[], help="U-Nets to time: SIDE, SIDE:BATCH (default 4), or narrow:SIDE:BATCH")
    flags.add_argument("--seconds", type=float, default=3, help="of each measurement (default 3)")
    o = flags.parse_args()
    if o.device == "cpu" and not has_fast_blas():
        sys.exit("PyTorch runs on the reference BLAS here; on Debian and Ubuntu, install libopenblas0-pthread")
    torch.set_num_threads(o.threads)
    name = "BenchmarkStep" if o.device == "cpu" else "BenchmarkGPU"
    cells = [(f"{name}/{loss.__name__.upper()}", Model, loss, (n, 1, 28, 28)) for loss in (lmppm, dae) for n in o.batch]
    for net, side, batch in o.unet:
        what = f"BenchmarkUNet/{net}/{side}" if o.device == "cpu" else f"{name}/UNET{side}"
        sizes = NARROW if net == "narrow" else {}
        cells.append((what, lambda side=side, sizes=sizes: UNet(side, **sizes), unet, (batch, 3, side, side)))
    for what, make, loss, shape in cells:
        large = shape[0] * shape[2] * shape[3] > 1 << 17  # a step of it takes seconds
        steps, each = measure(o.device, make, loss, shape, o.seconds, 1 if large else 5)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(f"{what}/{shape[0]}-{o.threads}\t{steps}\t{each * 1e9:.0f} ns/op\t{shape[0] / each:.0f} images/s\t{peak:.1f} peak-MB", flush=True)


if __name__ == "__main__":
    main()
