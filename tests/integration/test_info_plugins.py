# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The info plugins, run by Ansible against real servers on loopback and real stores."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import pathlib
import typing as t

import pytest
import yaml

from tests.integration.playbooks import Run, run_play
from tests.unit.judge.pki import DAY, Authority, der, make_root, ocsp_response
from tests.unit.probe.servers import Authority as ServerAuthority
from tests.unit.probe.servers import Server, answering, http

pytestmark = pytest.mark.integration

NOW = dt.datetime.now(dt.timezone.utc)
Options = dict[str, t.Any]


@pytest.fixture(scope="module")
def serve() -> t.Iterator[t.Callable[..., Server]]:
    with contextlib.ExitStack() as stack:

        def start(raw: bytes, **more: t.Any) -> Server:
            server = Server(answering(raw), **more)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_root(not_before=NOW - DAY, not_after=NOW + 30 * DAY)


@pytest.fixture(scope="module")
def intermediate(root: Authority) -> Authority:
    return root.issue("Lab Intermediate", ca=True, not_before=NOW - DAY, not_after=NOW + 30 * DAY)


def serial(authority: Authority) -> str:
    return format(authority.certificate.serial_number, "x")


@pytest.fixture(scope="module")
def profile(serve: t.Callable[..., Server], root: Authority, intermediate: Authority) -> Options:
    crl = serve(http(root.crl(this_update=NOW - DAY, next_update=NOW + DAY)))
    responder = serve(http(ocsp_response(intermediate.certificate, root, this_update=NOW - DAY, next_update=NOW + DAY)))
    certificate = serve(http(der(intermediate.certificate)))
    return {
        "id": "lab",
        "title": "A lab generation",
        "as_of": NOW.date().isoformat(),
        "sources": ["tests"],
        "certificate": {"common_name": "mail.lab.test"},
        "roots": [{"id": "lab-root", "name": "Lab Root", "sha256": root.sha256, "pem": root.pem}],
        "intermediates": [
            {
                "id": "lab-intermediate",
                "name": "Lab Intermediate",
                "issuer": "lab-root",
                "serial": serial(intermediate),
                "pem": intermediate.pem,
            }
        ],
        "endpoints": [
            {"url": f"{crl.url}root.crl", "kind": "crl", "issuer": "lab-root"},
            {"url": responder.url, "kind": "ocsp", "issuer": "lab-root"},
            {"url": f"{certificate.url}i.crt", "kind": "ca_issuers", "issuer": "lab-intermediate"},
        ],
    }


def task(plugin: str, **options: t.Any) -> Options:
    return {"name": plugin, f"mailops.tls.{plugin}": options, "register": "found", "ignore_errors": True}


@pytest.mark.parametrize("arguments", [[], ["--check", "--diff"]], ids=["run", "check"])
def test_good_endpoints_are_compliant(tmp_path: pathlib.Path, profile: Options, arguments: list[str]) -> None:
    run = run_play(tmp_path, [task("ca_egress_info", profiles=[profile])], arguments=arguments)
    found = run["found"]
    assert [endpoint["cause"] for endpoint in found["endpoints"]] == ["ok", "ok", "ok"], found["endpoints"]
    assert found["compliant"] is True
    assert found["changed"] is False
    assert found["failed"] is False
    assert found["firewall_rules"] == []
    assert found["profiles"][0]["id"] == "lab"
    by_kind = {endpoint["kind"]: endpoint for endpoint in found["endpoints"]}
    assert by_kind["crl"]["crl"]["signature"] == "valid"
    assert by_kind["ocsp"]["ocsp"]["status"] == "good"


def test_readiness_is_one_remote_execution(tmp_path: pathlib.Path, profile: Options, root: Authority) -> None:
    store = tmp_path / "roots.pem"
    store.write_text(root.pem)
    stores = [{"type": "pem_file", "path": str(store)}, {"type": "system"}]
    declared = {
        "mail_hosts": ["127.0.0.1:1"],
        "mail_domains": ["mail.invalid"],
        "connector_certificate": {"certificate": str(store)},
    }
    run = run_play(tmp_path, [task("readiness_info", profiles=[profile], stores=stores, **declared)], arguments=["-vvv"])
    assert "smtp.connect.failed" in {finding["id"] for finding in run["found"]["findings"]}
    assert run["found"]["certificates"]
    assert [[entry["status"] for entry in one["roots"]] for one in run["found"]["stores"]] == [["present"], ["absent"]]
    assert run["found"]["compliant"] is False
    assert run.output.count("plugins/modules/probe.py") == 1, "the modules that were sent to the host"


