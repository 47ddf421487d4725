"""Makes the small networks of the tests: each does by plain arithmetic what a trained one of its form does by learning.

    pip install onnx==1.23.2 && python3 make.py

slots.onnx          as fast-plate-ocr exports: four places, the grey of each quarter of the picture is its sign; two regions
yolo-sorted.onnx    as open-image-models exports: boxes of 8 by 8 pixels that are red, sorted out by the network, N x 7
yolo-raw.onnx       as YOLOv8 exports: the same boxes, all of them, 1 x 5 x 64
tower-picture.onnx  the mean colour of a picture
tower-text.onnx     the colour that a text names; with a mask of the tokens that count
tower-plain.onnx    the same without a mask
tower-narrow.onnx   a tower of texts with two numbers, for which there is no tower of pictures
"""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
FLOAT, BYTE, LONG = TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT64


def const(name, value, kind=np.float32):
    return numpy_helper.from_array(np.asarray(value, kind), name)


def save(name, nodes, inputs, outputs, constants):
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, name, [info(*each) for each in inputs], [info(*each) for each in outputs], constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="canvass")
    model.ir_version = 8
    onnx.checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def slots():
    node = helper.make_node
    levels = np.arange(13, dtype=np.float32).reshape(1, 1, 13) * 20
    save(
        "slots",
        [
            node("Cast", ["input"], ["numbers"], to=FLOAT),
            node("ReduceMean", ["numbers"], ["columns"], axes=[1, 3], keepdims=0),
            node("Reshape", ["columns", "quarters"], ["parts"]),
            node("ReduceMean", ["parts"], ["grey"], axes=[2], keepdims=1),
            node("Sub", ["grey", "levels"], ["off"]),
            node("Mul", ["off", "off"], ["square"]),
            node("Mul", ["square", "sharp"], ["letters"]),
            node("Softmax", ["letters"], ["plate"], axis=2),
            node("ReduceMean", ["grey"], ["mean"], axes=[1], keepdims=0),
            node("Mul", ["mean", "light"], ["tilt"]),
            node("Add", ["tilt", "start"], ["two"]),
            node("Softmax", ["two"], ["region"], axis=1),
        ],
        [("input", BYTE, ["batch", 16, 64, 1])],
        [("plate", FLOAT, ["batch", 4, 13]), ("region", FLOAT, ["batch", 2])],
        [
            const("quarters", [-1, 4, 16], np.int64),
            const("levels", levels),
            const("sharp", -1 / 64),
            const("light", [[0.1, -0.1]]),
            const("start", [[-12.0, 12.0]]),
        ],
    )


def grid():
    x, y = np.meshgrid(np.arange(8) * 8.0, np.arange(8) * 8.0)
    left, top = x.reshape(-1), y.reshape(-1)
    return left, top


def redness():
    node = helper.make_node
    nodes = [
        node("Slice", ["images", "zero", "one", "axis"], ["red"]),
        node("Slice", ["images", "one", "two", "axis"], ["green"]),
        node("Sub", ["red", "green"], ["more"]),
        node("Relu", ["more"], ["redness"]),
        node("AveragePool", ["redness"], ["cells"], kernel_shape=[8, 8], strides=[8, 8]),
        node("Reshape", ["cells", "row"], ["scores"]),
    ]
    constants = [
        const("zero", [0], np.int64),
        const("one", [1], np.int64),
        const("two", [2], np.int64),
        const("axis", [1], np.int64),
        const("row", [1, 1, 64], np.int64),
    ]
    return nodes, constants


def yolo_raw():
    nodes, constants = redness()
    left, top = grid()
    places = np.stack([left + 4, top + 4, np.full(64, 8.0), np.full(64, 8.0)])[None]
    nodes.append(helper.make_node("Concat", ["places", "scores"], ["output0"], axis=1))
    save(
        "yolo-raw",
        nodes,
        [("images", FLOAT, [1, 3, 64, 64])],
        [("output0", FLOAT, [1, 5, 64])],
        [*constants, const("places", places)],
    )


def yolo_sorted():
    node = helper.make_node
    nodes, constants = redness()
    left, top = grid()
    by_rows = np.stack([top, left, top + 8, left + 8], 1)[None]
    by_columns = np.stack([left, top, left + 8, top + 8], 1)
    nodes += [
        node("NonMaxSuppression", ["by_rows", "scores", "most", "shared", "least"], ["chosen"]),
        node("Slice", ["chosen", "two", "three", "axis"], ["which_row"]),
        node("Reshape", ["which_row", "flat"], ["which"]),
        node("Gather", ["by_columns", "which"], ["boxes"], axis=0),
        node("Reshape", ["scores", "flat"], ["all_scores"]),
        node("Gather", ["all_scores", "which"], ["their_scores"], axis=0),
        node("Reshape", ["their_scores", "column"], ["score"]),
        node("Slice", ["chosen", "zero", "one", "axis"], ["picture_number"]),
        node("Cast", ["picture_number"], ["picture"], to=FLOAT),
        node("Slice", ["chosen", "one", "two", "axis"], ["kind_number"]),
        node("Cast", ["kind_number"], ["kind"], to=FLOAT),
        node("Concat", ["picture", "boxes", "kind", "score"], ["output"], axis=1),
    ]
    save(
        "yolo-sorted",
        nodes,
        [("images", FLOAT, [1, 3, 64, 64])],
        [("output", FLOAT, ["boxes_found", 7])],
        [
            *constants,
            const("by_rows", by_rows),
            const("by_columns", by_columns),
            const("most", [20], np.int64),
            const("shared", [0.5]),
            const("least", [0.05]),
            const("three", [3], np.int64),
            const("flat", [-1], np.int64),
            const("column", [-1, 1], np.int64),
        ],
    )


def towers():
    node = helper.make_node
    save(
        "tower-picture",
        [node("GlobalAveragePool", ["pixel_values"], ["mean"]), node("Reshape", ["mean", "row"], ["image_embeds"])],
        [("pixel_values", FLOAT, ["batch", 3, 8, 8])],
        [("image_embeds", FLOAT, ["batch", 3])],
        [const("row", [-1, 3], np.int64)],
    )
    # Tokens as merges.txt makes them: 512 re, 513 red, 514 bl, 515 blu, 516 blue, 517 ca, 518 car, 519 start, 520 end.
    table = np.zeros((521, 3), np.float32)
    table[513] = (1.0, -1.0, -1.0)
    table[516] = (-1.0, -1.0, 1.0)
    table[519] = 0.1
    ids, out = ("input_ids", LONG, ["batch", 8]), ("text_embeds", FLOAT, ["batch", 3])
    words = node("Gather", ["table", "input_ids"], ["words"], axis=0)
    total = [node("ReduceSum", ["counted", "along"], ["text_embeds"], keepdims=0)]
    along = const("along", [1], np.int64)
    masked = [
        node("Cast", ["attention_mask"], ["mask"], to=FLOAT),
        node("Unsqueeze", ["mask", "last"], ["each"]),
        node("Mul", ["words", "each"], ["counted"]),
    ]
    mask = ("attention_mask", LONG, ["batch", 8])
    last = const("last", [2], np.int64)
    save("tower-text", [words, *masked, *total], [ids, mask], [out], [const("table", table), along, last])
    plain = node("Identity", ["words"], ["counted"])
    save("tower-plain", [words, plain, *total], [ids], [out], [const("table", table), along])
    narrow = ("text_embeds", FLOAT, ["batch", 2])
    save("tower-narrow", [words, plain, *total], [ids], [narrow], [const("table", table[:, :2]), along])


slots()
yolo_raw()
yolo_sorted()
towers()
