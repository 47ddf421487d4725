"""Trains the plate reader on synthetic plates alone: workers draw (plates.py), the GPU cuts out, spoils and learns.

    python train.py --seconds 470 --out OUT --fonts FONTS [--seed 1] [--workers 15] [--batch 1024]
"""
import argparse
import json
import math
import mmap
import multiprocessing as mp
import os
import random
import time

import numpy as np
import torch
from torch.nn import functional as F

import net
import plates

CW, CH = plates.CANVAS
CHUNK, SLOTS_OF_RING = 128, 48


def draw(index, seed, folders, pictures, truth, free, ready):
    torch.set_num_threads(1)
    plates.start(folders, seed)
    rng, groups = random.Random(seed * 1_000_003 + index), plates.groups()
    while True:
        slot = free.get()
        if slot is None:
            return
        for i in range(CHUNK):
            picture, text, ink, style = plates.canvas(rng, groups)
            pictures[slot, i] = picture
            truth[slot, i, :10] = plates.encode(text)
            truth[slot, i, 10:14] = ink
            truth[slot, i, 14] = style
        ready.put(slot)


def homography(src, dst):
    """B×4×2 to B×4×2: the 3×3 that takes src to dst."""
    b = src.shape[0]
    x, y, u, v = src[..., 0], src[..., 1], dst[..., 0], dst[..., 1]
    o, z = torch.ones_like(x), torch.zeros_like(x)
    a1 = torch.stack([x, y, o, z, z, z, -u * x, -u * y], -1)
    a2 = torch.stack([z, z, z, x, y, o, -v * x, -v * y], -1)
    h = torch.linalg.solve(torch.cat([a1, a2], 1), torch.cat([u, v], 1).unsqueeze(-1)).squeeze(-1)
    return torch.cat([h, torch.ones(b, 1, device=src.device)], 1).reshape(b, 3, 3)


def apply(h, p):
    q = torch.cat([p, torch.ones_like(p[..., :1])], -1) @ h.transpose(1, 2)
    return q[..., :2] / q[..., 2:]