def test_captive_portal_is_not_a_crl(tmp_path: pathlib.Path, serve: t.Callable[..., Server]) -> None:
    portal = serve(
        http(b"<html><head><title>Please log in</title></head></html>", "200 OK", "Content-Type: application/pkix-crl")
    )
    endpoints = [{"url": f"{portal.url}root.crl", "kind": "crl"}]
    found = run_play(tmp_path, [task("ca_egress_info", profiles=[], endpoints=endpoints)])["found"]
    assert found["endpoints"][0]["cause"] == "not_a_crl"
    assert "Please log in" in found["endpoints"][0]["detail"]
    assert (found["compliant"], found["failed"]) == (False, False)


def test_a_certificate_names_its_endpoints(tmp_path: pathlib.Path, serve: t.Callable[..., Server], root: Authority) -> None:
    crl = serve(http(root.crl(this_update=NOW - DAY, next_update=NOW + DAY)))
    leaf = root.issue("mail.lab.test", urls={"crl": [f"{crl.url}x.crl"]}, not_before=NOW - DAY, not_after=NOW + DAY)
    options = {"profiles": [], "certificate": leaf.pem + root.pem}
    found = run_play(tmp_path, [task("ca_egress_info", **options)])["found"]
    assert [(endpoint["url"], endpoint["cause"]) for endpoint in found["endpoints"]] == [(f"{crl.url}x.crl", "ok")]


def test_the_chain_a_server_presents_is_followed(tmp_path: pathlib.Path, serve: t.Callable[..., Server]) -> None:
    context, chain = ServerAuthority(tmp_path).server("localhost")
    server = serve(b"", tls=context)
    assert len(chain) == 2
    options = {"profiles": [], "server": f"127.0.0.1:{server.port}", "server_starttls": "none"}
    run = run_play(tmp_path, [task("ca_egress_info", **options)], arguments=["-vvv"])
    # These certificates name no endpoints: nothing to judge, and the server was reached.
    assert run["found"]["endpoints"] == []
    assert "egress.server.no_chain" not in {finding["id"] for finding in run["found"]["findings"]}
    assert run.output.count("plugins/modules/probe.py") == 2


def test_a_server_that_presents_no_chain_is_unknown(tmp_path: pathlib.Path) -> None:
    options = {"profiles": [], "server": "127.0.0.1:1", "server_starttls": "none"}
    found = run_play(tmp_path, [task("ca_egress_info", **options)])["found"]
    assert ("egress.server.no_chain", "unknown") in {(finding["id"], finding["status"]) for finding in found["findings"]}
    assert found["compliant"] is None


