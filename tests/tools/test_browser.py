"""The status page in a real browser: Debian's chromium, where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import axe_core_python
import pytest
from waitress import create_server

from hxm.model import Cluster, Domain, Failure, Node, Primitive, Resource
from hxm.policy.memory import Host, Need
from hxm.policy.past.events import Event
from hxm.policy.past.stays import rows
from hxm.policy.state.findings import Finding
from hxm.web.app import Site
from hxm.web.page import REFRESH, login_page, page
from hxm.web.snapshot import Picture, Snapshot

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no browser: chromium is not installed"),
    pytest.mark.xdist_group("browser"),
]
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
CHECKS = """<script>axe.run().then(found => parent.postMessage(JSON.stringify({
  violations: found.violations.map(each => [each.id, ...each.nodes.map(node => node.html)]),
  passes: found.passes.map(each => each.id),
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  width: innerWidth,
}), "*"));</script>"""
FRAME = """<!DOCTYPE html><script>onmessage = message => document.title = message.data;</script>
<title></title><iframe src="page.html" width="{}" height="900" style="border: 0"></iframe>"""
"""No window of chromium's is as narrow as a phone; a frame is."""

SEEN = Cluster(
    nodes=(Node("host1", dc=True), Node("host2", online=False, unclean=True)),
    resources=(
        Resource("vm-a-rather-long-name", "ocf:heartbeat:Xen", "Started", nodes=("host1",)),
        Resource("fencing-of-host2", "stonith:external/ipmi", "Started", nodes=("host1",)),
    ),
    domains=(
        Domain("a-rather-long-name", "vm-a-rather-long-name", role="Started", nodes=("host1",)),
        Domain("stopped", "stopped", role="Stopped", failed=True),
    ),
    primitives={
        name: Primitive(name, "ocf:heartbeat:Xen", {}, {}, {}, {})
        for name in ("vm-a-rather-long-name", "stopped")
    },
    failures=(Failure("stopped", "start", "host1", "not configured", "2026-11-23 21:08:58Z"),),
    dc="host1",
    quorum=True,
    name="xen",
    dialect="Pacemaker 2.1",
)
FOUND = (Finding("start of stopped failed on host1: not configured", "hxm cleanup stopped"),)
WELL = Snapshot(SEEN._replace(nodes=(Node("host1", dc=True),)), (), 1.8e9, 3.0)
LOST = Snapshot(SEEN, FOUND, 1.8e9, 300.0, fault="no answer")
MOVING = SEEN.domains[0]._replace(role="Migrating", nodes=("host1", "host2"))
EVENTS = [
    Event(1.8e9 - 3000, MOVING.resource, "started", "host2", 2.0, came="host2"),
    Event(1.8e9 - 600, MOVING.resource, "monitor failed (error)", "host2", failed=True),
    Event(1.8e9 - 500, MOVING.resource, "moved", "", 2.0, left="host2", came="host1"),
]
DRAWN = Picture(
    1.8e9,
    1.8e9 - 3600,
    (Host("host1", 2048, 8192, 512, "info"), Host("host2", 3576, source="hv_memory")),
    {MOVING.resource: Need(MOVING, 2048)},
    rows(EVENTS, SEEN.managed_domains, 1.8e9 - 3600, 1.8e9),
    EVENTS,
)
DRAWN_ON = SEEN._replace(domains=(MOVING, SEEN.domains[1]))
PAGES = {
    "attention": page(Snapshot(DRAWN_ON, FOUND, 1.8e9, 3.0, picture=DRAWN), served=True),
    "drawn": page(Snapshot(DRAWN_ON, (), 1.8e9, 3.0, picture=DRAWN), served=True),
    "lost": page(LOST, served=True),
    "login": login_page("That is not the token."),
}


def shown(url: str, folder: Path, *, dark: bool = False) -> str:
    """The document in the browser after two and a half times the page's own refreshing."""
    argv = (
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder}/profile",
        f"--virtual-time-budget={2500 * REFRESH}",
        "--window-size=1400,900",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        "--dump-dom",
        url,
    )
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=100).stdout


def title(document: str) -> str:
    return unescape(re.search("<title>(.*?)</title>", document, re.DOTALL)[1])


@pytest.mark.parametrize(
    ("name", "width", "dark"),
    [
        ("attention", 390, True),
        ("drawn", 1280, False),
        ("lost", 390, False),
        ("login", 390, True),
    ],
)
def test_axe_finds_nothing(tmp_path, name, width, dark):
    """Without the page's own script and policy, which would keep axe out."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", PAGES[name])
    text = re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL)
    file = tmp_path / "page.html"
    file.write_text(text.replace("</body>", f"<script>{AXE}</script>{CHECKS}</body>"), "utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(width))
    found = json.loads(title(shown(frame.as_uri(), tmp_path, dark=dark)))
    assert found["violations"] == []
    assert {"color-contrast", "document-title", "html-has-lang"} <= set(found["passes"])
    assert found["dark"] is dark
    assert (found["width"], found["overflow"]) == (width, 0)


class Asker:
    """Each time that it is asked it knows the next; then nobody answers any more."""

    def __init__(self, *known: Snapshot) -> None:
        self.left = list(known)

    def known(self) -> Snapshot:
        return self.left.pop(0)


class Proxy:
    """It hands the first request on, and answers the others itself."""

    def __init__(self, site: Site) -> None:
        self.site, self.asked = site, 0

    def __call__(self, environ, start):
        self.asked += environ["PATH_INFO"] == "/"
        if self.asked < 2:
            return self.site(environ, start)
        start("200 OK", [("Content-Type", "text/html")])
        return [b"<!DOCTYPE html><title>Sign in</title><main id=main>Back soon</main>"]


def serving(*known: Snapshot):
    return serving_with(Site(Asker(*known)))


@contextmanager
def serving_with(application):
    server = create_server(application, host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}/"
    finally:
        server.close()


def test_the_page_follows_the_cluster_under_its_own_policy(tmp_path):
    with serving(WELL, WELL._replace(looks=1), LOST) as url:
        document = shown(url, tmp_path)
    assert "xen: Not known since 2027-01-15" in title(document)
    assert "This is not the present:" in document
    assert 'class="old"' in document
    assert re.search(r'<button id="pause" type="button" aria-pressed="false">', document)


def test_what_a_proxy_says_in_its_place_is_not_the_page(tmp_path):
    """A page of a log-in or of a pause, with 200: nothing in it is the cluster's present."""
    proxy = Proxy(Site(Asker(WELL)))
    with serving_with(proxy) as url:
        document = shown(url, tmp_path)
    assert proxy.asked > 1
    assert title(document) == "\u2717 Old page, xen: All is well"
    assert "\u2717 This is an old page" in document


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_page_whose_server_is_gone_says_so(tmp_path):
    with serving(WELL) as url:
        document = shown(url, tmp_path)
    assert title(document) == "\u2717 Old page, xen: All is well"
    assert "The server of this page has not answered since" in document
    assert "\u2717 This is an old page" in document
    assert re.search(r'<p id="lost" class="banner red" role="alert">', document)
    assert ">a-rather-long-name<" in document
