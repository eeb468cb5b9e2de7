# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every role: its documentation tells the truth, and its templates render with its defaults."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.backstage.django.plugins.module_utils.bookings import closed_page
from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROLES = Path(__file__).parents[3] / "roles"
DOCUMENTED = [path.parents[1].name for path in sorted(ROLES.glob("*/defaults/main.yml"))]


def load(path: Path) -> Any:
    """One YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def specification(role: str) -> dict[str, Any]:
    """The documented entry point of a role."""
    entry: dict[str, Any] = load(ROLES / role / "meta/argument_specs.yml")["argument_specs"]["main"]
    return entry


def resolved(role: str, **facts: Any) -> dict[str, Any]:
    """A role's defaults and those of its internal variables that need only these."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - no HTML
    values: dict[str, Any] = {**load(ROLES / role / "defaults/main.yml"), **facts}
    for name, value in load(ROLES / role / "vars/main.yml").items():
        if isinstance(value, str) and (value.startswith("/") or "{" not in value):
            values[name] = environment.from_string(value).render(values)
        elif not isinstance(value, str) and "{{" not in str(value):
            values[name] = value
    return values


def render(role: str, template: str, **facts: Any) -> str:
    """A real template with the real defaults."""
    environment = Environment(  # noqa: S701 - no HTML
        loader=FileSystemLoader(ROLES / role / "templates"), undefined=StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True,
    )  # fmt: skip
    return environment.get_template(template).render(resolved(role, **facts))


def test_every_role_with_defaults_is_found() -> None:
    """The tests below are about these."""
    assert DOCUMENTED == ["database", "front_of_house", "metrics", "packages", "producer", "stage"]
    assert sorted(path.name for path in ROLES.iterdir()) == DOCUMENTED


@pytest.mark.parametrize("role", DOCUMENTED)
def test_argument_specs_equal_defaults(role: str) -> None:
    """Every input is documented, with the default that it has."""
    documented = {name: option.get("default") for name, option in specification(role)["options"].items()}
    assert documented == load(ROLES / role / "defaults/main.yml")
    assert all(name.startswith(f"{role}_") for name in documented)


@pytest.mark.parametrize("role", DOCUMENTED)
def test_the_documentation_starts_with_an_example(role: str) -> None:
    """It can be pasted: a playbook of one play that names the role and only inputs that exist."""
    specified = specification(role)
    for text in (
        specified["examples"],
        (ROLES / role / "README.md").read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0],
    ):
        (play,) = yaml.safe_load(text)
        (used,) = play["roles"]
        assert used.pop("role") == f"backstage.django.{role}"
        assert used.keys() <= specified["options"].keys()


@pytest.mark.parametrize(
    ("role", "template"),
    [
        (path.parents[1].name, path.name)
        for pattern in ("templates/*", "files/*.conf", "files/backstage_*.py")
        for path in sorted(ROLES.glob(f"*/{pattern}"))
    ],
)
def test_every_written_file_says_whose_it_is(role: str, template: str) -> None:
    """The ownership line is among the first three: after the line that makes a script or a page what it is."""
    folder = "templates" if template.endswith(".j2") else "files"
    lines = (ROLES / role / folder / template).read_text(encoding="utf-8").splitlines()[:3]
    assert any("Managed by Backstage (backstage.django): changes are overwritten." in line for line in lines)


@pytest.mark.parametrize(("allowed", "listen"), [(4096, "1024"), (128, "128")])
def test_emperor_ini(allowed: int, listen: str) -> None:
    """What the emperor must be told; a second value of an option would be a second emperor or a ghost."""
    ini = configparser.ConfigParser(interpolation=None)
    facts = {"__stage_facts": {"stats": "/run/stats"}, "__stage_host": {"system": {"somaxconn": allowed}}}
    ini.read_string(render("stage", "emperor.ini.j2", stage_longest_request=120, **facts))
    assert dict(ini["uwsgi"]) == {
        "strict": "true",
        "emperor": "/etc/backstage/vassals",
        "emperor-stats": "/run/stats",
        "umask": "077",
        "listen": listen,
        "emperor-graceful-shutdown": "true",
        "emperor-curse-tolerance": "135",
        "emperor-max-throttle": "10000",
        "emperor-on-demand-extension": ".door",
        "emperor-wrapper-override": "/usr/local/lib/backstage/vassal/backstage_vassal",
    }


TASKS = [(path.parents[1].name, path) for path in sorted(ROLES.glob("*/tasks/*.yml"))]


@pytest.mark.parametrize(("role", "path"), TASKS, ids=lambda value: value if isinstance(value, str) else value.name)
def test_a_role_is_read_in_a_minute(role: str, path: Path) -> None:
    """Few steps, short files, one line of Jinja at most, and nothing that works with text of the host."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert len(load(path)) <= 6
    for word in ("set_fact", "slurp", "rescue", "stdin", "regex_", "when: >"):
        assert word not in text
    internal = ROLES / role / "vars/main.yml"
    for written in (text, internal.read_text(encoding="utf-8") if internal.exists() else ""):
        assert [line for line in written.splitlines() if line.count("{{") != line.count("}}")] == []


def test_emperor_service() -> None:
    """Whatever waits for the emperor to stop waits longer than the longest request, and no site dies with it."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string(render("stage", "emperor.service.j2", stage_longest_request=120))
    service = unit["Service"]
    assert int(service["TimeoutStopSec"]) > 135
    assert (service["KillMode"], service["Type"], service["SystemCallErrorNumber"]) == ("process", "notify", "EPERM")
    assert service["CapabilityBoundingSet"].split() == ["CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_CHOWN"]
    assert "ProcSubset" not in service
    assert (service["LimitNOFILE"], service["TasksMax"]) == ("65536", "32768"), "for hundreds of sleeping Acts"


