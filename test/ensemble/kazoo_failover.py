"""A kazoo client that holds a lock and ephemeral nodes while servers die around it.

kazoo_failover.py HOSTS   prints `ready` when it holds everything, then reads a line from standard input for each
                          round: writes through, checks what it holds, and prints `held` with the states it went through
"""
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss, SessionExpiredError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.retry import KazooRetry

TRIES = KazooRetry(max_tries=-1, max_delay=0.5, deadline=20)


def main():
    states = []
    client = KazooClient(hosts=sys.argv[1], timeout=8, connection_retry=TRIES, command_retry=TRIES)
    client.add_listener(states.append)
    client.start(timeout=20)
    session = client.client_id[0]
    lock = client.Lock("/kazoo/lock", "the-holder")
    assert lock.acquire(timeout=20)
    client.create("/kazoo/ephemeral", b"mine", ephemeral=True)
    changes = []

    @client.DataWatch("/kazoo/watched")
    def changed(data, stat):
        changes.append(data)

    print("ready", flush=True)
    for line in sys.stdin:
        number = line.strip().encode()
        client.retry(client.ensure_path, "/kazoo/watched")
        client.retry(client.set, "/kazoo/watched", number)
        client.retry(client.sync, "/kazoo")
        assert client.client_id[0] == session, "another session"
        assert client.retry(client.get, "/kazoo/watched")[0] == number
        assert client.retry(client.exists, "/kazoo/ephemeral").ephemeralOwner == session
        assert client.retry(client.Lock("/kazoo/lock").contenders) == ["the-holder"]
        assert lock.is_acquired
        assert "LOST" not in states, states
        print("held", *states, flush=True)
    lock.release()
    client.stop()
    assert number in changes, changes


try:
    main()
except (AssertionError, ConnectionLoss, SessionExpiredError, KazooTimeoutError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
