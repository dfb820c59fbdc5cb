# SPDX-License-Identifier: Apache-2.0
"""Programs that talk over loopback; sockets_test.py runs one part natively and in the sandbox."""
import asyncio
import hashlib
import http.server
import os
import selectors
import socket
import socketserver
import struct
import sys
import threading
import urllib.request


def http_server():
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = (self.path * 3000).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = hashlib.sha256(body).hexdigest().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    for path in "/a", "/bb", "/ccc":
        print(path, len(urllib.request.urlopen(base + path, timeout=30).read()))
    for size in 0, 1, 70_000, 3_000_000:
        data = b"x" * size
        answer = urllib.request.urlopen(base + "/", data=data or b"-", timeout=30).read().decode()
        print(size, answer == hashlib.sha256(data or b"-").hexdigest())
    server.shutdown()


def asyncio_echo(count=1000):
    async def serve(reader, writer):
        while data := await reader.read(100):
            writer.write(data.upper())
            await writer.drain()
        writer.close()

    async def talk(port, number, barrier):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        barrier["open"] += 1
        while barrier["open"] < count:
            await asyncio.sleep(0.01)
        total = 0
        for step in range(3):
            text = f"connection {number} step {step}".encode()
            writer.write(text)
            total += await reader.readexactly(len(text)) == text.upper()
        writer.close()
        await writer.wait_closed()
        return total

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=count)
        port = server.sockets[0].getsockname()[1]
        barrier = {"open": 0}
        print(sum(await asyncio.gather(*(talk(port, i, barrier) for i in range(count)))))
        server.close()

    asyncio.run(main())


def socketserver_kinds():
    class Stream(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                self.wfile.write(line[::-1].strip() + b"\n")

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self):
            self.request[1].sendto(self.request[0][::-1], self.client_address)

    class Tcp6(socketserver.ThreadingTCPServer):
        address_family = socket.AF_INET6

    for name, make, host in (("tcp", socketserver.ThreadingTCPServer, "127.0.0.1"),
                             ("tcp6", Tcp6, "::1")):
        with make((host, 0), Stream) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with socket.create_connection(server.server_address[:2], timeout=30) as client, \
                    client.makefile("rwb") as file:
                for word in b"one", b"two", b"three":
                    file.write(word + b"\n")
                    file.flush()
                    print(name, file.readline())
            server.shutdown()
    with socketserver.UDPServer(("127.0.0.1", 0), Datagram) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.settimeout(30)
        for word in b"", b"datagram", b"x" * 60000:
            client.sendto(word, server.server_address)
            print("udp", client.recv(65536) == word[::-1])
        server.shutdown()


def names():
    for host in "localhost", "127.0.0.1", "::1":
        infos = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
        print(host, sorted({info[4][0] for info in infos}))
    print(socket.if_nameindex()[0], socket.has_ipv6, socket.has_dualstack_ipv6())
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        with socket.create_connection(("127.0.0.1", server.getsockname()[1])) as client:
            accepted, peer = server.accept()
            print(peer[0], accepted.getsockname()[0], client.getpeername()[0])


def bulk():
    """200 MB each way between two processes, checked by a hash."""
    server = socket.create_server(("127.0.0.1", 0))
    total = 200 << 20
    block = os.urandom(1 << 20)
    if os.fork() == 0:
        with socket.create_connection(server.getsockname()) as client:
            for _ in range(total >> 20):
                client.sendall(block)
            client.shutdown(socket.SHUT_WR)
            left, digest = total, hashlib.sha256()
            while data := client.recv(300_000):
                left -= len(data)
                digest.update(data)
            print("back", left, digest.hexdigest() == hashlib.sha256(block * (total >> 20)).hexdigest(),
                  flush=True)
        os._exit(0)
    connection, _ = server.accept()
    digest, left = hashlib.sha256(), total
    while data := connection.recv(300_000):
        left -= len(data)
        digest.update(data)
    print("there", left, digest.hexdigest() == hashlib.sha256(block * (total >> 20)).hexdigest(),
          flush=True)
    for _ in range(total >> 20):
        connection.sendall(block)
    connection.close()
    os.wait()


def many_idle(count=4000):
    """One busy connection among many idle ones, by epoll."""
    server = socket.create_server(("127.0.0.1", 0), backlog=4096)
    selector = selectors.DefaultSelector()
    kept = []
    for _ in range(count):
        client = socket.create_connection(server.getsockname())
        accepted = server.accept()[0]
        selector.register(accepted, selectors.EVENT_READ)
        kept.append((client, accepted))
    busy, served = kept[count // 2]
    for number in range(500):
        busy.send(struct.pack("I", number))
        (key, _), = selector.select(30)
        assert key.fileobj is served and struct.unpack("I", served.recv(4)) == (number,)
    print(len(kept), "idle; the busy one was heard")


if __name__ == "__main__":
    globals()[sys.argv[1]](*map(int, sys.argv[2:]))
