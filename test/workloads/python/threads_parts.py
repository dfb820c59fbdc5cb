# SPDX-License-Identifier: Apache-2.0
"""Eight threads with locks, conditions, queues, barriers, local data, timers."""
import concurrent.futures
import queue
import threading
import time

THREADS = 8


def counting():
    total, lock = [0], threading.Lock()

    def work():
        for _ in range(2000):
            with lock:
                total[0] += 1
    run([threading.Thread(target=work) for _ in range(THREADS)])
    print("counted", total[0])


def queues():
    tasks, results = queue.Queue(10), queue.Queue()

    def work():
        while (n := tasks.get()) is not None:
            results.put(n * n)
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for n in range(500):
        tasks.put(n)
    for _ in threads:
        tasks.put(None)
    for thread in threads:
        thread.join()
    print("squares", sum(results.get() for _ in range(500)))


def turns():
    """Each thread takes its turn in order: a condition variable under contention."""
    turn, order, condition = [0], [], threading.Condition()

    def work(number):
        for round_number in range(10):
            with condition:
                condition.wait_for(lambda: turn[0] == round_number * THREADS + number, 30)
                order.append(number)
                turn[0] += 1
                condition.notify_all()
    run([threading.Thread(target=work, args=(n,)) for n in range(THREADS)])
    print("in turn", order == list(range(THREADS)) * 10)


def others():
    barrier, local, seen = threading.Barrier(THREADS), threading.local(), []

    def work(number):
        local.value = number
        barrier.wait(30)
        seen.append(local.value)
    run([threading.Thread(target=work, args=(n,)) for n in range(THREADS)])
    print("local", sorted(seen))
    fired = threading.Event()
    threading.Timer(0.05, fired.set).start()
    print("timer", fired.wait(10), threading.Event().wait(0.05))
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        print("slept", len(list(pool.map(time.sleep, [0.01] * 40))))
        print("identifiers", len({i for i in pool.map(
            lambda _: (time.sleep(0.02), threading.get_native_id())[1], range(16))}) > 1)


def run(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


counting()
queues()
turns()
others()
print("left", threading.active_count())