def test_credentials_of_a_proxy_never_show(tmp_path: pathlib.Path, serve: t.Callable[..., Server]) -> None:
    proxy = serve(http(b"", "407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="x"'))
    options = {
        "profiles": [],
        "endpoints": ["http://crl.lab.test/root.crl"],
        "proxy": proxy.url,
        "proxy_username": "proxyuser",
        "proxy_password": "open-sesame",
    }
    run = run_play(tmp_path, [task("ca_egress_info", **options)], arguments=["-vvvv"])
    assert run["found"]["endpoints"][0]["cause"] == "proxy_auth_required"
    for secret in ("open-sesame", "cHJveHl1c2VyOm9wZW4tc2VzYW1l"):
        assert secret not in run.output
        assert secret not in (tmp_path / "registered" / "localhost").read_text()


def test_the_environment_of_the_host_names_the_proxy(tmp_path: pathlib.Path, serve: t.Callable[..., Server]) -> None:
    proxy = serve(http(b"denied", "403 Forbidden", "X-Squid-Error: ERR_ACCESS_DENIED 0"))
    environment = {"http_proxy": f"http://proxyuser:open-sesame@{proxy.netloc}/"}
    one = {**task("ca_egress_info", profiles=[], endpoints=["http://crl.lab.test/root.crl"]), "environment": environment}
    run = run_play(tmp_path, [one], arguments=["-v"])
    endpoint = run["found"]["endpoints"][0]
    assert (endpoint["cause"], endpoint["proxy"]["source"]) == ("proxy_denied", "environment")
    assert "open-sesame" not in (tmp_path / "registered" / "localhost").read_text()


BAD_INPUT: tuple[tuple[str, Options, str], ...] = (
    ("ca_egress_info", {"profiles": ["exo-digicert-g9"]}, "profiles[0]"),
    ("ca_egress_info", {"profiles": ["./no-such-profile.yml"]}, "no-such-profile.yml"),
    ("ca_egress_info", {"profiles": [], "endpoints": ["ftp://x/y.crl"]}, "endpoints[0]"),
    ("ca_egress_info", {"profiles": [], "certificate": "nonsense"}, "certificate"),
    ("ca_egress_info", {"profiles": [], "server": "mx:port"}, "server"),
    ("ca_egress_info", {"deadline": 0}, "deadline"),
    ("ca_egress_info", {"proxy": "socks5://x"}, "proxy"),
    ("ca_egress_info", {"address_family": "ipx"}, "address_family"),
    ("trust_store_info", {"profiles": [], "roots": [{"name": "x", "sha256": "12"}]}, "roots[0]"),
    ("trust_store_info", {"stores": [{"type": "windows"}]}, "stores[0]"),
    ("readiness_info", {"no_such_option": 1}, "no_such_option"),
)


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All of them in one play: what takes time is to start Ansible."""
    tasks = [
        {**task(plugin, **options), "register": f"found{number}"} for number, (plugin, options, _named) in enumerate(BAD_INPUT)
    ]
    return run_play(tmp_path_factory.mktemp("refusals"), tasks)


@pytest.mark.parametrize("number", range(len(BAD_INPUT)), ids=[f"{plugin}-{named}" for plugin, _options, named in BAD_INPUT])
def test_bad_input_is_refused_by_name(refusals: Run, number: int) -> None:
    found = refusals[f"found{number}"]
    assert found["failed"] is True
    assert BAD_INPUT[number][2] in found["msg"]
    assert "Traceback" not in refusals.output


def test_a_profile_is_found_beside_the_playbook(tmp_path: pathlib.Path) -> None:
    (tmp_path / "mine.yml").write_text(
        "id: mine\ntitle: Mine\nas_of: 2026-11-24\nsources: [me]\ncertificate: {}\nendpoints: []\n"
        "roots: [digicert-global-root-g2]\n"
    )
    found = run_play(tmp_path, [task("trust_store_info", profiles=["mine.yml"])])["found"]
    assert [entry["id"] for entry in found["stores"][0]["roots"]] == ["digicert-global-root-g2"]


def test_where_nothing_is_asked_nothing_is_claimed(tmp_path: pathlib.Path) -> None:
    found = run_play(tmp_path, [task("ca_egress_info", profiles=[])])["found"]
    assert (found["compliant"], found["findings"], found["summary"]["worst"]) == (None, [], None)


def documented(plugin: str) -> Options:
    module = importlib.import_module(f"ansible_collections.mailops.tls.plugins.modules.{plugin}")
    return t.cast("Options", yaml.safe_load(module.RETURN))


def keys(value: t.Any, contents: Options, at: str) -> t.Iterator[str]:
    """The keys in a result that its documentation does not name, and those it names that are not there."""
    for item in value if isinstance(value, list) else [value]:
        yield from (f"{at}.{name}" for name in set(item) ^ set(contents))
        for name, content in contents.items():
            if "contains" in content:
                yield from keys(item[name], content["contains"], f"{at}.{name}")


def test_what_is_returned_is_what_is_documented(tmp_path: pathlib.Path) -> None:
    endpoints = {"endpoints": ["http://127.0.0.1:1/closed.crl"]}
    closed = {"hosts": ["127.0.0.1:1"]}
    (tmp_path / "own.pem").write_text(make_root().pem)
    own = {"certificate": str(tmp_path / "own.pem")}
    plugins = {
        "ca_egress_info": endpoints,
        "trust_store_info": {},
        "connector_certificate_info": own,
        "readiness_info": {**endpoints, "connector_certificate": own, "mail_hosts": closed["hosts"]},
        "smtp_tls_info": closed,
    }
    run = run_play(tmp_path, [{**task(plugin, **options), "register": plugin} for plugin, options in plugins.items()])
    for plugin in plugins:
        contents = documented(plugin)
        del contents["collector_error"]  # only where the probe did not run
        found = {name: value for name, value in run[plugin].items() if name not in ("changed", "failed")}
        # What is returned only when it was asked for.
        contents = {name: content for name, content in contents.items() if name in found or " when " not in content["returned"]}
        assert not set(keys(found, contents, plugin))


def test_what_is_made_of_results_is_documented(tmp_path: pathlib.Path) -> None:
    told = {"variable": "found", "directory": str(tmp_path), "formats": []}
    plugins: dict[str, Options] = {
        "readiness_report": {**told, "console": False},
        "partner_sheet": told,
        "assert_findings": {"result": "{{ found }}", "fail_on": ["never"]},
    }
    tasks = [{**task(plugin, **options), "register": plugin} for plugin, options in plugins.items()]
    run = run_play(tmp_path, [task("smtp_tls_info", hosts=["127.0.0.1:1"]), *tasks])
    for plugin in plugins:
        assert set(run[plugin]) - {"changed", "failed"} == set(documented(plugin)), plugin


def test_module_defaults_reach_every_info_plugin(tmp_path: pathlib.Path) -> None:
    play = {"module_defaults": {"group/mailops.tls.readiness": {"profiles": []}}}
    tasks = [task("trust_store_info", roots=["globalsign-r3"]), {**task("ca_egress_info"), "register": "egress"}]
    run = run_play(tmp_path, tasks, play=play)
    assert run["found"]["profiles"] == run["egress"]["profiles"] == []
