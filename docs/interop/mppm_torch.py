#!/usr/bin/env python3
"""mppm's weights in PyTorch, and PyTorch's in mppm. It needs torch and numpy.

    python3 mppm_torch.py to-torch WEIGHTS OUT        weights of mppm, laid out as PyTorch's
    python3 mppm_torch.py run NET WEIGHTS IN OUT ...  F, G, P, L or D of weights of mppm, as often
                                                      as those four are given
    python3 mppm_torch.py new OUT [SEED]              Table 8 in plain PyTorch, untrained

`mppm import --in OUT --out mine.safetensors` makes weights of mppm of what the first and
the last of these write. As a module:

    from mppm_torch import Model
    m = Model("mnist.safetensors")          # int8 or float, digits or faces
    z = m.run("F", x)["out"]                # x: N × 1 × 28 × 28, from 0 to 1
    x = m.run("G", z)["out"]
    d = m.run("D", z)["out"]                # m.parameters() can be trained on
"""

import json
import math
import struct
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional

# The nets for digits (Table 8), which files of the kind lmppm-28x28 do not describe.
DIGITS = {
    "F": "28x28x1; conv encoder.conv1 3,2,1 32; relu; conv encoder.conv2 3,2,1 64; relu; linear encoder.linear 18",
    "G": "18; linear decoder.linear 7x7x64; relu; convtranspose decoder.deconv1 3,2,1 14x14x32; relu; "
         "convtranspose decoder.deconv2 3,2,1 28x28x1; sigmoid",
}
# What the texts of the others are called in the metadata.
KEYS = {"F": "encoder", "G": "decoder", "P": "projections", "L": "local"}

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I8": "<i1", "U8": "<u1", "I64": "<i8", "I32": "<i4"}


