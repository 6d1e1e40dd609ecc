"""Four-letter words through kazoo."""
import re


def case_ruok(env):
    assert env.client().command(b"ruok") == "imok"


def case_mntr(env):
    text = env.client().command(b"mntr")
    values = dict(line.split("\t", 1) for line in text.splitlines() if "\t" in line)
    assert values["zk_server_state"] in ("standalone", "leader", "follower")
    for key in ("zk_version", "zk_znode_count", "zk_ephemerals_count", "zk_watch_count", "zk_num_alive_connections",
                "zk_outstanding_requests", "zk_packets_received", "zk_packets_sent", "zk_avg_latency",
                "zk_max_latency", "zk_min_latency", "zk_approximate_data_size", "zk_open_file_descriptor_count"):
        assert key in values, key
    assert int(values["zk_znode_count"]) >= 4


def case_srvr_and_stat(env):
    client = env.client()
    for word in (b"srvr", b"stat"):
        text = client.command(word)
        for line in ("Zookeeper version: ", "Latency min/avg/max: ", "Received: ", "Sent: ", "Connections: ",
                     "Outstanding: ", "Zxid: 0x", "Mode: ", "Node count: "):
            assert re.search("^" + line, text, re.M), line
    assert "Clients:" in client.command(b"stat")


def case_server_version(env):
    version = env.client().server_version()
    assert len(version) >= 3 and version[0] == 3


def case_conf_cons_isro_wchs(env):
    client, root = env.rooted()
    client.get(root, watch=lambda event: None)
    assert "clientPort=" in client.command(b"conf")
    assert "sid=0x%x" % client.client_id[0] in client.command(b"cons")
    assert client.command(b"isro") == "rw"
    assert re.search(r"Total watches:\d+", client.command(b"wchs"))
    assert root in client.command(b"wchp")
    assert "0x%x" % client.client_id[0] in client.command(b"wchc")


def case_dump_lists_ephemerals(env):
    client, root = env.rooted()
    client.create(root + "/e", ephemeral=True)
    text = client.command(b"dump")
    assert "0x%x" % client.client_id[0] in text and root + "/e" in text