class Spoiler:
    """Everything between a flat picture and a detector's cut-out from a cheap camera, on the GPU."""

    def __init__(self, device, seed):
        self.g = torch.Generator(device=device).manual_seed(seed)
        self.d = device
        ys, xs = torch.meshgrid((torch.arange(net.HEIGHT, device=device) + 0.5) / net.HEIGHT, (torch.arange(net.WIDTH, device=device) + 0.5) / net.WIDTH, indexing="ij")
        self.grid = torch.stack([xs, ys], -1).reshape(1, -1, 2)
        k = torch.arange(8, device=device, dtype=torch.float32)
        self.dct = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) * 0.5
        self.dct[0] *= math.sqrt(0.5)
        self.q = torch.tensor([[16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56], [14, 17, 22, 29, 51, 87, 80, 62],
                               [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92], [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99]],
                              device=device, dtype=torch.float32) / 255

    def u(self, *shape, lo=0.0, hi=1.0):
        return torch.rand(*shape, generator=self.g, device=self.d) * (hi - lo) + lo

    def n(self, *shape):
        return torch.randn(*shape, generator=self.g, device=self.d)

    def cut(self, ink):
        """Corners of the cut-out in the canvas: near the plate's outline, wider, or nearer to the writing."""
        b = ink.shape[0]
        px0, py0, px1, py1 = plates.PLATE
        pw, ph = px1 - px0, py1 - py0
        m = self.u(b, 4)
        wide = self.u(b, 1)
        reach = torch.where(wide < 0.6, torch.full_like(wide, 0.35), torch.ones_like(wide))
        x0 = ink[:, 0] - 2 + 4 * self.u(b) - m[:, 0] * (ink[:, 0] - px0 + reach[:, 0] * 0.38 * pw)
        x1 = ink[:, 2] + 2 - 4 * self.u(b) + m[:, 1] * (px1 - ink[:, 2] + reach[:, 0] * 0.38 * pw)
        y0 = ink[:, 1] - 1 + 2 * self.u(b) - m[:, 2] * (ink[:, 1] - py0 + reach[:, 0] * 0.45 * ph)
        y1 = ink[:, 3] + 1 - 2 * self.u(b) + m[:, 3] * (py1 - ink[:, 3] + reach[:, 0] * 0.45 * ph)
        q = torch.stack([torch.stack([x0, y0], -1), torch.stack([x1, y0], -1), torch.stack([x1, y1], -1), torch.stack([x0, y1], -1)], 1)
        c = q.mean(1, keepdim=True)
        a = self.n(b, 1, 1) * 0.07 * (self.u(b, 1, 1) < 0.7)
        aspect = self.u(b, 1, 1, lo=0.75, hi=1.7)  # canvas is drawn flat: a turn happens in the world's own proportions
        rel = (q - c) * torch.cat([torch.ones_like(aspect), aspect], -1)
        rot = torch.cat([rel[..., :1] * torch.cos(a) - rel[..., 1:] * torch.sin(a), rel[..., :1] * torch.sin(a) + rel[..., 1:] * torch.cos(a)], -1)
        rot[..., :1] += rot[..., 1:] * self.n(b, 1, 1) * 0.12
        q = c + rot / torch.cat([torch.ones_like(aspect), aspect], -1)
        return q + self.n(b, 4, 2) * torch.tensor([pw * 0.012, ph * 0.03], device=self.d) * (self.u(b, 1, 1) < 0.8)

    def view(self, canvas, ink):
        b = canvas.shape[0]
        q = self.cut(ink)
        unit = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]], device=self.d).expand(b, 4, 2)
        h = homography(unit, q)
        at = apply(h, self.grid.expand(b, -1, 2)).reshape(b, net.HEIGHT, net.WIDTH, 2)
        at = at / torch.tensor([CW, CH], device=self.d) * 2 - 1
        x = F.grid_sample(canvas, at, mode="bilinear", padding_mode="reflection", align_corners=False)
        px0, py0, px1, py1 = plates.PLATE
        plate = torch.tensor([[px0, py0], [px1, py0], [px1, py1], [px0, py1]], device=self.d, dtype=torch.float32).expand(b, 4, 2)
        return x, apply(homography(q, unit), plate).reshape(b, 8)

    def light(self, x):
        b = x.shape[0]
        grey = x.mean(1, keepdim=True)
        s = torch.where(self.u(b, 1, 1, 1) < 0.35, torch.zeros(b, 1, 1, 1, device=self.d), self.u(b, 1, 1, 1, lo=0.3, hi=1.1))
        x = grey + (x - grey) * s
        x = torch.where(self.u(b, 1, 1, 1) < 0.02, 1 - x, x)
        x = x * (1 + self.n(b, 3, 1, 1) * 0.08)
        g = self.grid.reshape(1, net.HEIGHT, net.WIDTH, 2) * 2 - 1
        slope = (g * self.n(b, 1, 1, 2) * 0.18).sum(-1).unsqueeze(1)
        x = x * (1 + slope)
        # A shadow's edge or a glare spot.
        edge = torch.sigmoid(((g * self.n(b, 1, 1, 2)).sum(-1) + self.n(b, 1, 1)) * self.u(b, 1, 1, lo=3, hi=40)).unsqueeze(1)
        x = x * torch.where(self.u(b, 1, 1, 1) < 0.15, 1 - edge * self.u(b, 1, 1, 1, lo=0.15, hi=0.6), torch.ones_like(edge))
        d = (((g - self.n(b, 1, 1, 2) * 0.7) / self.u(b, 1, 1, 2, lo=0.15, hi=0.8)) ** 2).sum(-1).unsqueeze(1)
        x = x + torch.exp(-d) * self.u(b, 1, 1, 1, lo=0.1, hi=0.6) * (self.u(b, 1, 1, 1) < 0.12)
        x = x.clamp(0.003, 1.6) ** torch.exp(self.n(b, 1, 1, 1) * 0.35)
        contrast = torch.where(self.u(b, 1, 1, 1) < 0.3, self.u(b, 1, 1, 1, lo=0.18, hi=0.6), self.u(b, 1, 1, 1, lo=0.6, hi=1.25))
        level = self.u(b, 1, 1, 1, lo=-0.12, hi=0.12) + (1 - contrast) * self.u(b, 1, 1, 1, lo=0.0, hi=0.9)
        return x * contrast + level

    def blur(self, x):
        b, r = x.shape[0], 5
        t = torch.arange(-r, r + 1, device=self.d, dtype=torch.float32)
        yy, xx = torch.meshgrid(t, t, indexing="ij")
        a = self.u(b, 1, 1, lo=0, hi=math.pi)
        s1 = self.u(b, 1, 1) ** 1.5 * 2.2 + 0.2
        s2 = torch.where(self.u(b, 1, 1) < 0.6, s1, self.u(b, 1, 1) * s1 + 0.15)
        u, v = xx * torch.cos(a) + yy * torch.sin(a), -xx * torch.sin(a) + yy * torch.cos(a)
        k = torch.exp(-0.5 * ((u / s1) ** 2 + (v / s2) ** 2))
        k = k / k.sum((1, 2), keepdim=True)
        return F.conv2d(x.reshape(1, b * 3, *x.shape[2:]), k.repeat_interleave(3, 0).unsqueeze(1), padding=r, groups=b * 3).reshape(x.shape)

    def jpeg(self, x, strength):
        b, c, h, w = x.shape
        z = x.reshape(b, c, h // 8, 8, w // 8, 8).permute(0, 1, 2, 4, 3, 5)
        f = self.dct @ (z - 0.5) @ self.dct.T
        step = self.q * strength.reshape(b, 1, 1, 1, 1, 1)
        f = torch.round(f / step) * step
        z = self.dct.T @ f @ self.dct + 0.5
        return z.permute(0, 1, 2, 4, 3, 5).reshape(b, c, h, w)

    def small(self, x, size):
        """Through a picture of few pixels, with its noise and its JPEG."""
        b = x.shape[0]
        y = F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False) if size != tuple(x.shape[2:]) else x
        sigma = self.u(b, 1, 1, 1) ** 2 * 0.06
        noise = self.n(*y.shape)
        noise = torch.where(self.u(b, 1, 1, 1) < 0.5, noise, noise.mean(1, keepdim=True) * 1.7)
        y = y + noise * sigma
        if self.u(1).item() < 0.35:  # a camera's sharpening
            soft = F.avg_pool2d(F.pad(y, (1, 1, 1, 1), mode="replicate"), 3, 1)
            y = y + (y - soft) * self.u(b, 1, 1, 1, lo=0, hi=1.6)
        strength = torch.where(self.u(b) < 0.4, torch.full((b,), 0.02, device=self.d), self.u(b, lo=0.1, hi=2.2))
        y = self.jpeg(y.clamp(0, 1), strength).clamp(0, 1)
        if size != tuple(x.shape[2:]):
            y = F.interpolate(y, size=x.shape[2:], mode="bicubic" if self.u(1).item() < 0.5 else "bilinear", align_corners=False)
        return y

    @torch.no_grad()
    def __call__(self, canvas, ink):
        x, outline = self.view(canvas, ink)
        x = self.light(x)
        half = x.shape[0] * 3 // 5
        x = torch.cat([self.blur(x[:half]), x[half:]])
        order = torch.randperm(x.shape[0], generator=self.g, device=self.d)
        sizes = [(16, 48), (16, 64), (24, 56), (24, 72), (24, 96), (32, 72), (32, 96), (40, 104), (40, 120), (48, 144), (64, 192), (64, 192)]
        out = torch.empty_like(x)
        for part, size in zip(order.tensor_split(len(sizes)), sizes):
            out[part] = self.small(x[part], size)
        return (out.clamp(0, 1) * 255).round() / 255, outline


