"""Sentence encoders: text in, one vector of length 1 out. Offline; the weight files come in locked packages.

`find` gives an encoder by the name that stands in the settings.
"""

import os

# onnxruntime reports its use to its maker unless it is told not to before it is first imported. Nothing leaves this machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


from bot.encoders.finding import Encoder, find

__all__ = ["Encoder", "find"]
