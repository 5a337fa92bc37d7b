# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`smtp` under every interpreter from 3.6 on that this machine has: what differs is how much Python tells of a handshake."""

from __future__ import annotations

import base64

import pytest

from tests.unit.probe.servers import outcome
from tests.unit.probe.smtp_servers import MailServer, weak_context
from tests.unit.probe.test_interpreters import FOUND, execute


@pytest.fixture(params=sorted(FOUND), ids=lambda version: ".".join(map(str, version)))
def version(request):
    return request.param


@pytest.mark.filterwarnings("ignore:ssl.OP_NO_:DeprecationWarning")
def test_every_interpreter(version, serve, authority, tmp_path):
    context, chain = authority.server("localhost")
    good, wrapped = serve(MailServer(context)), serve(MailServer(context, implicit=True))
    old, anonymous = serve(MailServer(weak_context("tls1", tmp_path))), serve(MailServer(weak_context("anonymous", tmp_path)))
    asking, _chain = authority.server("asking.example.com")
    asking.load_verify_locations(authority.ca_path)
    asking.verify_mode = 2
    strict = serve(MailServer(asking))
    store = {"id": "own", "ca_file": str(authority.ca_path), "ca_path": None}
    common = {
        "op": "smtp",
        "host": "localhost",
        "address_family": "ipv4",
        "stores": [store],
        "dane": False,
        "check_plaintext": True,
    }
    requests = [
        dict(common, id="good", port=good.port),
        dict(common, id="wrapped", port=wrapped.port, implicit_tls=True),
        dict(common, id="old", port=old.port),
        dict(common, id="anonymous", port=anonymous.port),
        dict(common, id="strict", port=strict.port),
    ]
    answers = {answer["id"]: answer for answer in execute(version, deadline=20, requests=requests)["answers"]}
    assert {outcome(answer) for answer in answers.values()} == {"ok"}
    paths = {key: answer["paths"][0] for key, answer in answers.items()}
    python_tells = version >= (3, 10)
    for key in ("good", "wrapped"):
        path, certificates = paths[key], answers[key]["certificates"]
        assert path["error"] is None
        assert [base64.b64decode(certificates[name]) for name in path["chain"]] == chain
        assert path["chain_source"] == ("ssl" if python_tells else "openssl s_client")
        assert path["connections"] == (1 if python_tells else 2)
        assert [said["ok"] for said in path["verified"]] == [True]
        assert path["tls"]["group"] == ("x25519" if version >= (3, 8) else None)
        assert path["tls"]["client_certificate_requested"] is (False if version >= (3, 8) else None)
    assert paths["good"]["plaintext"] == {"mail": "250 ok", "rcpt": "250 ok", "reset": "250 ok"}
    assert (paths["anonymous"]["error"], paths["anonymous"]["tls"]["permissive"], paths["anonymous"]["chain"]) == (None, True, [])
    assert (paths["old"]["error"], paths["old"]["tls"]["protocol"], len(paths["old"]["chain"])) == (None, "TLSv1", 1)
    # Before 3.8 nothing tells that a certificate was asked for, only the alert, which can be lost.
    assert paths["strict"]["error"]["stage"] == ("handshake" if version >= (3, 8) else paths["strict"]["error"]["stage"])
