"""Sentence encoders: text in, one vector of length 1 out. Offline; the weight files come in locked packages.

`find` gives an encoder by the name that stands in the settings.
"""

from bot.encoders.finding import Encoder, find

__all__ = ["Encoder", "find"]
