"""hxm serve on a node of a real cluster, while other nodes and its own Pacemaker go and return."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager

ASK = """
import sys, urllib.request, urllib.error
try:
    answer = urllib.request.urlopen("http://127.0.0.1:9685" + sys.argv[1], timeout=5)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status)
print(answer.read().decode())
"""


@contextmanager
def serving(lab, host):
    served = lab.start(host, "hxm", "serve")
    try:
        yield
    finally:
        served.kill()


def get(lab, host, path):
    status, _, text = lab.run(host, "python3", "-c", ASK, path, timeout=30).out.partition("\n")
    return int(status or 0), text


def metrics(lab, host):
    lines = get(lab, host, "/metrics")[1].splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if line and line[0] != "#")


def up(lab, host):
    return get(lab, host, "/healthz")[0] == 200


def test_a_failover_is_followed(lab):
    source = lab.where("nfs")
    asker = lab.other(source)
    at_source = f'hxm_domain_node{{domain="nfs",resource="nfs",node="{source}"}}'
    with serving(lab, asker):
        lab.until("it serves", lambda: up(lab, asker))
        assert metrics(lab, asker)[at_source] == "1.0"
        lab.switch("off", source)
        lab.until("the move is told", lambda: at_source not in metrics(lab, asker))
        lab.until(
            "nfs is told to run elsewhere",
            lambda: any(
                key.startswith('hxm_domain_node{domain="nfs"') for key in metrics(lab, asker)
            ),
        )
        assert metrics(lab, asker)[f'hxm_node_state{{node="{source}",state="online"}}'] == "0.0"
        page = get(lab, asker, "/")[1]
        assert re.search(rf"<li>{source} is (OFFLINE|UNCLEAN)", page)
        assert "All is well" not in page


def test_a_part_without_quorum_says_that_it_knows_nothing_of_the_others(lab):
    asker = lab.hosts[0]
    with serving(lab, asker):
        lab.until("it serves", lambda: up(lab, asker))
        assert metrics(lab, asker)["hxm_cluster_quorum"] == "1.0"
        for host in lab.alive():
            lab.switch("cut", host)
        lab.until("no quorum", lambda: "has no quorum.</b>" in get(lab, asker, "/")[1])
        assert metrics(lab, asker)["hxm_cluster_quorum"] == "0.0"


def test_a_node_without_pacemaker_shows_what_was_known(lab):
    asker = lab.hosts[0]
    with serving(lab, asker):
        lab.until("it serves", lambda: up(lab, asker))
        known = [key for key in metrics(lab, asker) if key.startswith("hxm_domain_node")]
        assert len(known) == len(lab.domains)
        lab.run(asker, "sh", "-c", "kill $(pidof pacemakerd)")
        lab.until("it is lost", lambda: not up(lab, asker))
        status, page = get(lab, asker, "/")
        assert status == 200
        assert "This is not the present:</b>" in page
        for name in lab.domains:
            assert f'<th scope="row">{name}</th>' in page
        status, text = get(lab, asker, "/status.json")
        assert status == 503
        assert json.loads(text)["asked"]["age"] > 0
        now = metrics(lab, asker)
        assert now["hxm_up"] == "0.0"
        assert not [key for key in now if key.startswith(("hxm_domain", "hxm_node"))]
        lab.until("all are back", lab.all_back)
        lab.until("it is found again", lambda: up(lab, asker))
