# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""trust_store_info on hosts of Debian 11, 12 and 13 and on one laid out as the Red Hat family does, beside their own tools."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.certificates import pem_to_der
from ansible_collections.mailops.tls.plugins.plugin_utils._profiles.loader import root_catalogue

from tests.integration.playbooks import run_play
from tests.lab import roots
from tests.lab.roots import RootHost

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
ANCHORS = "/usr/local/share/ca-certificates"
TLS_BUNDLE = "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
G1, G2, G3 = "digicert-global-root-ca", "digicert-global-root-g2", "digicert-global-root-g3"
R3, R6, R46 = "globalsign-r3", "globalsign-r6", "globalsign-r46"
G5, MS = "digicert-tls-rsa4096-root-g5", "microsoft-rsa-root-2017"
CATALOGUE = root_catalogue()


@pytest.fixture(scope="session")
def built() -> dict[str, pathlib.Path]:
    roots.require_roots()
    return roots.build_all()


@pytest.fixture(scope="module", params=sorted(roots.RELEASES))
def debian(
    request: pytest.FixtureRequest, built: dict[str, pathlib.Path], tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[RootHost]:
    with roots.host(built[request.param], tmp_path_factory.mktemp(request.param)) as found:
        version = (found.root / "etc/debian_version").read_text(encoding="ascii") if found.root.exists() else ""
        version = version or found.run("cat", "/etc/debian_version").stdout
        assert version.startswith(roots.RELEASES[request.param])
        yield found


def look(host: RootHost, folder: pathlib.Path, **options: t.Any) -> dict[str, t.Any]:
    """What trust_store_info returns of the host, asked by Ansible through the host's own Python."""
    variables = {"ansible_connection": "local", "ansible_pipelining": True, "ansible_python_interpreter": str(host.interpreter)}
    task = {"mailops.tls.trust_store_info": {"profiles": [], "roots": list(CATALOGUE), **options}, "register": "trust"}
    folder.mkdir(exist_ok=True)
    done = run_play(folder, [task], hosts={"mx1": variables})
    assert "trust" in done.registered.get("mx1", {}), done.output
    result = done.registered["mx1"]["trust"]
    assert not result.get("failed"), result
    return t.cast("dict[str, t.Any]", result)


def pem_of(root_id: str) -> str:
    pem = CATALOGUE[root_id].pem
    assert pem
    return pem


def verdicts(result: dict[str, t.Any], number: int = 0) -> dict[str, str]:
    return {root["id"]: root["status"] for root in result["stores"][number]["roots"]}


def details(result: dict[str, t.Any]) -> dict[str, str]:
    return {root["id"]: root["detail"] for root in result["stores"][0]["roots"]}


def accepted(host: RootHost, *options: str) -> set[str]:
    """The roots that the host's own openssl takes for anchors of the store."""
    found = set()
    for root_id, root in CATALOGUE.items():
        assert root.pem
        done = host.run("openssl", "verify", *options, check=False, input=root.pem)
        if re.search(r"^stdin: OK$", done.stdout, re.M):
            found.add(root_id)
    return found


def present(result: dict[str, t.Any], number: int = 0) -> set[str]:
    return {root for root, status in verdicts(result, number).items() if status == "present"}


def test_the_system_store_is_judged_as_the_hosts_own_openssl_judges_it(debian: RootHost, tmp_path: pathlib.Path) -> None:
    stores = [{"type": "system"}, {"type": "pem_directory", "path": "/etc/ssl/certs"}]
    result = look(debian, tmp_path, stores=stores, rehearse=[CATALOGUE[root].pem for root in (G2, R3)])
    assert result["stores"][0]["path"] == BUNDLE
    assert present(result) == accepted(debian, "-no-CApath", "-CAfile", BUNDLE)
    assert present(result, 1) == accepted(debian, "-no-CAfile", "-CApath", "/etc/ssl/certs")
    assert {G2, G3} <= present(result)
    assert [item["status"] for item in result["rehearsal"]] == ["passed"] * 4
    assert {item["version"][:11] for item in result["rehearsal"]} == {debian.run("openssl", "version").stdout[:11]}


def test_auto_says_who_reads_each(debian: RootHost, tmp_path: pathlib.Path) -> None:
    found = {store["path"]: store for store in look(debian, tmp_path)["stores"]}
    directory = next(store for store in found.values() if store["type"] == "pem_directory")
    assert directory["real_path"] == "/etc/ssl/certs"
    assert "OpenSSL default" in directory["used_by"]


def test_what_an_administrator_added_without_effect(debian: RootHost, tmp_path: pathlib.Path) -> None:
    """A .pem and a DER have no effect, without a word, and a file is nothing before the tool was run."""
    conf = debian.run("cat", "/etc/ca-certificates.conf").stdout
    gone = "mozilla/DigiCert_Global_Root_G3.crt"
    debian.write(
        "/etc/ca-certificates.conf", re.sub(r"^!?mozilla/(DigiCert|GlobalSign|Microsoft)", r"!mozilla/\1", conf, flags=re.M)
    )
    debian.run("update-ca-certificates", "--fresh")
    before = look(debian, tmp_path / "1")
    assert details(before)[G3].startswith("An administrator blocked it on this host: /etc/ca-certificates.conf deselects")
    assert gone in details(before)[G3]
    assert verdicts(before)[G3] == "distrusted"
    assert present(before) == accepted(debian, "-no-CApath", "-CAfile", BUNDLE)
    # Not selected and not deselected either: the files below are all that there is of these.
    kept = [line for line in conf.splitlines(keepends=True) if not re.search("DigiCert|GlobalSign|Microsoft", line)]
    debian.write("/etc/ca-certificates.conf", "".join(kept))
    debian.write(f"{ANCHORS}/r6.pem", pem_of(R6))
    debian.write(f"{ANCHORS}/deep/er/r46.crt", pem_of(R46))
    debian.write(f"{ANCHORS}/g5.crt", pem_to_der(pem_of(G5)))
    debian.run("update-ca-certificates", "--fresh")
    debian.write(f"{ANCHORS}/g2.crt", pem_of(G2))
    after = look(debian, tmp_path / "2")
    assert {root: verdicts(after)[root] for root in (R6, R46, G2, G5, MS)} == {
        R6: "not_effective",
        R46: "present",
        G2: "not_effective",
        G5: "not_effective",
        MS: "absent",
    }
    assert "takes files that end in .crt" in details(after)[R6]
    assert "this file is DER" in details(after)[G5]
    assert "was not built anew" in details(after)[G2]
    assert present(after) == accepted(debian, "-no-CApath", "-CAfile", BUNDLE)
    debian.run("update-ca-certificates")
    assert G2 in present(look(debian, tmp_path / "3"))


def test_a_byte_order_mark_hides_a_block_from_openssl_1(debian: RootHost, tmp_path: pathlib.Path) -> None:
    files = {"/srv/mark.pem": "\ufeff" + pem_of(G2) + pem_of(G3), "/srv/comment.pem": "\ufeff# ours\n" + pem_of(G2)}
    for path, text in files.items():
        debian.write(path, text)
    result = look(debian, tmp_path, stores=[{"type": "pem_file", "path": path} for path in files])
    old = debian.run("openssl", "version").stdout.startswith("OpenSSL 1.1.1")
    alone = ("-no-CApath",) if old else ("-no-CApath", "-no-CAstore")
    for number, path in enumerate(files):
        assert present(result, number) == accepted(debian, *alone, "-CAfile", path)
    assert verdicts(result)[G2] == ("not_effective" if old else "present")
    assert verdicts(result, 1)[G2] == "present"


@pytest.fixture(scope="module")
def redhat(built: dict[str, pathlib.Path], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[RootHost]:
    """p11-kit's trust builds the bundle from anchors and a blocklist, as update-ca-trust does; Debian's layout is taken away."""
    with roots.host(built["bookworm"], tmp_path_factory.mktemp("redhat")) as found:
        shipped = "".join(pem_of(root) for root in (G1, G2, G3, R3))
        found.write("/usr/share/pki/ca-trust-source/anchors/shipped.pem", shipped)
        for folder in ("anchors", "blocklist"):
            found.run("mkdir", "-p", f"/etc/pki/ca-trust/source/{folder}")
        found.run("mkdir", "-p", "/etc/pki/tls/certs", str(pathlib.Path(TLS_BUNDLE).parent))
        paths = "/etc/pki/ca-trust/source:/usr/share/pki/ca-trust-source"
        module = f"module: p11-kit-trust.so\npriority: 1\ntrust-policy: yes\nx-init-reserved: paths='{paths}'\n"
        found.write("/usr/share/p11-kit/modules/p11-kit-trust.module", module)
        found.run(
            "sh", "-c", f"rm -rf /etc/ssl/certs /usr/share/ca-certificates; ln -s {TLS_BUNDLE} /etc/pki/tls/certs/ca-bundle.crt"
        )
        update_ca_trust(found)
        yield found


def update_ca_trust(host: RootHost) -> None:
    """The part of update-ca-trust(8) that makes the bundle of TLS servers."""
    options = ("--format=pem-bundle", "--filter=ca-anchors", "--overwrite", "--comment", "--purpose=server-auth")
    host.run("trust", "extract", *options, TLS_BUNDLE)


def test_the_layout_of_the_red_hat_family(redhat: RootHost, tmp_path: pathlib.Path) -> None:
    result = look(redhat, tmp_path / "1")
    assert result["stores"][0]["path"] == TLS_BUNDLE
    assert present(result) == {G1, G2, G3, R3} == accepted(redhat, "-no-CApath", "-CAfile", TLS_BUNDLE)
    redhat.write("/etc/pki/ca-trust/source/blocklist/g1.pem", pem_of(G1))
    redhat.write("/etc/pki/ca-trust/source/anchors/r6.pem", pem_of(R6))
    redhat.write("/etc/pki/ca-trust/source/r46.pem", pem_of(R46))
    waiting = look(redhat, tmp_path / "2")
    assert verdicts(waiting)[R6] == "not_effective"
    assert present(waiting) == {G1, G2, G3, R3}
    update_ca_trust(redhat)
    after = look(redhat, tmp_path / "3")
    assert present(after) == {G2, G3, R3, R6} == accepted(redhat, "-no-CApath", "-CAfile", TLS_BUNDLE)
    assert (verdicts(after)[G1], verdicts(after)[R46]) == ("distrusted", "not_effective")
    assert "/etc/pki/ca-trust/source/blocklist/g1.pem" in details(after)[G1]
    assert "only in the directory anchors" in details(after)[R46]


def test_what_files_of_the_red_hat_family_say_themselves(redhat: RootHost, tmp_path: pathlib.Path) -> None:
    """Trusted for mail alone is not blocked, and the form of p11-kit has words of its own."""
    source = "/etc/pki/ca-trust/source"
    redhat.run("sh", "-c", f"rm -f {source}/anchors/* {source}/blocklist/* {source}/*.pem")
    for path, root in ((f"{source}/r6.crt", R6), (f"{source}/anchors/r46.crt", R46)):
        trusted = redhat.run("openssl", "x509", "-trustout", "-addtrust", "emailProtection", input=pem_of(root)).stdout
        redhat.write(path, trusted)
    redhat.write(f"{source}/g1.p11-kit", f"[p11-kit-object-v1]\nx-distrusted: true\n{pem_of(G1)}")
    redhat.write(f"{source}/g5.p11-kit", f"[p11-kit-object-v1]\ntrusted: true\n{pem_of(G5)}")
    before = look(redhat, tmp_path / "1")
    assert verdicts(before)[G5] == "not_effective" and "was not built anew" in details(before)[G5]
    update_ca_trust(redhat)
    after = look(redhat, tmp_path / "2")
    assert {root: verdicts(after)[root] for root in (R6, R46, G1, G5)} == {
        R6: "wrong_use",
        R46: "wrong_use",
        G1: "distrusted",
        G5: "present",
    }
    assert present(after) == accepted(redhat, "-no-CApath", "-CAfile", TLS_BUNDLE)
    redhat.run("trust", "extract", "--format=pem-bundle", "--filter=ca-anchors", "--purpose=email", "/srv/mail.pem")
    for_mail = redhat.run("cat", "/srv/mail.pem").stdout
    assert all(pem_of(root).splitlines()[1] in for_mail for root in (R6, R46))
