"""The closed sets of kinds in the model, for mypy: nothing of it is loaded at run time."""

from typing import Literal

_OfNode = Literal["empty", "usable", "sound", "lost", "back", "led", "connected"]
_OfCluster = Literal["maintenance", "watched", "marked", "unmarked", "unlocked"]
_OfResource = Literal["gone", "forgotten", "idle", "healthy", "absent", "unwatched", "withdrawn"]
_OfDomain = Literal["running", "stopped", "elsewhere", "anew", "managed", "unmanaged"]
GoalKind = Literal[_OfNode, _OfCluster, _OfResource, _OfDomain]
