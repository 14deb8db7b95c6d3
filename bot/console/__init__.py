"""The coaches' console."""

import warnings

import authlib.deprecate  # noqa: F401  sets a filter of its own; ours must come after it

# Authlib asks for a successor of httpx that it does not need yet.
warnings.filterwarnings("ignore", message="The httpx module is deprecated")
