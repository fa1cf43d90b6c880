"""A client made of pyzmq and msgpack, which asks a server of uvrpc and asserts what it answers.

client.py CASE ADDRESS: ends with 0 if all is as it should be.
"""

import os
import sys
import time

import msgpack
import zmq

CASE, ADDRESS = sys.argv[1:3]
CONTEXT = zmq.Context()
PATIENCE = 15_000


def connect(kind=zmq.DEALER, identity=None, **options):
    socket = CONTEXT.socket(kind)
    socket.linger = 0
    socket.rcvtimeo = socket.sndtimeo = PATIENCE
    for name, value in options.items():
        setattr(socket, name, value)
    if identity is not None:
        socket.identity = identity
    socket.connect(ADDRESS)
    return socket


def raw(socket, *frames):
    socket.send_multipart(frames)
    empty, reply = socket.recv_multipart()
    assert empty == b"", empty
    return reply


def request(id, service, method, data):
    return msgpack.packb([id, service, method, data])


def call(socket, id, service, method, data):
    return msgpack.unpackb(raw(socket, b"", request(id, service, method, data)))


def golden():
    socket = connect()
    asked = request(7, "echo", "echo", b"hi")
    assert asked == bytes.fromhex("9407a46563686fa46563686fc4026869"), asked.hex()
    assert raw(socket, b"", asked) == bytes.fromhex("940700c0c4026869")
    unknown = raw(socket, b"", request(9, "nobody", "m", b"x"))
    assert unknown == b"\x94\x09\xfc\xb1Service not found\xc0", unknown
    assert call(socket, 1, "echo", "", b"") == [1, 0, None, b""]
    assert call(socket, 1, "echo", "", None) == [1, 0, None, None]
    assert call(socket, 2, "len", "", b"abc") == [2, 0, None, (3).to_bytes(8, "little")]
    assert call(socket, 2, "len", "", None) == [2, 0, None, bytes(8)]
    assert call(socket, 3, "fail", "", b"through") == [3, 7, None, b"through"]
    assert call(socket, 4, "slow", "", b"20") == [4, 0, None, b"20"]
    assert call(socket, 4, "slow", "", b"soon")[:2] == [4, -2]
    for id in (0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1):
        reply = raw(socket, b"", request(id, "echo", "m", b"z"))
        assert reply == msgpack.packb([id, 0, None, b"z"]), (id, reply)
    # A REQ socket makes the empty frame itself, and a name of its own is one.
    asking = connect(zmq.REQ, b"a name")
    asking.send(request(5, "echo", "m", b"req"))
    assert asking.recv() == msgpack.packb([5, 0, None, b"req"])
    # Two of the same name, and one of the longest.
    for name in (b"a name", b"n" * 255):
        assert call(connect(identity=name), 6, "echo", "m", b"two") == [6, 0, None, b"two"]


def sizes():
    socket = connect()
    block = os.urandom(1 << 16) * 256
    edges = [n + d for n in (0, 256, 4096, 65536) for d in range(-40, 3, 3) if n + d >= 0]
    for n in [*edges, 1, 100_000, 1 << 20, 1 << 24]:
        reply = raw(socket, b"", request(n, "echo", "m", block[:n]))
        assert reply == msgpack.packb([n, 0, None, block[:n]]), n


def large():
    socket = connect()
    data = os.urandom(1 << 16) * (int(sys.argv[3]) >> 16)
    assert raw(socket, b"", request(1, "echo", "m", data)) == msgpack.packb([1, 0, None, data])


def malformed():
    socket = connect()
    good = request(77, "echo", "", b"x")

    def refused(id, *frames):
        reply = msgpack.unpackb(raw(socket, *frames))
        assert reply[:2] == [id, -2] and reply[2] and reply[3] is None, (frames, reply)
        # What follows is answered as ever.
        assert call(socket, 1, "echo", "", b"after") == [1, 0, None, b"after"]

    refused(0, good)
    refused(0, b"x")
    refused(0, b"")
    refused(77, b"not empty", good)
    refused(77, b"", good, b"third")
    refused(77, b"", good, b"third", b"fourth")
    refused(77, b"", good, good)
    refused(0, b"", b"", good)
    refused(0, b"a", b"b", b"c", b"d")
    refused(0, *[b""] * 1000)
    refused(0, b"", b"")
    refused(0, b"", b"\xc1")
    refused(0, b"", msgpack.packb({"id": 1}))
    refused(0, b"", msgpack.packb([1, "echo", ""]))
    refused(0, b"", msgpack.packb([2**32, "echo", "", b""]))
    refused(0, b"", msgpack.packb([-1, "echo", "", b""]))
    refused(3, b"", msgpack.packb([3, None, "", b""]))
    refused(3, b"", msgpack.packb([3, "echo", None, b""]))
    refused(3, b"", msgpack.packb([3, "echo", "", "text"]))
    refused(3, b"", msgpack.packb([3, "echo", "", [b""]]))
    refused(3, b"", b"\x94\x03\xa1\xff\xa0\xc0")
    for cut in range(1, len(good)):
        refused(0 if cut < 2 else 77, b"", good[:cut])
        refused(0 if cut < 2 else 77, b"", good[:cut], good[cut:])
    refused(77, b"", good + b"\x00")
    refused(77, b"", good + good)


def too_large():
    socket = connect()
    reply = msgpack.unpackb(raw(socket, b"", request(12, "echo", "", bytes(int(sys.argv[3])))))
    assert reply == [12, -2, "Message too large", None], reply
    assert call(socket, 1, "echo", "", b"after") == [1, 0, None, b"after"]


def pipelined():
    """5,000 calls over 50 clients, each of which sends all of its own before it reads."""
    sockets = [connect() for _ in range(50)]
    for n, socket in enumerate(sockets):
        for i in range(100):
            socket.send_multipart([b"", request(n * 100 + i, "echo", "m", b"%d" % (n * 100 + i))])
    for n, socket in enumerate(sockets):
        got = [msgpack.unpackb(socket.recv_multipart()[1]) for _ in range(100)]
        assert got == [[i, 0, None, b"%d" % i] for i in range(n * 100, n * 100 + 100)]


def heartbeats():
    """Both sides live on PINGs: libzmq's own, and those of the server, which it answers."""
    socket = connect(heartbeat_ivl=50, heartbeat_timeout=200, heartbeat_ttl=300)
    assert call(socket, 1, "echo", "", b"before") == [1, 0, None, b"before"]
    time.sleep(0.8)
    monitor = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    assert call(socket, 2, "slow", "", b"500") == [2, 0, None, b"500"]
    assert not monitor.poll(0), "the connection was lost"


def dies():
    """In the middle of its calls."""
    socket = connect()
    for i in range(200):
        socket.send_multipart([b"", request(i, "slow" if i % 2 else "echo", "m", b"300")])
    assert socket.recv_multipart()
    os._exit(0)


def restarted():
    """Two servers in turn on one address: the client's library connects again."""
    socket = connect(reconnect_ivl=20)
    assert call(socket, 1, "echo", "", b"one") == [1, 0, None, b"one"]
    print("answered", flush=True)
    sys.stdin.readline()
    deadline = time.monotonic() + PATIENCE / 1000
    socket.rcvtimeo = 200
    while time.monotonic() < deadline:
        try:
            assert call(socket, 2, "echo", "", b"two") == [2, 0, None, b"two"]
            return
        except zmq.Again:
            pass
    raise SystemExit("the second server does not answer")


globals()[CASE]()
print("well", flush=True)
# Without waiting for sockets that nobody closed.
os._exit(0)