def loss_of(model, x, text, outline, style, smooth=0.0):
    letters, corners, kind = model(x)
    read = F.cross_entropy(letters.float().flatten(0, 1), text.flatten(), label_smoothing=smooth)
    edge = F.smooth_l1_loss(corners.float(), outline, beta=0.05)
    return read + edge + 0.05 * F.cross_entropy(kind.float(), style), letters, corners


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--seconds", type=float, default=470)
    a.add_argument("--out", default="out")
    a.add_argument("--fonts", nargs="+", required=True)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--workers", type=int, default=15)
    a.add_argument("--batch", type=int, default=1024)
    a.add_argument("--keep", type=int, default=300_000)
    a.add_argument("--rate", type=float, default=2e-3)
    a.add_argument("--start", help="weights to go on from")
    a = a.parse_args()
    begin = time.time()
    os.makedirs(a.out, exist_ok=True)
    store = mmap.mmap(-1, SLOTS_OF_RING * CHUNK * CH * CW * 3)
    facts = mmap.mmap(-1, SLOTS_OF_RING * CHUNK * 15 * 4)
    pictures = np.frombuffer(store, np.uint8).reshape(SLOTS_OF_RING, CHUNK, CH, CW, 3)
    truth = np.frombuffer(facts, np.float32).reshape(SLOTS_OF_RING, CHUNK, 15)
    fork = mp.get_context("fork")
    free, ready = fork.Queue(), fork.Queue()
    for s in range(SLOTS_OF_RING):
        free.put(s)
    workers = [fork.Process(target=draw, args=(i, a.seed, a.fonts, pictures, truth, free, ready), daemon=True) for i in range(a.workers)]
    for w in workers:
        w.start()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(a.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    model = net.Reader().to(device)
    if a.start:
        model.load_state_dict(torch.load(a.start, map_location=device, weights_only=True))
    mean = {k: v.detach().clone().float() for k, v in model.state_dict().items()}
    opt = torch.optim.AdamW(model.parameters(), lr=a.rate, weight_decay=0.02, betas=(0.9, 0.98), **({"fused": True} if device == "cuda" else {}))
    spoil, test_spoil = Spoiler(device, a.seed), Spoiler(device, 99)
    bank = torch.empty(a.keep, CH, CW, 3, dtype=torch.uint8, device=device)
    known = torch.empty(a.keep, 15, device=device)
    held, at, filled, steps, shown, drawn, last_save = None, 0, 0, 0, time.time(), 0, time.time()
    gen = torch.Generator(device=device).manual_seed(a.seed)
    running = [0.0, 0.0]
    print(f"{device}, {sum(p.numel() for p in model.parameters())} parameters", flush=True)

    def batch_of(idx, spoiler, src=None):
        pic, facts = (bank, known) if src is None else src
        x, outline = spoiler(pic[idx].permute(0, 3, 1, 2).float() / 255, facts[idx, 10:14])
        return x, facts[idx, :10].long(), outline, facts[idx, 14].long()

    def save():
        torch.save({k: v.to(model.state_dict()[k].dtype).cpu() for k, v in mean.items()}, os.path.join(a.out, "reader.pt.tmp"))
        os.replace(os.path.join(a.out, "reader.pt.tmp"), os.path.join(a.out, "reader.pt"))

    def examine():
        live = {k: v.clone() for k, v in model.state_dict().items()}
        model.load_state_dict({k: v.to(live[k].dtype) for k, v in mean.items()})
        model.eval()
        with torch.no_grad():
            right, edge = [], []
            for s in range(0, held[0].shape[0], 1024):
                idx = torch.arange(s, min(s + 1024, held[0].shape[0]), device=device)
                x, text, outline, style = batch_of(idx, test_spoil, held)
                letters, corners, _ = model(x)
                right.append((letters.argmax(-1) == text).all(-1).float())
                edge.append((corners - outline).abs().mean(-1))
        model.load_state_dict(live)
        model.train()
        return torch.cat(right).mean().item(), torch.cat(edge).mean().item()

    model.train()
    while True:
        spent = time.time() - begin
        if spent > a.seconds:
            break
        for _ in range(8):
            try:
                slot = ready.get(timeout=20 if filled < 2 * CHUNK else 0.0005)
            except Exception:
                break
            p, t = torch.from_numpy(pictures[slot]).to(device), torch.from_numpy(truth[slot].copy()).to(device)
            free.put(slot)
            drawn += CHUNK
            if held is None or held[0].shape[0] < 4096:
                held = (p, t) if held is None else (torch.cat([held[0], p]), torch.cat([held[1], t]))
                if device == "cuda" or held[0].shape[0] < 512:
                    continue
            n = min(CHUNK, a.keep - at)
            bank[at:at + n], known[at:at + n] = p[:n], t[:n]
            at = (at + n) % a.keep
            filled = max(filled, at) if filled < a.keep and at else a.keep
        if filled < min(a.batch * 4, a.keep // 2):
            continue
        rate = a.rate * min(1, (steps + 1) / 300) * (0.5 + 0.5 * math.cos(math.pi * min(1, spent / a.seconds))) + 1e-6
        for g in opt.param_groups:
            g["lr"] = rate
        x, text, outline, style = batch_of(torch.randint(0, filled, (a.batch,), generator=gen, device=device), spoil)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            loss, letters, corners = loss_of(model, x.contiguous(memory_format=torch.channels_last), text, outline, style)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        steps += 1
        decay = min(0.998, 1 - 10 / (10 + steps))
        with torch.no_grad():
            state = model.state_dict()
            names = [k for k in mean if mean[k].is_floating_point()]
            torch._foreach_lerp_([mean[k] for k in names], [state[k].float() for k in names], 1 - decay)
        if time.time() - shown > 20:
            torch.cuda.synchronize() if device == "cuda" else None
            exact, edge = examine()
            print(json.dumps({"s": round(spent), "steps": steps, "pictures": steps * a.batch, "drawn": drawn, "loss": round(loss.item(), 4), "exact": round(exact, 4), "edge": round(edge, 4)}), flush=True)
            shown = time.time()
            if time.time() - last_save > 60:
                save()
                last_save = time.time()
    save()
    exact, edge = examine()
    print(json.dumps({"end": True, "steps": steps, "pictures": steps * a.batch, "drawn": drawn, "exact": exact, "edge": edge}), flush=True)
    model.load_state_dict({k: v.to(model.state_dict()[k].dtype) for k, v in mean.items()})
    x, *_ = batch_of(torch.arange(min(64, held[0].shape[0]), device=device), test_spoil, held)
    np.save(os.path.join(a.out, "seen.npy"), (x[:40] * 255).byte().cpu().numpy())
    for w in workers:
        w.kill()
    try:
        net.export(model, os.path.join(a.out, "plate-reader.onnx"))
    except Exception as error:
        print("export failed, the weights are saved:", error, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
