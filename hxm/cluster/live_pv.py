"""What the hypervisors can do with what the scheduler foresees."""

from __future__ import annotations

from hxm.cluster.read import local_toolstack, other_toolstack
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.model import Cluster
from hxm.plan import Forecast, Objection
from hxm.policy.guards import live_pv
from hxm.toolstack.memory import INFO, can_log_dirty
from hxm.toolstack.remote import ask_elsewhere


def judge(cluster: Cluster, forecast: Forecast, config: Config) -> tuple[Forecast, list[Objection]]:
    """The forecast with the moves of PV domUs that cannot be live, and what is said of them.

    Only the nodes that a PV domU would leave are asked, for at most ssh_timeout; of one that gives
    no answer nothing is said.
    """
    nodes = live_pv.sources(cluster, forecast)
    unable = {node for node, able in _can_log_dirty(cluster, nodes, config).items() if not able}
    objections = list(live_pv.objections(cluster, forecast, unable))
    return live_pv.with_restarts(cluster, forecast, unable), objections


def _can_log_dirty(cluster: Cluster, nodes: list[str], config: Config) -> dict[str, bool]:
    """Whether each node can, of those that answer."""
    able: dict[str, bool] = {}
    toolstack = local_toolstack(config, cluster.sandbox)
    if toolstack and cluster.local_node in nodes:
        try:
            result = programs.output((toolstack.program, INFO), timeout=config.ask_timeout)
            able[cluster.local_node] = _parse(result.stdout)
        except CannotAsk:
            pass
    if cluster.sandbox:
        return able
    others = [node for node in nodes if node != cluster.local_node]
    words = (other_toolstack(cluster, config), INFO)
    answers = ask_elsewhere(words, others, config.ssh_timeout, _parse)
    return able | {node: answer for node, answer in answers.items() if isinstance(answer, bool)}


def _parse(printed: bytes) -> bool:
    return can_log_dirty(printed.decode("utf-8", "replace"))
