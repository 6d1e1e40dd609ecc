"""multi through kazoo's transactions."""
from kazoo.exceptions import (BadVersionError, NodeExistsError, NoNodeError, RolledBackError,
                              RuntimeInconsistency)


def kinds(results):
    return [type(result) for result in results]


def case_all_kinds(env):
    client, root = env.rooted()
    transaction = client.transaction()
    transaction.check(root, version=0)
    transaction.create(root + "/a", b"1")
    transaction.create(root + "/a/b", b"2", ephemeral=True)
    transaction.create(root + "/s-", sequence=True)
    transaction.set_data(root + "/a", b"3")
    transaction.delete(root + "/a/b")
    results = transaction.commit()
    assert results[0] is True
    assert results[1:4] == [root + "/a", root + "/a/b", root + "/s-0000000001"]
    assert results[4].version == 1
    assert results[5] is True
    assert client.get(root + "/a")[0] == b"3"


def case_empty(env):
    client, _ = env.rooted()
    assert client.transaction().commit() == []


def case_failure_in_the_middle_changes_nothing(env):
    client, root = env.rooted()
    transaction = client.transaction()
    transaction.create(root + "/a")
    transaction.delete(root + "/missing")
    transaction.create(root + "/b")
    assert kinds(transaction.commit()) == [RolledBackError, NoNodeError, RuntimeInconsistency]
    assert client.get_children(root) == []
    assert client.exists(root).cversion == 0


def case_failure_at_the_ends(env):
    client, root = env.rooted()
    first = client.transaction()
    first.create(root)
    first.create(root + "/a")
    assert kinds(first.commit()) == [NodeExistsError, RuntimeInconsistency]
    last = client.transaction()
    last.create(root + "/a")
    last.check(root, version=9)
    assert kinds(last.commit()) == [RolledBackError, BadVersionError]
    assert client.get_children(root) == []


def case_failure_fires_no_watch(env):
    client, root = env.rooted()
    events = []
    client.get_children(root, watch=events.append)
    transaction = client.transaction()
    transaction.create(root + "/a")
    transaction.delete(root + "/missing")
    transaction.commit()
    client.sync(root)
    assert events == []
    client.create(root + "/b")
    client.sync(root)
    assert len(events) == 1


def case_all_share_one_zxid(env):
    client, root = env.rooted()
    transaction = client.transaction()
    for name in "abc":
        transaction.create(root + "/" + name)
    transaction.commit()
    zxids = {client.exists(root + "/" + name).czxid for name in "abc"}
    assert len(zxids) == 1
    assert client.exists(root).pzxid == zxids.pop()
