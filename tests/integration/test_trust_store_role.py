# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's entry point `apply` on stores of every kind that a user can name, and what its handlers do."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.conftest import require_programs
from tests.integration.playbooks import Run, Vars, run_play
from tests.unit.anchor.pki import root
from tests.unit.keystores.makers import G1, G2, R6, digest_of, keytool_trusts, nss_database, pem_of, run

pytestmark = pytest.mark.integration

PASSWORD = "ein-geheimes-wort"  # noqa: S105 - of keystores made here
CHANGED = "mailops.tls trust store changed"


def apply_role(
    folder: pathlib.Path, stores: list[Vars], *, profiles: t.Sequence[str] = (), arguments: t.Sequence[str] = (), **more: t.Any
) -> Run:
    """Run `apply`, and keep the result of its second check."""
    variables = {"trust_store_profiles": list(profiles), "trust_store_stores": stores}
    variables.update({f"trust_store_{name}": value for name, value in more.items()})
    tasks = [
        {"name": "Apply", "ansible.builtin.import_role": {"name": "mailops.tls.trust_store", "tasks_from": "apply"}},
        {"ansible.builtin.set_fact": {"kept": "{{ trust_store_result }}"}, "register": "kept"},
    ]
    handler = {
        "name": "Hook in",
        "ansible.builtin.copy": {"content": "changed", "dest": str(folder / "told"), "mode": "0600"},
        "listen": CHANGED,
    }
    return run_play(folder, tasks, variables=variables, play={"handlers": [handler]}, arguments=arguments)


def statuses(run: Run) -> dict[str, str]:
    result = run["kept"]["ansible_facts"]["kept"]
    return {item["name"]: item["status"] for store in result["stores"] for item in store["roots"]}


def test_roots_that_the_user_brings_along(tmp_path: pathlib.Path) -> None:
    """By PEM, with or without a name in the catalogue; a bare fingerprint cannot be added, and holds nothing up."""
    own, bare = root("Corp Root"), root("Bare Root")
    store = tmp_path / "mail.pem"
    store.write_text("# mail\n")
    roots = [
        {"name": "Corp Root", "pem": own.pem},
        {"name": "Bare", "sha256": bare.sha256},
        {"id": "mine", "name": "Mine", "sha256": digest_of(R6)},
        G1,
    ]
    done = apply_role(tmp_path, [{"type": "pem_file", "path": str(store)}], roots=roots, profiles=["exo-digicert-g2"])
    assert done.code == 0, done.output
    assert statuses(done) == {
        "Corp Root": "present",
        "Bare": "absent",
        "Mine": "present",
        "DigiCert Global Root CA (G1)": "present",
        "DigiCert Global Root G2": "present",
    }
    assert f"Not added: {bare.sha256[:16]}" in done.output
    assert store.read_text().count("BEGIN CERTIFICATE") == 4
    assert (tmp_path / "told").read_text() == "changed"
    (tmp_path / "told").unlink()
    again = apply_role(tmp_path, [{"type": "pem_file", "path": str(store)}], roots=roots, profiles=["exo-digicert-g2"])
    assert again.code == 0 and not (tmp_path / "told").exists(), again.output


@pytest.mark.parametrize("kind", ["JKS", "PKCS12"])
def test_a_jvm_by_its_directory_with_a_password(tmp_path: pathlib.Path, kind: str) -> None:
    require_programs("integration", "keytool")
    keystore = tmp_path / "jvm/lib/security/cacerts"
    keystore.parent.mkdir(parents=True)
    source = tmp_path / "g1.pem"
    source.write_text(pem_of(G1))
    options = ("-keystore", keystore, "-storetype", kind, "-storepass", PASSWORD)
    run("keytool", "-importcert", "-noprompt", "-alias", "g1", "-file", source, *options)
    store = {"type": "java", "path": str(tmp_path / "jvm"), "password": PASSWORD}
    done = apply_role(tmp_path, [store], profiles=["exo-digicert-g2"], arguments=["-vvv", "--diff"])
    assert done.code == 0, done.output
    assert keytool_trusts(keystore, PASSWORD) == {digest_of(G1), digest_of(G2)}
    shown = "\n".join(line for line in done.output.splitlines() if "trust_store_stores" not in line)
    assert PASSWORD not in shown


