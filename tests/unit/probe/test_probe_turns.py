# Copyright (c) 2026, the mailops.tls contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to an address at a time, whatever asks for it."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest
from ansible_collections.mailops.tls.plugins.module_utils._probe.base import ProbeError, Run
from ansible_collections.mailops.tls.plugins.module_utils._probe.engine import run
from ansible_collections.mailops.tls.plugins.module_utils._probe.turns import Turns

from tests.unit.probe.servers import Authority, Server
from tests.unit.probe.smtp_servers import MailServer


def test_chain_and_smtp_wait_for_each_other(serve: t.Callable[..., Server], authority: Authority) -> None:
    mail = MailServer(authority.server("localhost")[0], delay=0.05)
    port = serve(mail).port
    smtp = {"op": "smtp", "host": "127.0.0.1", "port": port, "dane": False, "timeout": 5}
    chain = {
        "op": "chain",
        "host": "localhost",
        "port": port,
        "family": "ipv4",
        "starttls": "smtp",
        "proxy": "none",
        "timeout": 5,
    }
    requests = [{"id": str(number), **request} for number, request in enumerate([chain, smtp, chain, smtp])]
    answers = run(requests, environ={})["answers"]
    assert [answer["error"] for answer in answers] == [None] * 4
    assert all(answer["hops"][0]["tls"]["chain"] for answer in answers[::2])
    assert (mail.sessions, mail.most) == (4, 1)


def shared(deadline: float = 5) -> Run:
    return Run(deadline, 1000, {}, {}, "/dev/null")


def test_only_the_address_that_answered_stays_taken() -> None:
    one = shared()
    with Turns(one) as mine:
        mine.take(["192.0.2.1", "192.0.2.2"])
        mine.keep("192.0.2.2")
        with Turns(one) as other:
            other.take(["192.0.2.1"])
        waited: list[float] = []
        began = time.monotonic()

        def wait() -> None:
            with Turns(one) as third:
                third.take(["192.0.2.2"])
                waited.append(time.monotonic() - began)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.2)
        assert not waited
    thread.join(5)
    assert waited


def test_nobody_waits_beyond_the_end() -> None:
    one = shared(deadline=0.2)
    with Turns(one) as mine, Turns(one) as other:
        mine.take(["192.0.2.1"])
        with pytest.raises(ProbeError) as caught:
            other.take(["192.0.2.1"])
        assert (caught.value.stage, caught.value.code) == ("connect", "deadline")
