# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options: what is refused and why, and that documentation and argument spec say the same."""

from __future__ import annotations

import datetime as dt
import pathlib
import typing as t

import pytest
import yaml
from ansible_collections.mailops.tls.plugins.doc_fragments.exchange_online import ModuleDocFragment
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.clouds import CLOUDS
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.errors import printable, read_error
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.options import CONNECTION_OPTIONS, read_settings
from ansible_collections.mailops.tls.plugins.plugin_utils._exo.pacing import Pacing, retry_after_s
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.pki import Issued

BASE = {"tenant_id": "11111111-2222-3333-4444-555555555555", "client_id": "app", "client_secret": "hush"}


def test_documentation_and_argument_spec_agree() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert set(documented) == set(CONNECTION_OPTIONS)
    for name, option in CONNECTION_OPTIONS.items():
        for key in ("type", "choices", "default", "required"):
            assert documented[name].get(key) == option.get(key), (name, key)
        text = " ".join(documented[name]["description"])
        for variable in option.get("fallback", (None, []))[1]:
            assert f"E({variable})" in text


@pytest.mark.parametrize("cloud", list(CLOUDS))
def test_clouds(cloud: str) -> None:
    settings = read_settings({**BASE, "cloud": cloud})
    assert settings.endpoint == CLOUDS[cloud].endpoint
    assert settings.cloud.scope == f"{settings.endpoint}/.default"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tenant_id": "a/../b"}, "tenant_id: must be the GUID"),
        ({"client_id": ""}, "client_id: must be the GUID"),
        ({"client_secret": None}, "one of the two is needed"),
        ({"client_certificate": "x"}, "exclude each other"),
        ({"endpoint": "http://127.0.0.1"}, "endpoint: must be an https URL"),
        ({"endpoint": "https://user:pw@host"}, "endpoint: must be an https URL"),
        ({"endpoint": "https://host:99999"}, "endpoint: must be an https URL"),
        ({"token_endpoint": "https://host/token?x=1"}, "token_endpoint: must be an https URL"),
        ({"ca_path": "/nonexistent.pem"}, "ca_path: there is no file"),
        ({"timeout": -1.0}, "timeout: must be"),
        ({"timeout": 1e9}, "timeout: must be"),
        ({"cloud": "germany"}, "cloud: must be one of"),
    ],
)
def test_refused(changes: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_settings({**BASE, **changes})
    assert "hush" not in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("content", ["mail.contoso.com\n", "", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"])
def test_a_ca_file_without_a_certificate(tmp_path: pathlib.Path, content: str) -> None:
    """Said at once, instead of after a minute of tries that fail one like the other."""
    file = tmp_path / "ca.pem"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"ca_path: .*ca.pem holds no certificate"):
        read_settings({**BASE, "ca_path": str(file)})
    (tmp_path / "empty").mkdir()
    assert read_settings({**BASE, "ca_path": str(tmp_path / "empty")}).ca_path == str(tmp_path / "empty")


def test_certificate_and_key_as_text_as_files_and_in_one_file(app_certificate: Issued, tmp_path: pathlib.Path) -> None:
    certificate, key = tmp_path / "app.pem", tmp_path / "app.key"
    certificate.write_text(app_certificate.pem)
    key.write_text(app_certificate.key_pem)
    both = tmp_path / "both.pem"
    both.write_text(app_certificate.key_pem + app_certificate.pem)
    base = {**BASE, "client_secret": None}
    texts = read_settings({**base, "client_certificate": app_certificate.pem, "client_key": app_certificate.key_pem})
    assert texts == read_settings({**base, "client_certificate": str(certificate), "client_key": str(key)})
    assert texts == read_settings({**base, "client_certificate": str(both)})
    assert "PRIVATE" not in repr(texts)


def test_keys_that_cannot_be_used(app_certificate: Issued, tmp_path: pathlib.Path) -> None:
    base = {**BASE, "client_secret": None, "client_certificate": app_certificate.pem}
    encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----\n"
    large = tmp_path / "large"
    large.write_bytes(b"x" * 70000)
    for key, message in {
        "": "client_key: holds no PEM private key",
        encrypted: "client_key: is encrypted",
        "topsecretwithoutfirstline": "neither PEM text nor a file",
        str(tmp_path): "neither PEM text nor a file",
        str(large): "is larger than",
        "topsecret\0": "neither PEM text nor a file",
    }.items():
        with pytest.raises(ValueError, match=message) as caught:
            read_settings({**base, "client_key": key})
        assert "topsecret" not in str(caught.value)
    with pytest.raises(ValueError, match="holds no PEM certificate"):
        read_settings({**base, "client_certificate": app_certificate.key_pem})


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(lambda value: repr(value).encode())
)
def test_error_bodies_never_raise(body: bytes) -> None:
    read_error(body)
    read_error(b'{"error": ' + body + b"}")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ('{"code": "C", "message": "outer"}', ("C", "outer", None)),
        ('{"message": "outer", "details": [{"message": "|A.B|inner"}]}', (None, "inner", "A.B")),
        (
            '{"message": "outer", "details": [{}], "innererror": {"internalexception": {"message": "own", "type": "C.D"}}}',
            (None, "own", "C.D"),
        ),
        (
            '{"message": "outer", "details": [{"message": "|A.B|"}], "innererror": {"internalexception": {"message": " "}}}',
            (None, "outer", "A.B"),
        ),
        ('{"message": 5, "details": {}, "innererror": []}', (None, None, None)),
        ("[" * 100000, (None, None, None)),
    ],
)
def test_error_precedence(error: str, expected: tuple[str | None, str | None, str | None]) -> None:
    assert read_error(f'{{"error": {error}}}'.encode()) == expected


def test_text_for_users_is_one_line_without_secrets() -> None:
    assert printable("a\r\n\x1b[31m hush b", ["hush", ""]) == "a [31m ******** b"
    assert len(printable("x" * 5000)) == 600


def test_retry_after() -> None:
    now = dt.datetime(2026, 11, 24, 12, 0, 0, tzinfo=dt.timezone.utc)
    values = {"7": 7, "Tue, 24 Nov 2026 12:01:00 GMT": 60, "Tue, 24 Nov 2026 11:00:00 GMT": 0, "soon": None, "": None, "-5": None}
    assert {value: retry_after_s(value, now) for value in values} == values
    assert retry_after_s(None) is None


def test_a_retry_after_beyond_all_bounds_ends_it_at_once() -> None:
    waited: list[float] = []
    assert not Pacing(sleep=waited.append).start().wait(86400)
    assert waited == []
