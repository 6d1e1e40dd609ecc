"""Creating, reading, changing and deleting znodes."""
from kazoo.exceptions import (BadVersionError, NoChildrenForEphemeralsError, NodeExistsError, NoNodeError,
                              NotEmptyError)
from run import raises


def case_create_and_get(env):
    client, root = env.rooted()
    assert client.create(root + "/a", b"data") == root + "/a"
    data, stat = client.get(root + "/a")
    assert data == b"data"
    assert (stat.version, stat.cversion, stat.aversion) == (0, 0, 0)
    assert stat.czxid == stat.mzxid == stat.pzxid > 0
    assert stat.dataLength == 4 and stat.numChildren == 0 and stat.ephemeralOwner == 0
    assert stat.ctime == stat.mtime > 1_500_000_000_000


def case_create_returns_stat(env):
    client, root = env.rooted()
    path, stat = client.create(root + "/a", b"12", include_data=True)
    assert path == root + "/a"
    assert stat == client.exists(path)


def case_create_makes_parents(env):
    client, root = env.rooted()
    client.create(root + "/a/b/c", b"", makepath=True)
    assert client.exists(root + "/a/b/c")


def case_create_errors(env):
    client, root = env.rooted()
    client.create(root + "/a")
    client.create(root + "/e", ephemeral=True)
    raises(NodeExistsError, client.create, root + "/a")
    raises(NoNodeError, client.create, root + "/x/y")
    raises(NoChildrenForEphemeralsError, client.create, root + "/e/c")


def case_unicode_and_binary(env):
    client, root = env.rooted()
    path = root + "/größe-日本"
    data = bytes(range(256))
    client.create(path, data)
    assert client.get(path)[0] == data
    assert client.get_children(root) == ["größe-日本"]


def case_sequential_counts_all_children(env):
    client, root = env.rooted()
    names = [client.create(root + "/s-", sequence=True) for _ in range(2)]
    client.create(root + "/plain")
    client.delete(root + "/plain")
    names.append(client.create(root + "/t-", sequence=True))
    assert [name[-12:] for name in names] == ["s-0000000000", "s-0000000001", "t-0000000003"]


def case_set_and_versions(env):
    client, root = env.rooted()
    client.create(root + "/a", b"0")
    first = client.set(root + "/a", b"1")
    assert first.version == 1
    second = client.set(root + "/a", b"22", version=1)
    assert second.version == 2 and second.mzxid > first.mzxid and second.dataLength == 2
    raises(BadVersionError, client.set, root + "/a", b"3", version=1)
    raises(NoNodeError, client.set, root + "/none", b"")
    assert client.get(root + "/a")[0] == b"22"


def case_delete(env):
    client, root = env.rooted()
    client.ensure_path(root + "/a/b")
    raises(NotEmptyError, client.delete, root + "/a")
    raises(BadVersionError, client.delete, root + "/a/b", version=5)
    client.delete(root + "/a/b", version=0)
    raises(NoNodeError, client.delete, root + "/a/b")
    client.delete(root, recursive=True)
    assert client.exists(root) is None


def case_children_and_counts(env):
    client, root = env.rooted()
    for name in ("c", "a", "b"):
        client.create(root + "/" + name)
    client.delete(root + "/c")
    children, stat = client.get_children(root, include_data=True)
    assert sorted(children) == ["a", "b"]
    assert stat.numChildren == 2 and stat.cversion == 4
    raises(NoNodeError, client.get_children, root + "/none")


def case_ephemeral_ends_with_its_session(env):
    client, root = env.rooted()
    other = env.client()
    client.create(root + "/e", ephemeral=True)
    client.create(root + "/es-", ephemeral=True, sequence=True)
    assert other.exists(root + "/e").ephemeralOwner == client.client_id[0]
    client.stop()
    other.sync(root)
    assert other.get_children(root) == []


def case_sync_returns_the_path(env):
    client, root = env.rooted()
    assert client.sync(root) == root


def case_container_through_the_recursive_default(env):
    client, root = env.rooted()
    assert client.exists("/zookeeper/quota") is not None
    assert client.exists("/zookeeper/config") is not None
