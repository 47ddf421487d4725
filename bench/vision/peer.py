"""The same models in the usual Python: OpenCV decodes, scales and straightens, ONNX Runtime runs, every box of every frame is
read once. Frames are searched at the same widths in turn as ours. Prints frames a second, processor time, and what decoding,
finding and reading take of it, each a frame.

    peer.py VIDEO DETECTOR READER [THREADS]
"""
import sys
import time
from math import ceil

import cv2
import numpy as np
import onnxruntime as ort

SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
WIDTHS = [1280, 640, 960, 640]
TO = np.float32([[0, 0], [192, 0], [192, 64], [0, 64]])


def session(path, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def priors(h, w):
    out = []
    for step, sides in ((8, (24, 48)), (16, (96, 192)), (32, (384, 768))):
        y, x = np.mgrid[0:ceil(h / step), 0:ceil(w / step)]
        at = np.repeat((np.stack([x, y], -1).reshape(-1, 1, 2) + 0.5) * step, 2, 1)
        side = np.broadcast_to(np.array(sides, float).reshape(1, 2, 1), at.shape)
        out.append(np.concatenate([at, side], -1).reshape(-1, 4))
    return np.concatenate(out)


def overlap(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(w, 0) * max(h, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared + 1e-9)


def detect(network, known, frame, width):
    scale = width / frame.shape[1]
    small = frame if scale == 1 else cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    data = (small.astype(np.float32) - (104, 117, 123)).transpose(2, 0, 1)[None].astype(np.float32)
    loc, conf, marks = network.run(["loc", "conf", "landms"], {"image": data})
    p = known.setdefault(small.shape[:2], None)
    if p is None:
        p = known[small.shape[:2]] = priors(*small.shape[:2])
    score = conf[0, :, 1]
    rows = np.where(score >= 0.1)[0]
    p, loc, marks, score = p[rows], loc[0][rows], marks[0][rows], score[rows]
    middle, size = p[:, :2] + loc[:, :2] * 0.1 * p[:, 2:], p[:, 2:] * np.exp(loc[:, 2:] * 0.2)
    boxes = np.concatenate([middle - size / 2, size], 1) / scale
    quads = (p[:, None, :2] + marks.reshape(-1, 4, 2) * 0.1 * p[:, None, 2:]) / scale
    kept = []
    for i in score.argsort()[::-1]:
        if all(overlap(boxes[i], boxes[j]) < 0.4 for j in kept):
            kept.append(i)
    return [quads[i] for i in kept]


def read(network, frame, quad):
    middle = quad.mean(0)
    quad = quad[np.argsort(np.arctan2(*(quad - middle).T[::-1]))]
    quad = middle + (quad - middle) * (1.15, 1.25)
    flat = cv2.warpPerspective(frame, cv2.getPerspectiveTransform(quad.astype(np.float32), TO), (192, 64))
    data = flat[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
    letters = network.run(["letters"], {"plate": data})[0][0].argmax(-1)
    return "".join(SIGNS[k] for k in letters if k < 36)


def main():
    video, detector, reader = sys.argv[1:4]
    threads = int(sys.argv[4]) if len(sys.argv) > 4 else 2
    cv2.setNumThreads(threads)
    finder, reads = session(detector, threads), session(reader, threads)
    source, known, frames, start = cv2.VideoCapture(video), {}, 0, time.time()
    spent = {"decode": 0.0, "find": 0.0, "read": 0.0}
    last = time.process_time()

    def lap(stage):
        nonlocal last
        now = time.process_time()
        spent[stage] += now - last
        last = now

    while True:
        there, frame = source.read()
        lap("decode")
        if not there:
            break
        quads = detect(finder, known, frame, WIDTHS[frames % 4])
        lap("find")
        for quad in quads:
            read(reads, frame, quad)
        lap("read")
        frames += 1
    stages = ", ".join(f"{stage} {seconds * 1000 / frames:.1f}" for stage, seconds in spent.items())
    each = sum(spent.values()) * 1000 / frames
    print(f"{frames / (time.time() - start):.2f} frames a second, {each:.0f} ms of processor time a frame ({stages})")


if __name__ == "__main__":
    main()
