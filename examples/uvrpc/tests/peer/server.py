"""A server made of pyzmq and msgpack, in the manner of the original. It asserts the bytes of what it is asked.

server.py ADDRESS: prints the address that it got, and serves until its input ends.
"""

import sys
import threading
import time
import os

import msgpack
import zmq

context = zmq.Context()
socket = context.socket(zmq.ROUTER)
socket.linger = 0
# A ROUTER drops what exceeds its mark.
socket.sndhwm = socket.rcvhwm = 0
socket.bind(sys.argv[1])
print(socket.getsockopt_string(zmq.LAST_ENDPOINT), flush=True)


def end():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end, daemon=True).start()

while True:
    peer, empty, body = socket.recv_multipart()
    assert empty == b"", empty
    id, service, method, data = msgpack.unpackb(body)
    # Byte for byte what msgpack itself would write.
    same = msgpack.packb([id, service, method, data]) == body

    def reply(*frames):
        socket.send_multipart([peer, *frames])

    def answer(*fields):
        reply(b"", msgpack.packb([id, *fields]))

    if not same:
        answer(-1, "another encoding", None)
    elif service == "echo":
        answer(0, None, data)
    elif service == "len":
        answer(0, None, len(data or b"").to_bytes(8, "little"))
    elif service == "who":
        answer(0, None, peer)
    elif service == "late":
        time.sleep(float(data))
        answer(0, None, data)
    elif service == "text":
        answer(3, "a reason\u2026", None)
    elif service == "frames":
        reply(b"", msgpack.packb([id, 0, None, b"x"]), b"third")
    elif service == "junk":
        reply(b"", b"\xc1")
        answer(0, None, b"behind it")
    elif service == "die":
        os._exit(0)
    else:
        answer(-4, "Service not found", None)
