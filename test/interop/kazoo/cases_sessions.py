"""The life and end of sessions."""
import os
import signal
import subprocess
import sys

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import SessionExpiredError
from run import cut, raises, until


def case_closed_by_a_second_connection(env):
    client, root = env.rooted()
    other = env.client()
    client.create(root + "/e", ephemeral=True)
    states = []
    client.add_listener(states.append)
    thief = KazooClient(hosts=env.address, client_id=client.client_id)
    thief.start()
    thief.stop()
    until(lambda: KazooState.LOST in states)
    assert other.exists(root + "/e") is None
    until(lambda: states[-1] == KazooState.CONNECTED)
    assert client.exists(root + "/e") is None


KILLED = """
import sys
from kazoo.client import KazooClient
client = KazooClient(hosts=sys.argv[1], timeout=10)
client.start()
client.create(sys.argv[2] + "/e", ephemeral=True)
print(client.client_id[0], client.client_id[1].hex(), flush=True)
sys.stdin.read()
"""


def left_behind(env, root):
    """The (id, password) of a session with an ephemeral whose process was killed."""
    child = subprocess.Popen([sys.executable, "-B", "-c", KILLED, env.address, root], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    session, password = child.stdout.readline().split()
    child.kill()
    child.wait()
    return int(session), bytes.fromhex(password)


def case_resume_with_id_and_password(env):
    client, root = env.rooted()
    identity = left_behind(env, root)
    heir = env.client(client_id=identity)
    assert heir.client_id == identity
    assert client.exists(root + "/e").ephemeralOwner == identity[0]
    heir.stop()
    client.sync(root)
    assert client.exists(root + "/e") is None


def case_resume_with_a_wrong_password_gets_a_new_session(env):
    client, root = env.rooted()
    session, _ = left_behind(env, root)
    fake = env.client(client_id=(session, b"\1" * 16))
    until(lambda: fake.client_id)
    assert fake.client_id[0] != session
    assert client.exists(root + "/e").ephemeralOwner == session


FROZEN = """
import sys
from kazoo.client import KazooClient
client = KazooClient(hosts=sys.argv[1], timeout=2)
client.start()
client.create(sys.argv[2] + "/e", ephemeral=True)
print("ready", flush=True)
sys.stdin.read()
"""


def case_expires_when_the_client_freezes(env):
    client, root = env.rooted()
    events = []
    frozen = subprocess.Popen([sys.executable, "-B", "-c", FROZEN, env.address, root], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    try:
        assert frozen.stdout.readline() == b"ready\n"
        assert client.exists(root + "/e", watch=events.append) is not None
        os.kill(frozen.pid, signal.SIGSTOP)
        until(lambda: events, 20)
        assert events[0].type == "DELETED"
        assert client.exists(root + "/e") is None
    finally:
        frozen.kill()
        frozen.wait()


def case_lives_while_it_pings(env):
    client, root = env.rooted(timeout=2)
    client.create(root + "/e", ephemeral=True)
    other = env.client()
    gone = []
    other.exists(root + "/e", watch=gone.append)
    import time
    time.sleep(5)
    assert not gone and client.state == KazooState.CONNECTED


def case_watcher_sees_the_ephemeral_go(env):
    client, root = env.rooted()
    other = env.client()
    client.create(root + "/e", ephemeral=True)
    events = []
    other.exists(root + "/e", watch=events.append)
    other.get_children(root, watch=events.append)
    client.stop()
    until(lambda: len(events) == 2)
    assert [(event.type, event.path) for event in events] == [("DELETED", root + "/e"), ("CHILD", root)]


def case_requests_of_an_ended_session_fail(env):
    client, root = env.rooted()
    thief = KazooClient(hosts=env.address, client_id=client.client_id)
    thief.start()
    lost = []
    client.add_listener(lambda state: lost.append(raises(SessionExpiredError, client.exists, root))
                        if state == KazooState.LOST else None)
    thief.stop()
    cut_if_connected(client)
    until(lambda: client.state == KazooState.CONNECTED and client.connected)


def cut_if_connected(client):
    try:
        cut(client)
    except (OSError, AttributeError):
        pass
