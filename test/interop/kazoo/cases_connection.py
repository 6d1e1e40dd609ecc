"""Connecting, losing the connection, coming back."""
from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import ConnectionClosedError
from run import cut, raises, until


def case_connect_and_stop(env):
    client = env.client()
    assert client.connected
    assert client.state == KazooState.CONNECTED
    session, password = client.client_id
    assert session != 0 and len(password) == 16
    client.stop()
    assert not client.connected
    raises(ConnectionClosedError, client.exists, "/")


def case_restart_gives_a_new_session(env):
    client = env.client()
    first = client.client_id
    client.restart()
    assert client.client_id != first


def case_reconnect_keeps_the_session(env):
    client = env.client()
    states = []
    client.add_listener(states.append)
    before = client.client_id
    cut(client)
    until(lambda: KazooState.CONNECTED in states)
    assert states == [KazooState.SUSPENDED, KazooState.CONNECTED]
    assert client.client_id == before
    assert client.exists("/") is not None


def case_ephemeral_survives_a_cut_connection(env):
    client, root = env.rooted()
    other = env.client()
    client.create(root + "/e", b"x", ephemeral=True)
    for _ in range(3):
        states = []
        client.add_listener(states.append)
        cut(client)
        until(lambda: KazooState.CONNECTED in states)
        client.remove_listener(states.append)
        stat = other.exists(root + "/e")
        assert stat.ephemeralOwner == client.client_id[0]
    client.stop()
    other.sync(root)
    assert other.exists(root + "/e") is None


def case_watch_survives_a_cut_connection(env):
    client, root = env.rooted()
    other = env.client()
    client.create(root + "/w", b"1")
    events, states = [], []
    client.add_listener(states.append)
    client.get(root + "/w", watch=events.append)
    client.get_children(root, watch=events.append)
    cut(client)
    other.set(root + "/w", b"2")
    until(lambda: KazooState.CONNECTED in states)
    # kazoo does not send its watches again: it tells every watcher that the connection was lost.
    until(lambda: len(events) == 2)
    assert client.get(root + "/w")[0] == b"2"


def case_a_read_only_client_may_connect(env):
    client = env.client(read_only=True)
    assert client.exists("/") is not None


def case_several_hosts_one_dead(env):
    client = KazooClient(hosts="127.0.0.1:1," + env.address, timeout=10)
    env.clients.append(client)
    client.start(timeout=15)
    assert client.exists("/") is not None


def case_requests_in_flight_come_back_in_order(env):
    client, root = env.rooted()
    results = [client.create_async(root + "/n-", b"", sequence=True) for _ in range(200)]
    names = [result.get(timeout=10) for result in results]
    assert names == sorted(names) and len(set(names)) == 200


def case_chroot(env):
    client, root = env.rooted()
    inside = env.client(chroot=root)
    assert inside.create("/a", b"1") == "/a"
    assert inside.create("/s-", b"", sequence=True).startswith("/s-")
    assert client.get(root + "/a")[0] == b"1"
    assert sorted(inside.get_children("/"))[0] == "a"
    events = []
    inside.get("/a", watch=events.append)
    client.set(root + "/a", b"2")
    until(lambda: events)
    assert events[0].path == "/a"
    with inside.transaction() as transaction:
        transaction.create("/b")
    assert client.exists(root + "/b")
