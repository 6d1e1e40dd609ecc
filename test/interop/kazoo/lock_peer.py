"""A peer for test/interop/recipes-locks.test.ts: takes a lock of kazoo's again and again, and checks that it is alone.

    lock_peer.py ADDRESS KIND PATH TURNS [EXTRA_PATTERN ...]

KIND is Lock, ReadLock, WriteLock or Election. Whoever is inside alone creates the node PATH-inside and deletes it again;
to find it there is a breach. A reader makes none, and must not find one. Prints the number of turns it had.
"""
import sys
import time

from kazoo.client import KazooClient


def main(address, kind, path, turns, *patterns):
    client = KazooClient(address, timeout=10)
    client.start(30)
    inside = path + "-inside"
    had = 0

    def alone():
        nonlocal had
        client.create(inside, b"kazoo", ephemeral=True)
        time.sleep(0.003)
        client.delete(inside)
        had += 1

    def reading():
        nonlocal had
        assert not client.exists(inside)
        time.sleep(0.003)
        assert not client.exists(inside)
        had += 1

    for _ in range(int(turns)):
        if kind == "Election":
            client.Election(path, "kazoo").run(alone)
        else:
            lock = getattr(client, kind)(path, "kazoo", extra_lock_patterns=patterns)
            assert lock.acquire(timeout=30)
            (reading if kind == "ReadLock" else alone)()
            lock.release()
    client.stop()
    print(had)


main(*sys.argv[1:])
