"""A client's connection that can be cut at any moment."""

from __future__ import annotations

import asyncio
import json
from typing import Any


class Line:
    """One request at a time over a keep-alive connection, which is opened anew after it was cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(
        self, path: str, headers: dict[str, str], body: bytes, cut_after: float | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Send a request and read its answer.

        Args:
            path, headers, body: Of the request.
            cut_after: Seconds after which the connection is reset if no answer has come.

        Raises:
            ConnectionError: The connection was cut, by either side, before the answer had come.
        """
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1:1", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        try:
            self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            async with asyncio.timeout(cut_after):
                return await self._answer()
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            self.cut()
            raise ConnectionError from error

    async def _answer(self) -> tuple[int, dict[str, Any]]:
        assert self._reader is not None
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        length = next(int(line[16:]) for line in head.split("\r\n") if line.startswith("content-length: "))
        return status, json.loads(await self._reader.readexactly(length))

    def cut(self) -> None:
        """Reset the connection; what was sent may still be executed."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None