def test_a_database_of_nss_with_a_password(tmp_path: pathlib.Path) -> None:
    require_programs("integration", "certutil")
    word = tmp_path / "word"
    word.write_text(f"{PASSWORD}\n")
    database = tmp_path / "nss"
    database.mkdir()
    run("certutil", "-N", "-d", f"sql:{database}", "-f", word)
    store = {"type": "nss", "path": str(database), "password": PASSWORD}
    done = apply_role(tmp_path, [store], profiles=["exo-digicert-g2"])
    assert done.code == 0, done.output
    assert statuses(done) == {"DigiCert Global Root G2": "present"}
    listed = run("certutil", "-L", "-d", f"sql:{database}")
    assert G2 in listed and "C,," in listed


def test_a_password_that_a_store_does_not_need_is_no_obstacle(tmp_path: pathlib.Path) -> None:
    require_programs("integration", "certutil")
    (tmp_path / "mail.pem").write_text("# mail\n")
    places = [("pem_file", tmp_path / "mail.pem"), ("nss", nss_database(tmp_path / "nss"))]
    stores = [{"type": kind, "path": str(path), "password": None if kind == "nss" else PASSWORD} for kind, path in places]
    done = apply_role(tmp_path, stores, profiles=["exo-digicert-g2"])
    assert done.code == 0, done.output
    assert statuses(done) == {"DigiCert Global Root G2": "present"}


def test_check_mode_shows_what_would_be_added_and_adds_nothing(tmp_path: pathlib.Path) -> None:
    store = tmp_path / "mail.pem"
    store.write_text("# mail\n")
    done = apply_role(
        tmp_path,
        [{"type": "pem_file", "path": str(store)}],
        profiles=["exo-digicert-g2"],
        fail_on=["fail"],
        arguments=["--check", "--diff"],
    )
    assert done.code == 0, done.output
    assert f"{G2} in {store}" in done.output and "+-----BEGIN CERTIFICATE-----" in done.output
    assert store.read_text() == "# mail\n" and not (tmp_path / "told").exists()


def test_a_store_that_is_not_there_is_not_made(tmp_path: pathlib.Path) -> None:
    """A path with a slip in it would go unnoticed. Who wants the file made declares it."""
    store = {"type": "pem_file", "path": str(tmp_path / "new.pem")}
    done = apply_role(tmp_path, [store], profiles=["exo-digicert-g2"])
    assert (done.code, statuses(done)) == (0, {"DigiCert Global Root G2": "unknown"}), done.output
    assert not (tmp_path / "new.pem").exists()
    done = apply_role(tmp_path, [store], profiles=["exo-digicert-g2"], anchors=[{"name": G2, "store": store}])
    assert (done.code, statuses(done)) == (0, {"DigiCert Global Root G2": "present"}), done.output


def test_a_damaged_file_is_left_alone_and_holds_nothing_up(tmp_path: pathlib.Path) -> None:
    """OpenSSL would load nothing of it afterwards either."""
    texts = {"damaged": pem_of(G1).replace("\n", "\n\n", 3), "good": "# mail\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    stores = [{"type": "pem_file", "path": str(tmp_path / name)} for name in texts]
    done = apply_role(tmp_path, stores, profiles=["exo-digicert-g2"])
    assert done.code == 0, done.output
    assert (tmp_path / "damaged").read_text() == texts["damaged"]
    assert (tmp_path / "good").read_text() == "# mail\n" + pem_of(G2)


def test_declared_anchors_come_and_go(tmp_path: pathlib.Path) -> None:
    require_programs("integration", "certutil")
    database = nss_database(tmp_path / "nss", **{G1.replace("-", "_"): "C,,"})
    bundle = tmp_path / "mail.pem"
    bundle.write_text(pem_of(G1))
    nss, file = {"type": "nss", "path": str(database)}, {"type": "pem_file", "path": str(bundle)}
    own = root("Corp Root")
    anchors = [
        {"certificate": own.pem, "sha256": own.sha256, "store": file},
        {"name": G1, "store": file, "state": "absent"},
        {"name": G1, "store": nss, "state": "absent", "force_distrust": True},
    ]
    done = apply_role(tmp_path, [nss], roots=[G1], anchors=anchors, add_missing=False)
    assert done.code == 0, done.output
    assert statuses(done) == {"DigiCert Global Root CA (G1)": "distrusted"}
    assert bundle.read_text() == own.pem
    assert "p,p,p" in run("certutil", "-L", "-d", f"sql:{database}")
    # What was distrusted on purpose stays so: nothing is added to it.
    (tmp_path / "told").unlink()
    done = apply_role(tmp_path, [nss], roots=[G1])
    assert done.code == 0 and not (tmp_path / "told").exists(), done.output
    assert statuses(done) == {"DigiCert Global Root CA (G1)": "distrusted"}
