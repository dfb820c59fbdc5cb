# SPDX-License-Identifier: Apache-2.0
"""multiprocessing by fork and by spawn: argv[1] says which."""
import multiprocessing
import os
import sys


def square(n):
    return n * n


def child(queue, event, number, value, lock):
    event.wait(30)
    for _ in range(100):
        with lock:
            value.value += 1
    queue.put((number, os.getppid() > 0))


def echo(pipe):
    while (item := pipe.recv()) is not None:
        pipe.send(item * 2)


def main(method):
    context = multiprocessing.get_context(method)
    with context.Pool(4) as pool:
        print("map", sum(pool.map(square, range(500), chunksize=25)))
        print("apply", pool.apply_async(square, (12,)).get(30))
    queue, event, lock = context.Queue(), context.Event(), context.Lock()
    value = context.Value("i", 0)
    children = [context.Process(target=child, args=(queue, event, n, value, lock))
                for n in range(4)]
    for process in children:
        process.start()
    event.set()
    print("queue", sorted(queue.get(timeout=30) for _ in children))
    for process in children:
        process.join()
    print("value", value.value, [p.exitcode for p in children])
    ours, theirs = context.Pipe()
    process = context.Process(target=echo, args=(theirs,))
    process.start()
    for item in (1, "ab", [1, 2], b"x" * 300000):
        ours.send(item)
        print("pipe", len(repr(ours.recv())))
    ours.send(None)
    process.join()
    process = context.Process(target=os.kill, args=(os.getpid(), 0))
    process.start()
    process.join()
    print("exit", process.exitcode)
    victim = context.Process(target=echo, args=(theirs,))
    victim.start()
    victim.terminate()
    victim.join()
    print("terminated", victim.exitcode)


if __name__ == "__main__":
    main(sys.argv[1])