def read(path):
    """The tensors of a safetensors file, as arrays, and its metadata. What is stored in
    eight bits comes out in 32: each output channel, the first axis, has a scale."""
    with open(path, "rb") as f:
        (size,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        data = f.read()
    meta, arrays = header.pop("__metadata__", {}), {}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        arrays[name] = np.frombuffer(data[begin:end], TYPES[t["dtype"]]).reshape(t["shape"])
    for name in [n for n in arrays if n.endswith(".scale")]:
        scale, q = arrays.pop(name), arrays[name[:-len(".scale")]]
        arrays[name[:-len(".scale")]] = q.astype(np.float32) * scale.reshape([-1] + [1] * (q.ndim - 1))
    return arrays, meta


def write(path, tensors, meta):
    """A safetensors file of 32-bit tensors."""
    header, data = {"__metadata__": meta}, b""
    for name, t in tensors.items():
        raw = np.ascontiguousarray(t.detach().cpu().numpy() if isinstance(t, torch.Tensor) else t, "<f4").tobytes()
        shape = list(t.shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def shape_of(text):
    """(C, H, W) of "HxWxC", or of "C"."""
    n = [int(v) for v in text.split("x")]
    return (n[0], 1, 1) if len(n) == 1 else (n[2], n[0], n[1])


def windowed(shape, side, stride, pad):
    return tuple((n + 2 * pad - side) // stride + 1 for n in shape[1:])


class Named(nn.Module):
    """Modules under names with dots, as a state_dict has them."""

    def put(self, name, module):
        at, parts = self, name.split(".")
        for part in parts[:-1]:
            if part not in at._modules:
                at.add_module(part, Named())
            at = at._modules[part]
        at.add_module(parts[-1], module)

    def at(self, name):
        for part in name.split("."):
            self = self._modules[part]
        return self


class Model(Named):
    """The nets of a weights file, or of texts, with random numbers then."""

    def __init__(self, path=None, texts=None, activation="silu", widths=(100, 50, 20)):
        super().__init__()
        self.meta, arrays = {}, None
        if path is not None:
            arrays, self.meta = read(path)
            activation = self.meta.get("distance.activation", activation)
            texts = {net: self.meta[key] for net, key in KEYS.items() if key in self.meta} or DIGITS
            widths = [arrays["distance.%d.weight" % i].shape[0] for i in range(99) if "distance.%d.weight" % i in arrays][:-1]
        self.texts = dict(texts)
        latent = self.texts["F"].split(";")[-1].split()[-1]
        if any(l.split()[0] == "add" for l in self.texts["F"].split(";")):
            latent = self.texts["G"].split(";")[0].strip()
        if arrays is None or "distance.0.weight" in arrays:
            layers = []
            for i, w in enumerate(list(widths) + [1]):
                layers += ["linear distance.%d %d" % (i, w), activation]
            self.texts["D"] = latent + "; " + "; ".join(layers[:-1])
        self.sides, self.layouts = {}, {}
        for net, text in self.texts.items():
            self.build(net, text)
        if arrays is not None:
            self.load_state_dict({n: torch.from_numpy(self.from_mppm(n, arrays[n])) for n in self.state_dict()
                                  if not n.endswith("num_batches_tracked")}, strict=False)
        self.eval()

    def build(self, net, text):
        """Makes the modules of a net, and notes the shapes that its layers take and make."""
        parts = [p.split() for p in text.split(";")]
        shape, named, self.sides[net] = shape_of(parts[0][0]), {}, []
        for w in parts[1:]:
            kind, was = w[0], shape
            if kind in ("conv", "convtranspose", "maxpool", "avgpool"):
                side, stride, pad = (int(v) for v in w[-2 if kind.startswith("conv") else -1].split(","))
            if kind == "linear":
                shape = shape_of(w[2])
                self.put(w[1], nn.Linear(math.prod(was), math.prod(shape)))
            elif kind == "conv":
                shape = (int(w[3]),) + windowed(was, side, stride, pad)
                self.put(w[1], nn.Conv2d(was[0], shape[0], side, stride, pad))
            elif kind == "convtranspose":
                shape = shape_of(w[3])
                beyond = [to - ((n - 1) * stride + side - 2 * pad) for to, n in zip(shape[1:], was[1:])]
                self.put(w[1], nn.ConvTranspose2d(was[0], shape[0], side, stride, pad, beyond))
            elif kind in ("maxpool", "avgpool"):
                shape = (was[0],) + windowed(was, side, stride, pad)
            elif kind == "batchnorm":
                self.put(w[1], nn.BatchNorm2d(was[0]))
            elif kind == "input":
                shape = was
                self.sides[net].append(w[1])
                named[w[1]] = shape_of(w[2])
            elif kind == "keep":
                named[w[1]] = shape
            elif kind == "from":
                shape = named[w[1]]
            elif kind == "concat":
                shape = (was[0] + named[w[1]][0],) + was[1:]
            if kind in ("linear", "conv", "convtranspose"):
                self.layouts[w[1]] = (kind, was, shape)

    def from_mppm(self, name, a):
        """An array of mppm as PyTorch has it: channels before rows and columns."""
        layer, _, what = name.rpartition(".")
        kind, (ci, hi, wi), (co, ho, wo) = self.layouts.get(layer, ("", (1, 1, 1), (1, 1, 1)))
        if kind == "conv" and what == "weight":
            a = a.transpose(0, 3, 1, 2)
        elif kind == "convtranspose" and what == "weight":
            a = a.transpose(3, 0, 1, 2)
        elif kind == "linear" and what == "weight":
            a = a.reshape(ho, wo, co, hi, wi, ci).transpose(2, 0, 1, 5, 3, 4).reshape(co * ho * wo, ci * hi * wi)
        elif kind == "linear":
            a = a.reshape(ho, wo, co).transpose(2, 0, 1).reshape(-1)
        return np.array(a, np.float32)

    def run(self, net, *inputs):
        """What a net makes: {"out": ..., and what it keeps by its names}. Images are N × C
        × H × W; a U-Net's G takes its skips after the code, L those after the image."""
        parts = [p.split() for p in self.texts[net].split(";")]
        x, named = inputs[0], dict(zip(self.sides[net], inputs[1:]))
        for w in parts[1:]:
            kind = w[0]
            if kind in ("maxpool", "avgpool"):
                side, stride, pad = (int(v) for v in w[1].split(","))
            if kind == "linear":
                co, ho, wo = self.layouts[w[1]][2]
                x = self.at(w[1])(x.flatten(1))
                x = x if ho * wo == 1 else x.view(-1, co, ho, wo)
            elif kind in ("conv", "convtranspose", "batchnorm"):
                x = self.at(w[1])(x)
            elif kind == "maxpool":
                x = functional.max_pool2d(x, side, stride, pad)
            elif kind == "avgpool":
                x = functional.avg_pool2d(x, side, stride, pad, count_include_pad=False)
            elif kind == "dropout":
                x = functional.dropout(x, float(w[1]), self.training)
            elif kind == "keep":
                named[w[1]] = x
            elif kind == "from":
                x = named[w[1]]
            elif kind == "concat":
                x = torch.cat([x, named[w[1]]], 1)
            elif kind == "add":
                x = x + named[w[1]]
            elif kind != "input":
                x = {"relu": functional.relu, "silu": functional.silu, "sigmoid": torch.sigmoid, "identity": lambda v: v,
                     "leakyrelu": lambda v: functional.leaky_relu(v, 0.2)}[kind](x)
        named["out"] = x
        return named

    def save(self, path):
        """The file that `mppm import` takes: the numbers as they are here, and what says
        which nets they are of."""
        meta = {k: v for k, v in self.meta.items() if k.startswith("flow.") or k == "distance.activation"}
        meta.update({KEYS[net]: text for net, text in self.texts.items() if net in KEYS})
        write(path, self.state_dict(), meta)


class Table8(nn.Module):
    """F, G and D of Table 8 as one would write them. Only the names are mppm's."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict(dict(
            conv1=nn.Conv2d(1, 32, 3, 2, 1), conv2=nn.Conv2d(32, 64, 3, 2, 1), linear=nn.Linear(64 * 7 * 7, 18)))
        self.decoder = nn.ModuleDict(dict(
            linear=nn.Linear(18, 64 * 7 * 7), deconv1=nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), deconv2=nn.ConvTranspose2d(32, 1, 3, 2, 1, 1)))
        self.distance = nn.ModuleList([nn.Linear(18, 100), nn.Linear(100, 50), nn.Linear(50, 20), nn.Linear(20, 1)])

    def f(self, x):
        x = torch.relu(self.encoder["conv1"](x))
        x = torch.relu(self.encoder["conv2"](x))
        return self.encoder["linear"](x.flatten(1))

    def g(self, z):
        x = torch.relu(self.decoder["linear"](z)).view(-1, 64, 7, 7)
        x = torch.relu(self.decoder["deconv1"](x))
        return torch.sigmoid(self.decoder["deconv2"](x))

    def d(self, z):
        for layer in self.distance[:-1]:
            z = functional.silu(layer(z))
        return self.distance[-1](z)


def main(args):
    if args[:1] == ["to-torch"] and len(args) == 3:
        Model(args[1]).save(args[2])
    elif args[:1] == ["run"] and len(args) > 1 and len(args) % 4 == 1:
        for net, weights, given, made in zip(*[iter(args[1:])] * 4):
            m, arrays = Model(weights), read(given)[0]
            with torch.no_grad():
                out = m.run(net, *(torch.from_numpy(np.array(arrays[n])) for n in ["in"] + m.sides[net]))
            write(made, out, {})
    elif args[:1] == ["new"] and len(args) in (2, 3):
        torch.manual_seed(int(args[2]) if len(args) == 3 else 1)
        m = Table8()
        write(args[1], m.state_dict(), {})
        with torch.no_grad():  # what they make, to compare with
            x = torch.rand(4, 1, 28, 28)
            z = m.f(x)
            write(args[1] + ".made", {"x": x, "z": z, "y": m.g(z), "d": m.d(z)}, {})
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
