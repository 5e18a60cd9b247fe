"""The status page: of every captured cluster, well formed, nothing unescaped, readable by all."""

from __future__ import annotations

import re
import time
from pathlib import Path

import html5lib
import pytest
from captured import clusters
from factories import cluster, domain, failure, local, node, prefer, primitive

import hxm.web
from hxm.model import Cluster, Resource
from hxm.output.tables import by_remedy, node_state
from hxm.policy import duration
from hxm.policy.state.findings import Finding, findings
from hxm.web.page import headline, login_page, page, policy
from hxm.web.snapshot import Snapshot

CAPTURED = dict(clusters())
AT = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC
NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'--><svg onload=alert(1)>",
    "</style></script></title>{{ 7 * 7 }}{% raw %}&lt;&#60;",
    "\x00\x1b[31m\ud800\x85",
]


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def known(seen: Cluster | None, **more) -> Snapshot:
    problems = list(findings(seen)) if seen else []
    return Snapshot(seen, **{"findings": problems, "at": AT, "age": 7.0, **more})


def dom(text: str):
    """The document as a strict parser of HTML 5 sees it: any error of the markup is one here."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def squeezed(text: str | None) -> str:
    return " ".join((text or "").split())


def text_of(element) -> str:
    return squeezed("".join(element.itertext()))


def table(document, name: str) -> list[list[str]]:
    section = document.find(f".//h2[@id='h-{name}']/..")
    return [[text_of(cell) for cell in row] for row in section.iter("tr")]


def hosts(document) -> list[str]:
    """The first words of each host's card."""
    return [text_of(card.find("h3")) for card in document.iterfind(".//li[@class='host']")]


SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {
    *("html", "head", "meta", "link", "title", "noscript", "style", "script", "body", "header"),
    *("a", "b", "br", "button", "code", "div", "h1", "h2", "p", "section", "small", "span", "time"),
    *("dl", "dt", "dd", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "main", "footer"),
    *("h3", "i", "ul", *(f"{SVG}{tag}" for tag in ("svg", "g", "line", "rect", "text", "title"))),
}


@pytest.mark.parametrize("name", CAPTURED)
def test_every_captured_cluster_has_its_page(name):
    seen = CAPTURED[name]
    document = dom(page(known(seen), served=True))
    assert {element.tag for element in document.iter()} <= ELEMENTS
    named = [
        f"{each.name} {node_state(seen, each)}{' DC' if each.dc else ''}" for each in seen.nodes
    ]
    nowhere = ["on no host"] if any(not each.places for each in seen.guests) else []
    assert hosts(document) == [*map(squeezed, named), *nowhere]
    domains = table(document, "domus")[1:] if seen.domains else []
    assert [row[0] for row in domains] == [each.name for each in seen.domains]
    for row, each in zip(domains, seen.domains, strict=True):
        assert row[1:3] == [each.role or "-", " ".join(each.nodes) or "-"]
    shown = ["".join("".join(item.itertext()).split()) for item in document.iterfind(".//ol/li")]
    assert shown == [
        "".join("".join((*(finding.what for finding in alike), remedy)).split())
        for remedy, alike in by_remedy(findings(seen)).items()
    ]
    for failed in seen.failures:
        assert [failed.resource, failed.operation] in [r[:2] for r in table(document, "failures")]


def test_the_captured_clusters_are_all_there():
    assert len({name.split("/")[0] for name in CAPTURED}) == 12
    assert len(CAPTURED) > 150


