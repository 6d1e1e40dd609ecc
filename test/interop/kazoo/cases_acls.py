"""ACLs with the digest scheme."""
from kazoo.exceptions import AuthFailedError, InvalidACLError, NoAuthError
from kazoo.security import (ACL, CREATOR_ALL_ACL, Id, OPEN_ACL_UNSAFE, Permissions, make_acl, make_digest_acl)
from run import raises


def case_digest_acl_protects(env):
    ann, root = env.rooted()
    ann.add_auth("digest", "ann:secret")
    bob = env.client(auth_data=[("digest", "bob:word")])
    acl = make_digest_acl("ann", "secret", all=True)
    ann.create(root + "/a", b"mine", acl=[acl])
    raises(NoAuthError, bob.get, root + "/a")
    raises(NoAuthError, bob.set, root + "/a", b"x")
    raises(NoAuthError, bob.get_children, root + "/a")
    raises(NoAuthError, bob.create, root + "/a/b")
    raises(NoAuthError, bob.set_acls, root + "/a", OPEN_ACL_UNSAFE)
    assert ann.get(root + "/a")[0] == b"mine"
    late = env.client()
    raises(NoAuthError, late.get, root + "/a")
    late.add_auth("digest", "ann:secret")
    assert late.get(root + "/a")[0] == b"mine"


def case_auth_is_sent_again_after_a_reconnect(env):
    from kazoo.client import KazooState
    from run import cut, until
    client, root = env.rooted(auth_data=[("digest", "ann:secret")])
    client.create(root + "/a", acl=[make_digest_acl("ann", "secret", all=True)])
    states = []
    client.add_listener(states.append)
    cut(client)
    until(lambda: KazooState.CONNECTED in states)
    assert client.get(root + "/a")[0] == b""


def case_get_and_set_acls(env):
    client, root = env.rooted()
    acls, stat = client.get_acls(root)
    assert acls == OPEN_ACL_UNSAFE and stat.aversion == 0
    reader = make_acl("world", "anyone", read=True)
    admin = make_digest_acl("ann", "secret", all=True)
    changed = client.set_acls(root, [reader, admin], version=0)
    assert changed.aversion == 1 and changed.version == 0
    client.add_auth("digest", "ann:secret")
    assert client.get_acls(root)[0] == [reader, admin]


def case_creator_all(env):
    client, root = env.rooted(auth_data=[("digest", "ann:secret")])
    client.create(root + "/a", acl=CREATOR_ALL_ACL)
    assert client.get_acls(root + "/a")[0] == [make_digest_acl("ann", "secret", all=True)]


def case_default_acl(env):
    env.rooted()
    acl = make_digest_acl("ann", "secret", all=True)
    client = env.client(auth_data=[("digest", "ann:secret")], default_acl=[acl])
    client.create(env.root + "/a")
    assert client.get_acls(env.root + "/a")[0] == [acl]


def case_ip_acl(env):
    client, root = env.rooted()
    client.create(root + "/here", acl=[ACL(Permissions.ALL, Id("ip", "127.0.0.0/8"))])
    client.create(root + "/elsewhere", acl=[ACL(Permissions.ALL, Id("ip", "10.1.2.3"))])
    assert client.get(root + "/here")[0] == b""
    raises(NoAuthError, client.get, root + "/elsewhere")


def case_refused_acls(env):
    client, root = env.rooted()
    raises(InvalidACLError, client.create, root + "/a", acl=CREATOR_ALL_ACL)
    raises(InvalidACLError, client.create, root + "/a", acl=[ACL(31, Id("nosuch", "x"))])
    raises(InvalidACLError, client.create, root + "/a", acl=[ACL(31, Id("world", "someone"))])


def case_unknown_scheme_fails(env):
    client, _ = env.rooted()
    raises(AuthFailedError, client.add_auth, "nosuch", "x")