def test_emperor_script_is_a_shell_script() -> None:
    """The shell that will run it can read it."""
    script = render("stage", "emperor.sh.j2", __stage_facts={"stats": "/run/stats"})
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    assert script.startswith("#!/bin/sh\n")


@pytest.mark.parametrize("ipv6", [True, False])
def test_one_default_server_a_port(ipv6: bool) -> None:
    """On a kernel without IPv6 its line would keep nginx from starting."""
    system = {"__front_of_house_host": {"system": {"ipv6": ipv6}}, "__front_of_house_http2_listen": " http2"}
    ports = {"front_of_house_http_port": 8080, "front_of_house_https_port": 8443}
    text = render("front_of_house", "backstage.conf.j2", **system, **ports)
    assert text.count("listen 8443 ssl http2 default_server backlog=4096;") == 1
    assert text.count("listen [::]:8443 ssl http2 default_server backlog=4096;") == (1 if ipv6 else 0)
    none = render("front_of_house", "backstage.conf.j2", **system, **{**ports, "front_of_house_https_port": 0})
    assert "ssl" not in none, "the port is left to another program"
    assert text.count("listen 8080 default_server backlog=4096;") == 1
    assert text.count("listen [::]:8080 default_server backlog=4096;") == (1 if ipv6 else 0)
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(("directive", "groups"), [(False, False), (True, False), (True, True)])
def test_what_each_nginx_and_openssl_can_do(directive: bool, groups: bool) -> None:
    """A word that one of them does not know would keep nginx, and every site with it, from starting."""
    can = {"nginx": {"http2_directive": directive, "optional_groups": groups}}
    text = render("front_of_house", "tls.conf.j2", __front_of_house_host=can)
    assert ("http2 on;" in text, "ssl_session_tickets off;" in text) == (directive, not directive)
    assert ("?X25519MLKEM768" in text) is groups
    assert "TLSv1.1" not in text


def test_the_closed_page_has_a_place_for_what_is_on_next() -> None:
    page = load(ROLES / "front_of_house/vars/main.yml")["__front_of_house_texts"]["closed"]
    assert render("front_of_house", "page.html.j2", page=page).count(closed_page.NEXT) == 1


def test_nginx_starts_with_what_is_on() -> None:
    """The program has its own failures: nginx starts all the same."""
    facts = {"__front_of_house_bookings": "/usr/local/lib/backstage/house/backstage-bookings"}
    text = render("front_of_house", "nginx.service.j2", **facts)
    assert "\nExecStartPre=-/usr/local/lib/backstage/house/backstage-bookings\n" in text
    unit = render("front_of_house", "bookings.service.j2", **facts)
    assert "\nExecStart=/usr/local/lib/backstage/house/backstage-bookings\n" in unit


def test_headers_of_strangers_stop_at_nginx() -> None:
    """FAULTS 64: whatever a visitor may claim about himself and the way here is set by nginx, or empty."""
    lines = dict(
        line.rstrip(";").split(None, 2)[1:]
        for line in render("front_of_house", "uwsgi.params.j2").splitlines()
        if line.startswith("uwsgi_param ")
    )
    empty = {name for name, value in lines.items() if value == '""'}
    assert {name: value for name, value in lines.items() if name.startswith("HTTP_") and name not in empty} == {
        "HTTP_HOST": "$backstage_host",
        "HTTP_X_FORWARDED_PROTO": "$scheme",
        "HTTP_X_FORWARDED_FOR": "$remote_addr",
        "HTTP_X_FORWARDED_PORT": "$server_port",
        "HTTP_X_FORWARDED_HOST": "$backstage_host",
        "HTTP_X_REAL_IP": "$remote_addr",
        "HTTP_X_REQUEST_ID": "$request_id",
    }
    assert empty >= {"HTTP_REMOTE_USER", "HTTP_X_FORWARDED_USER", "HTTP_PROXY", "HTTP_FORWARDED", "HTTP_CLIENT_IP"}


def test_both_protocols_stop_the_same_headers() -> None:
    """By HTTP an Act gets no header that it would not get by the uwsgi protocol."""
    found = {}
    for template, directive in (("uwsgi.params.j2", "uwsgi_param HTTP_"), ("proxy.params.j2", "proxy_set_header ")):
        lines = [line for line in render("front_of_house", template).splitlines() if line.startswith(directive)]
        pairs = [line.removeprefix(directive).rstrip(";").split(None, 1) for line in lines]
        assert len(pairs) == len(dict(pairs))
        found[template] = {name.upper().replace("-", "_"): value for name, value in pairs}
    only_http = {"UPGRADE": "$http_upgrade", "CONNECTION": "$backstage_connection", "X_BACKSTAGE_ROLL_CALL": '""'}
    assert found["proxy.params.j2"] == {**found["uwsgi.params.j2"], **only_http}


@pytest.mark.parametrize("name", ["429", "502", "503", "504", "closed"])
def test_pages(name: str) -> None:
    """A page needs nothing but itself, says nothing of the server, and is small."""
    page = load(ROLES / "front_of_house/vars/main.yml")["__front_of_house_texts"][name]
    text = render("front_of_house", "page.html.j2", page=page)
    assert page["title"] in text
    assert page["text"] in text
    assert 'lang="en"' in text
    assert len(text) < 3000
    for word in ("nginx", "uWSGI", "Django", "http://", "https://", "url("):
        assert word not in text
