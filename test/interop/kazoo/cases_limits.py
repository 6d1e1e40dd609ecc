"""Big values, many children, many requests."""
from kazoo.exceptions import ConnectionLoss
from run import raises, until

MAX_BUFFER = 1_048_575


def case_value_near_one_megabyte(env):
    client, root = env.rooted()
    data = bytes(i % 251 for i in range(MAX_BUFFER - 1000))
    client.create(root + "/big", data)
    got, stat = client.get(root + "/big")
    assert got == data and stat.dataLength == len(data)
    client.set(root + "/big", data[::-1])
    assert client.get(root + "/big")[0] == data[::-1]


def case_exactly_the_largest_frame(env):
    client, root = env.rooted()
    client.create(root + "/big")
    path = root + "/big"
    overhead = 4 + 4 + 4 + len(path) + 4 + 4  # xid, type, path, data length, version
    client.set(path, b"x" * (MAX_BUFFER - overhead))
    assert client.exists(path).dataLength == MAX_BUFFER - overhead


def case_above_the_largest_frame_ends_the_connection(env):
    client, root = env.rooted()
    client.create(root + "/big", b"small")
    raises(ConnectionLoss, client.set, root + "/big", b"x" * (MAX_BUFFER + 1))
    until(lambda: client.connected)
    assert client.get(root + "/big")[0] == b"small"


def case_a_thousand_children(env):
    client, root = env.rooted()
    results = [client.create_async("%s/child-%04d" % (root, i), b"") for i in range(1000)]
    for result in results:
        result.get(timeout=20)
    children, stat = client.get_children(root, include_data=True)
    assert sorted(children) == ["child-%04d" % i for i in range(1000)]
    assert stat.numChildren == 1000 and stat.cversion == 1000
    client.delete(root, recursive=True)


def case_deep_path(env):
    client, root = env.rooted()
    path = root + "/x" * 300
    client.ensure_path(path)
    assert client.exists(path)


def case_many_clients(env):
    clients = [env.rooted()[0] for _ in range(25)]
    for i, client in enumerate(clients):
        client.create("%s/%d" % (env.root, i), ephemeral=True)
    assert len(clients[0].get_children(env.root)) == 25
