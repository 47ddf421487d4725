"""The reader: a small convolutional trunk, a few attention layers, one query for every place of the serial."""
import math

import torch
from torch import nn
from torch.nn import functional as F

HEIGHT, WIDTH, SLOTS, CLASSES, STYLES = 64, 192, 10, 37, 8


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.a = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.na = nn.BatchNorm2d(cout)
        self.b = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.nb = nn.BatchNorm2d(cout)
        self.skip = None
        if stride != 1 or cin != cout:
            self.skip = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = self.nb(self.b(F.relu(self.na(self.a(x)))))
        return F.relu(y + (x if self.skip is None else self.skip(x)))


class Attention(nn.Module):
    def __init__(self, d, heads=4):
        super().__init__()
        self.h, self.d = heads, d
        self.q, self.k, self.v, self.o = (nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.reshape(x.shape[0], -1, self.h, self.d // self.h).transpose(1, 2)

    def forward(self, x, m):
        q, k, v = self.split(self.q(x)), self.split(self.k(m)), self.split(self.v(m))
        if torch.onnx.is_in_onnx_export():
            w = torch.softmax(q @ k.transpose(2, 3) * (1 / math.sqrt(self.d // self.h)), -1)
            y = w @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v)
        return self.o(y.transpose(1, 2).reshape(x.shape[0], -1, self.d))


class Layer(nn.Module):
    def __init__(self, d, hidden, cross=False):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.att = Attention(d)
        self.f1, self.f2 = nn.Linear(d, hidden), nn.Linear(hidden, d)
        self.cross = Attention(d) if cross else None
        self.nc = nn.LayerNorm(d) if cross else None

    def forward(self, x, m=None):
        y = self.n1(x)
        x = x + self.att(y, y)
        if self.cross is not None:
            x = x + self.cross(self.nc(x), m)
        return x + self.f2(F.relu(self.f1(self.n2(x))))


class Reader(nn.Module):
    """Input B×3×64×192, 0 to 1. Output: letters B×10×37 (logits), outline B×8 (corners from top left, clockwise, as parts of
    the picture), style B×8 (logits)."""

    def __init__(self, d=128):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.trunk = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1), Block(64, d, 2))
        self.place = nn.Parameter(torch.randn(1, 8 * 24, d) * 0.1)
        self.encoder = nn.ModuleList(Layer(d, 192) for _ in range(3))
        self.query = nn.Parameter(torch.randn(1, SLOTS, d) * 0.1)
        self.decoder = nn.ModuleList(Layer(d, 192, cross=True) for _ in range(2))
        self.norm = nn.LayerNorm(d)
        self.letters = nn.Linear(d, CLASSES)
        self.side = nn.Linear(d, 64)
        self.outline, self.style = nn.Linear(64, 8), nn.Linear(64, STYLES)

    def forward(self, x):
        y = self.trunk(self.stem(x * 2 - 1))
        y = y.flatten(2).transpose(1, 2) + self.place
        for layer in self.encoder:
            y = layer(y)
        z = self.query.expand(x.shape[0], -1, -1)
        for layer in self.decoder:
            z = layer(z, y)
        s = F.relu(self.side(y.mean(1)))
        return self.letters(self.norm(z)), self.outline(s), self.style(s)


def export(model, path):
    model = model.eval().float().cpu()
    torch.onnx.export(model, torch.zeros(1, 3, HEIGHT, WIDTH), path, input_names=["plate"], output_names=["letters", "outline", "style"],
                      dynamic_axes={k: {0: "batch"} for k in ("plate", "letters", "outline", "style")}, opset_version=17, dynamo=False)


if __name__ == "__main__":
    m = Reader()
    print("parameters", sum(p.numel() for p in m.parameters()))
