# SPDX-License-Identifier: Apache-2.0
"""asyncio: tasks, a subprocess, a Unix server with several clients, signals, threads."""
import asyncio
import os
import signal
import sys
import tempfile


async def subprocess_part():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import sys; print(sys.stdin.read().upper()); sys.exit(4)",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate(b"hello" * 3)
    print("subprocess", out.strip().decode(), process.returncode)
    both = await asyncio.gather(*(asyncio.create_subprocess_shell(f"sleep 0.05; exit {n}")
                                  for n in range(4)))
    print("shells", [await p.wait() for p in both])


async def unix_server_part():
    async def serve(reader, writer):
        while line := await reader.readline():
            writer.write(line[::-1].strip() + b"\n")
            await writer.drain()
        writer.close()

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        server = await asyncio.start_unix_server(serve, path)

        async def client(number):
            reader, writer = await asyncio.open_unix_connection(path)
            answers = []
            for i in range(20):
                writer.write(f"{number}-{i}\n".encode())
                answers.append((await reader.readline()).strip().decode())
            writer.close()
            return answers[-1]
        print("clients", await asyncio.gather(*(client(n) for n in range(8))))
        server.close()
        await server.wait_closed()


async def timing_part():
    loop = asyncio.get_running_loop()
    got = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, got.set)
    loop.call_later(0.05, os.kill, os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(got.wait(), 10)
    print("signal arrived")
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.05)
    except asyncio.TimeoutError:
        print("timed out")
    print("thread", await asyncio.to_thread(sum, range(1000)))
    started = loop.time()
    await asyncio.gather(*(asyncio.sleep(0.1) for _ in range(100)))
    print("together", loop.time() - started < 5)


async def main():
    await subprocess_part()
    await unix_server_part()
    await timing_part()

asyncio.run(main())