@pytest.mark.parametrize("word", NASTY)
def test_nothing_of_the_cluster_is_ever_markup(word):
    seen = cluster(
        node(word),
        domain(word, word),
        failure(word, word, word)._replace(reason=word, when=word),
        Resource("other", word, word, nodes=(word,)),
        prefer(word, word),
        name=word,
        dc=word,
        dialect=word,
        sandbox=word,
        primitives={word: primitive(word)},
    )
    plain = dom(page(known(cluster(domain("nfs", "host1"), sandbox="s")), served=True))
    text = page(known(seen, fault=word), served=True)
    document = dom(text)
    for tag in ("script", "style", "title", "h1"):
        assert len(document.findall(f".//{tag}")) == 1
    assert {element.tag for element in document.iter()} <= ELEMENTS
    assert not [key for element in document.iter() for key in element.attrib if key[:2] == "on"]
    assert text_of(document.find(".//script")) == text_of(plain.find(".//script"))
    shown = " ".join(re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", word).split())
    assert table(document, "domus")[1][0] == shown
    assert hosts(document)[0].startswith(f"{shown} ")
    assert shown in text_of(document.find(".//title"))
    assert shown in text_of(document.find(".//*[@id='warning']"))


def test_the_page_is_ascii_whatever_the_names_are():
    """So that neither a locale nor a server's guess at the charset can garble it."""
    text = page(known(cluster(domain("büro-\U0001f5a8", "host1"))), served=False)
    assert text.isascii()
    assert table(dom(text), "domus")[1][0] == "büro-\U0001f5a8"


def test_the_page_needs_nothing_from_elsewhere():
    text = page(known(cluster(domain("nfs", "host1"))), served=True)
    document = dom(text)
    links = {
        value
        for element in document.iter()
        for key, value in element.items()
        if key in ("href", "src", "srcset", "action", "data", "poster", "background")
    }
    assert links == {"data:,", "#main", "status.json", "metrics", "healthz"}
    assert "url(" not in text
    assert "@import" not in text
    assert "http:" not in text
    assert "https:" not in text
    assert policy().startswith("default-src 'none';")
    assert (
        document.find(".//meta[@http-equiv='Content-Security-Policy']").get("content") == policy()
    )


def test_a_page_in_a_file_has_no_links_and_leaves_its_age_to_the_browser():
    document = dom(page(known(cluster(domain("nfs", "host1"))), served=False))
    assert document.find(".//footer//a") is None
    seen = text_of(document.find(".//*[@id='seen']"))
    assert seen.startswith("Seen 2027-01-15 08:00:00 UTC, from ")
    assert document.find(".//time").get("datetime") == "2027-01-15T08:00:00+0000"


def test_no_secret_of_the_cib_is_ever_shown():
    secrets = {"ilo_password": "hunter2", "passwd": "hunter2", "ilo_user": "hunter2"}
    seen = cluster(
        domain("nfs", "host1"),
        primitive("nfs", params=secrets, own={"target-role": "Started"}),
        Resource("fence", "stonith:external/riloe", "Started", nodes=("host1",)),
        primitive("fence", agent="stonith:external/riloe", params=secrets),
        properties={"cluster-name": "x", "secret": "hunter2"},
        node_attributes={"host1": {"secret": "hunter2"}},
    )
    assert "hunter2" not in page(known(seen), served=True)


# What it says at a glance

HEALTHY = cluster(domain("nfs", "host1"), name="xen")
STATES = {
    "well": (known(HEALTHY), ("green", "All is well")),
    "one finding": (
        known(HEALTHY, findings=(Finding("a", "b"),)),
        ("yellow", "1 thing needs attention"),
    ),
    "findings": (
        known(HEALTHY, findings=(Finding("a", "b"),) * 2),
        ("yellow", "2 things need attention"),
    ),
    "no quorum": (known(HEALTHY._replace(quorum=False)), ("red", "NO QUORUM")),
    "no DC": (known(HEALTHY._replace(dc=None)), ("red", "No DC")),
    "lost": (
        known(cluster(node("host2", unclean=True, online=False))),
        ("red", "host2 UNCLEAN"),
    ),
    "on two nodes": (
        known(cluster(domain("nfs", "host1", "host2"), name="xen")),
        ("red", "nfs is active on host1, host2 at once"),
    ),
    "lost cluster": (
        known(HEALTHY, fault="no answer"),
        ("red", "Not known since 2027-01-15 08:00:00 UTC"),
    ),
    "never seen": (known(None, fault="no answer"), ("red", "Nothing is known of the cluster")),
}


@pytest.mark.parametrize("name", STATES)
def test_the_title_tells_the_state(name):
    given, (tone, said) = STATES[name]
    assert headline(given) == (tone, said)
    document = dom(page(given, served=True))
    mark = {"green": "\u2713", "yellow": "\u26a0", "red": "\u2717"}[tone]
    title = text_of(document.find(".//title"))
    assert (
        title == f"{mark} {given.cluster.name or 'cluster' if given.cluster else 'cluster'}: {said}"
    )
    state = document.find(".//*[@id='state']")
    assert text_of(state) == f"{mark} {said}"
    assert state.get("class") == f"state {tone}"


def test_a_lost_cluster_is_told_loudly_with_what_was_known_and_its_age():
    document = dom(page(known(HEALTHY, fault="no answer", age=200.0), served=True))
    warning = text_of(document.find(".//*[@id='warning']"))
    assert warning.startswith("This is not the present: no answer. Below stands what was last seen")
    assert "200 s ago" not in text_of(document.find(".//*[@id='seen']"))
    assert "3 min ago" in text_of(document.find(".//*[@id='seen']"))
    assert table(document, "domus")[1] == ["nfs", "Started", "host1"]
    assert "all is well" not in text_of(document).lower()


def test_a_part_without_quorum_says_that_it_knows_nothing_of_the_others():
    document = dom(page(known(HEALTHY._replace(quorum=False)), served=True))
    assert "what is shown as stopped here may run there" in text_of(document)


def test_a_sandbox_says_that_it_is_none():
    document = dom(page(known(HEALTHY._replace(sandbox="/root/x/cib.xml")), served=True))
    assert "This is a sandbox, and no cluster: all of it is the file /root/x/cib.xml" in text_of(
        document
    )
    assert "sandbox" not in text_of(dom(page(known(HEALTHY), served=True)))


def test_a_domu_that_no_cluster_manages_is_shown_as_local_and_dom0_is_none():
    seen = cluster(domain("nfs", "host1"), local("Domain-0", 0), local("other"))
    document = dom(page(known(seen), served=True))
    assert table(document, "domus")[2:] == [["other", "local", "host1"]]
    card = document.find(".//ul[@class='domus']")
    assert [text_of(item) for item in card] == ["nfs", "other"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (2e5, "2 days"),
    ],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


# Readable by all

PAGES = {
    "page": page(known(cluster(domain("nfs", "host1"), failure(), name="xen")), served=True),
    "lost": page(known(HEALTHY, fault="no answer"), served=True),
    "never seen": page(known(None, fault="no answer"), served=True),
    "login": login_page("That is not the token."),
}


@pytest.mark.parametrize("name", PAGES)
def test_the_structure_is_one_that_a_screen_reader_can_follow(name):
    document = dom(PAGES[name])
    assert document.get("lang") == "en"
    assert text_of(document.find(".//title"))
    assert len(document.findall(".//main")) == len(document.findall(".//h1")) == 1
    identities = [each.get("id") for each in document.iter() if each.get("id")]
    assert len(identities) == len(set(identities))
    for each in document.iter():
        for key in ("aria-labelledby", "aria-describedby", "for"):
            assert each.get(key, identities[0]) in identities
    for cell in document.iter("th"):
        assert cell.get("scope") in ("col", "row")
    for row in document.findall(".//tbody/tr"):
        assert row[0].get("scope") == "row"
    for each in document.iter("input"):
        assert document.find(f".//label[@for='{each.get('id')}']") is not None
    for each in document.findall(".//*[@class='table']"):
        assert (each.get("role"), each.get("tabindex")) == ("region", "0")


CSS = (Path(hxm.web.__file__).parent / "page.css").read_text()
SCHEMES = [
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
]
INKS = ("text", "faint", "link", "green", "yellow", "red", "cyan")
PAIRS = [
    *((ink, "page") for ink in INKS),
    *((ink, "box") for ink in ("text", "faint", "yellow", "cyan")),
    *(("text", f"c{number}") for number in range(6)),
    *((t, f"{t}-box") for t in ("green", "yellow", "red")),
]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_every_contrast_is_at_least_aa(scheme, ink, paper):
    colours = SCHEMES[scheme]
    one, other = sorted((luminance(colours[ink]), luminance(colours[paper])))
    assert (other + 0.05) / (one + 0.05) >= 4.5
