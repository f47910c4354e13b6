"""The connection of a browser: the body of a small answer is sent at once."""

from __future__ import annotations

import asyncio
import socket

import pytest

pytest.importorskip("argon2", reason="the workbench needs the extra web")
from endplate.errors import OptionError
from endplate.web.server import ServeOptions, _listening


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_no_answer_waits_for_the_acknowledgement_of_its_head(tmp_path, host):
    """Nagle's algorithm holds a body back for about 40 ms; it is off on every connection that is accepted."""
    try:
        listener = _listening(ServeOptions(data=tmp_path, host=host, port=0))
    except OptionError as error:
        if host != "::1":
            raise
        pytest.skip(f"no IPv6 here: {error}")
    found = []

    async def answer(reader, writer):
        found.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async def ask():
        server = await asyncio.start_server(answer, sock=listener)
        async with server:
            reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            assert await reader.read() == b""
            writer.close()

    asyncio.run(ask())
    assert found and found[0] != 0
