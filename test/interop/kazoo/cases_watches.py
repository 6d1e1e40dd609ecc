"""One-shot watches and the lasting ones that kazoo builds of them."""
from kazoo.protocol.states import EventType
from kazoo.recipe.cache import TreeCache
from kazoo.recipe.watchers import PatientChildrenWatch
from run import until


def case_exists_watch(env):
    client, root = env.rooted()
    events = []
    assert client.exists(root + "/a", watch=events.append) is None
    client.create(root + "/a")
    until(lambda: events)
    assert (events[0].type, events[0].path) == (EventType.CREATED, root + "/a")
    client.exists(root + "/a", watch=events.append)
    client.delete(root + "/a")
    until(lambda: len(events) == 2)
    assert events[1].type == EventType.DELETED


def case_get_watch_fires_once(env):
    client, root = env.rooted()
    events = []
    client.get(root, watch=events.append)
    client.set(root, b"1")
    client.set(root, b"2")
    until(lambda: events)
    client.sync(root)
    assert [event.type for event in events] == [EventType.CHANGED]


def case_children_watch_of_another_client(env):
    client, root = env.rooted()
    other = env.client()
    events = []
    client.get_children(root, watch=events.append)
    other.create(root + "/a")
    until(lambda: events)
    assert (events[0].type, events[0].path) == (EventType.CHILD, root)


def case_watched_by_many(env):
    client, root = env.rooted()
    watchers = [env.client() for _ in range(5)]
    events = []
    for watcher in watchers:
        watcher.get(root, watch=events.append)
    client.set(root, b"x")
    until(lambda: len(events) == 5)


def case_DataWatch(env):
    client, root = env.rooted()
    seen = []

    @client.DataWatch(root + "/d")
    def watch(data, stat, event):
        seen.append((data, stat and stat.version, event and event.type))

    client.create(root + "/d", b"0")
    until(lambda: len(seen) == 2)
    for i in range(1, 4):
        client.set(root + "/d", b"%d" % i)
        until(lambda: len(seen) == 2 + i)
    client.delete(root + "/d")
    until(lambda: len(seen) == 6)
    assert seen[0] == (None, None, None)
    assert seen[1] == (b"0", 0, EventType.CREATED)
    assert [entry[0] for entry in seen[2:]] == [b"1", b"2", b"3", None]
    assert seen[5][2] == EventType.DELETED


def case_ChildrenWatch(env):
    client, root = env.rooted()
    other = env.client()
    seen = []

    @client.ChildrenWatch(root)
    def watch(children):
        seen.append(sorted(children))

    until(lambda: seen == [[]])
    other.create(root + "/a")
    until(lambda: seen[-1] == ["a"])
    other.create(root + "/b")
    until(lambda: seen[-1] == ["a", "b"])
    other.delete(root + "/a")
    until(lambda: seen[-1] == ["b"])


def case_ChildrenWatch_stops_on_false(env):
    client, root = env.rooted()
    seen = []

    @client.ChildrenWatch(root)
    def watch(children):
        seen.append(children)
        return len(children) < 1

    client.create(root + "/a")
    until(lambda: len(seen) == 2)
    client.create(root + "/b")
    client.sync(root)
    assert len(seen) == 2


def case_PatientChildrenWatch(env):
    client, root = env.rooted()
    watcher = PatientChildrenWatch(client, root, time_boundary=0.3)
    result = watcher.start()
    client.create(root + "/a")
    children, _ = result.get(timeout=10)
    assert children == ["a"]


def case_TreeCache(env):
    client, root = env.rooted()
    cache = TreeCache(client, root)
    cache.start()
    client.create(root + "/a/b", b"deep", makepath=True)
    until(lambda: cache.get_data(root + "/a/b"))
    assert cache.get_data(root + "/a/b").data == b"deep"
    client.set(root + "/a/b", b"new")
    until(lambda: cache.get_data(root + "/a/b").data == b"new")
    client.delete(root + "/a/b")
    until(lambda: cache.get_data(root + "/a/b") is None)
    cache.close()
