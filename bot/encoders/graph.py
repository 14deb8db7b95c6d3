"""A neural net written down for onnxruntime, its large products in 8 bits: a quarter of the memory to read, and most of the
time of an encoder goes to reading its weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 18, 9  # understood by every onnxruntime that we allow
OWN = "com.microsoft"  # onnxruntime's operators beyond ONNX
# One text at a time: its vector must not depend on what else is encoded, and inputs have one scale a call.
# Weights get 7 of the 8 bits: older processors add two products of 8 bits in 16, and would cut off what does not fit. So the
# same text has the same vector on every machine.
LARGEST_WEIGHT = 63


class Graph:
    """Nodes in the order in which they are added; each method returns the name of its result."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, values: np.ndarray) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> Any:
        """One node; several `outputs` come as a list."""
        names = [f"{operator}{len(self._nodes)}_{number}" for number in range(outputs)]
        self._nodes.append(helper.make_node(operator, inputs, names, domain=domain, **attributes))
        return names if outputs > 1 else names[0]

    def product(self, inputs: str, weights: np.ndarray, shifts: np.ndarray) -> str:
        """inputs @ weights + shifts; weights (a scale for each column) and inputs (one scale) in 8 bits."""
        scales = np.maximum(np.abs(weights).max(axis=0) / LARGEST_WEIGHT, 1e-12).astype(np.float32)
        small = np.round(weights / scales).astype(np.int8)
        given = (inputs, self.constant(small), self.constant(scales), "", self.constant(shifts))
        return str(self.add("DynamicQuantizeMatMul", *given, domain=OWN))

    def levelled(self, inputs: str, gain: np.ndarray, shift: np.ndarray, tiny: float) -> str:
        """Layer normalisation over the last axis."""
        given = (inputs, self.constant(gain), self.constant(shift))
        return str(self.add("LayerNormalization", *given, axis=-1, epsilon=tiny))

    def ready(self, inputs: Mapping[str, tuple[type, Sequence[str | int]]], output: str) -> onnxruntime.InferenceSession:
        """The net, ready to run. `inputs`: name → (np.int32 or np.float32, shape with names for what varies)."""
        kinds = {np.int32: TensorProto.INT32, np.float32: TensorProto.FLOAT}
        taken = [helper.make_tensor_value_info(name, kinds[kind], shape) for name, (kind, shape) in inputs.items()]
        given = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
        versions = [helper.make_opsetid("", OPSET), helper.make_opsetid(OWN, 1)]
        graph = helper.make_graph(self._nodes, "encoder", taken, given, self._constants)
        model = helper.make_model(graph, opset_imports=versions, ir_version=IR_VERSION)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # one sentence is too small to share: a second thread costs more than it brings
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena never gives memory back after training
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
