"""kazoo's side of lock-handover.ts: contenders that take kazoo's Lock in turn, a few sessions to a process.

    lock_handover_kazoo.py HOSTS PATH CONTENDERS PROCESSES WARM_UP_SECONDS SECONDS

Prints the latencies of all hand-overs in the measured time, in microseconds, separated by spaces. A hand-over lasts from
the call of release() by one contender to the return of acquire() in the next. The clock is the same in all processes.
"""
import multiprocessing
import sys
import threading
import time

from kazoo.client import KazooClient


def contend(hosts, path, from_, until, released_at, latencies):
    client = KazooClient(hosts, timeout=30)
    client.start(60)
    lock = client.Lock(path)
    while True:
        lock.acquire()
        now = time.monotonic()
        released = released_at.value
        if from_.value <= released and now < until.value:
            latencies.append(now - released)
        released_at.value = time.monotonic()
        lock.release()
        if now >= until.value:
            break
    client.stop()


def process(hosts, path, contenders, from_, until, released_at, results):
    latencies = []
    threads = [
        threading.Thread(target=contend, args=(hosts, path, from_, until, released_at, latencies))
        for _ in range(contenders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(latencies)


def main(hosts, path, contenders, processes, warm_up, seconds):
    # Only the holder of the lock writes this, so it needs no lock of its own.
    released_at = multiprocessing.Value("d", 0.0, lock=False)
    begin = time.monotonic() + float(warm_up)
    from_ = multiprocessing.Value("d", begin, lock=False)
    until = multiprocessing.Value("d", begin + float(seconds), lock=False)
    results = multiprocessing.Queue()
    share = int(contenders) // int(processes)
    children = [
        multiprocessing.Process(target=process, args=(hosts, path, share, from_, until, released_at, results))
        for _ in range(int(processes))
    ]
    for child in children:
        child.start()
    latencies = [latency for _ in children for latency in results.get()]
    for child in children:
        child.join()
    print(" ".join(str(round(latency * 1e6)) for latency in latencies))


main(*sys.argv[1:])
