"""An HTTP/1.1 relay in front of several servers that can do one thing to the n-th request of all of them together.

Each request is forwarded on a connection of its own; answers are streamed. What can be done, to request number n (from 1):
  kill-before   the client process is killed with SIGKILL, and the request is not forwarded
  kill-after    the request is forwarded, and once its answer begins the client process is killed
  error         500 is answered, and the request is not forwarded
  reset         the connection is reset, and the request is not forwarded
  lost          the request is forwarded, its answer is read, and the connection is reset

hold() keeps requests back, neither forwarded nor answered, until release().
"""
import asyncio
import os
import re
import signal
import socket
import struct
import threading
from urllib.parse import urlsplit

ACTIONS = ("kill-before", "kill-after", "error", "reset", "lost")


class Relay:
    """Serves on loopback in a thread of its own until close(). `urls` are the addresses to use in the servers' place."""

    def __init__(self, upstreams):
        self.count, self.seen = 0, []
        self.at, self.action, self.pid = 0, None, None
        self.fired = False
        self.held, self._holding, self._released = [], None, asyncio.Event()
        self._arrived = threading.Condition()
        self.urls = []
        self._loop = asyncio.new_event_loop()
        self._servers = []
        self._clients = set()
        ready = threading.Event()

        def serve():
            asyncio.set_event_loop(self._loop)

            async def start():
                for upstream in upstreams:
                    parts = urlsplit(upstream)
                    server = await asyncio.start_server(
                        lambda r, w, p=parts: self._take(r, w, p.hostname, p.port), "127.0.0.1", 0)
                    self._servers.append(server)
                    self.urls.append("http://127.0.0.1:%d" % server.sockets[0].getsockname()[1])
                ready.set()
            self._loop.run_until_complete(start())
            self._loop.run_forever()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        ready.wait(10)

    def close(self):
        """Ends it; a second time there is nothing to end."""
        if not self._thread.is_alive():
            return

        async def end():
            for server in self._servers:
                server.close()
            others = list(self._clients)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            self._loop.stop()
        asyncio.run_coroutine_threadsafe(end(), self._loop)
        self._thread.join(5)

    def wait_idle(self, seconds=60):
        """Until every client has gone and what it had asked is answered: a killed process may have requests under way."""
        async def idle():
            while self._clients:
                await asyncio.wait(set(self._clients))
        asyncio.run_coroutine_threadsafe(idle(), self._loop).result(seconds)

    def arm(self, at=0, action=None):
        """Counts from nothing again; does `action` to the request number `at`."""
        self.count, self.seen, self.at, self.action, self.pid, self.fired = 0, [], at, action, None, False

    def hold(self, pattern):
        """Requests of which the first line or the body matches are kept back from now on, in `held`. A pattern that begins in
        the one may end in the other."""
        self._holding = re.compile(pattern, re.S)

    def wait_held(self, seconds=60):
        """Until one is kept back."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.held, seconds), "no request was held; seen: %s" % self.seen

    def release(self):
        self._holding = None
        self._loop.call_soon_threadsafe(self._released.set)

    def _take(self, reader, writer, host, port):
        task = self._loop.create_task(self._client(reader, writer, host, port))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    def _kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    @staticmethod
    def _reset(writer):
        sock = writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _client(self, reader, writer, host, port):
        try:
            while True:
                head = await self._head(reader)
                if head is None:
                    break
                lines, headers = head
                body = b""
                if "content-length" in headers:
                    body = await reader.readexactly(int(headers["content-length"]))
                self.count += 1
                number = self.count
                self.seen.append(lines[0])
                if self._holding and self._holding.search(lines[0] + "\n" + body.decode("utf-8", "replace")):
                    with self._arrived:
                        self.held.append(lines[0])
                        self._arrived.notify_all()
                    await self._released.wait()
                action = self.action if number == self.at else None
                if action:
                    self.fired = True
                if action == "kill-before":
                    self._kill()
                    self._reset(writer)
                    return
                if action == "reset":
                    self._reset(writer)
                    return
                if action == "error":
                    text = b"the relay says no\n"
                    writer.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
                                 % (len(text), text))
                    await writer.drain()
                    continue
                if not await self._forward(lines, headers, body, reader, writer, host, port, action):
                    return
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _head(reader):
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        lines = raw.decode("latin-1").split("\r\n")[:-2]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return lines, headers

    async def _forward(self, lines, headers, body, reader, writer, host, port, action):
        """True when the client's connection can be used for a further request."""
        up_reader, up_writer = await asyncio.open_connection(host, port)
        try:
            up_writer.write("\r\n".join(line for line in lines if not line.lower().startswith("connection:"))
                            .encode("latin-1") + b"\r\nConnection: close\r\n\r\n" + body)
            await up_writer.drain()
            head = await self._head(up_reader)
            if head is None:
                self._reset(writer)
                return False
            answer, fields = head
            length = fields.get("content-length")
            if action == "kill-after":
                self._kill()
                self._reset(writer)
                return False
            if action == "lost":
                if length is not None:
                    await up_reader.readexactly(int(length))
                self._reset(writer)
                return False
            keep = length is not None
            kept = [line for line in answer if not line.lower().startswith(("connection:", "keep-alive:"))]
            writer.write("\r\n".join(kept + ([] if keep else ["Connection: close"])).encode("latin-1") + b"\r\n\r\n")
            if keep:
                if int(length):
                    writer.write(await up_reader.readexactly(int(length)))
                await writer.drain()
                return True
            await self._stream(reader, writer, up_reader)
            return False
        finally:
            up_writer.close()

    @staticmethod
    async def _stream(reader, writer, up_reader):
        """Copies a stream until either end closes it: a client that is gone must not keep a watch open."""
        gone = asyncio.ensure_future(reader.read(1))
        try:
            while True:
                data = asyncio.ensure_future(up_reader.read(65536))
                await asyncio.wait({gone, data}, return_when=asyncio.FIRST_COMPLETED)
                if not data.done() or not data.result():
                    data.cancel()
                    return
                writer.write(data.result())
                await writer.drain()
        finally:
            gone.cancel()
