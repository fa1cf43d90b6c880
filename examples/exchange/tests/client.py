"""A client of `exchange serve`, with the standard library alone: python3 client.py HOST PORT

It trades with itself in both forms, and reads depth, fills and trades. It prints `ok` at the end.
"""

import json
import socket
import struct
import sys

FRAME = struct.Struct("<BBBBBBHQQQQQIIQ")
ANSWER = struct.Struct("<BBBBBBHQQQQQQQ")
TYPES = {
    "place": 1, "cancel": 2, "reduce": 3, "move": 4, "depth": 5,
    "subscribe_trades": 6, "subscribe_depth": 7, "subscribe_fills": 8, "ping": 9,
}
NAMES = {number: name for name, number in TYPES.items()}
SIDES = ["buy", "sell"]


class Frames:
    """Speaks in frames of 64 bytes, and shows answers as the other form has them."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=20)

    def send(self, **ask):
        self.socket.sendall(FRAME.pack(
            0xAE, 1, TYPES[ask["type"]], SIDES.index(ask.get("side", "buy")),
            ["limit", "market"].index(ask.get("kind", "limit")),
            ["gtc", "ioc"].index(ask.get("tif", "gtc")), ask.get("levels", 0), ask.get("tag", 0),
            ask.get("id", 0), ask.get("user", 0), ask.get("price", 0), ask.get("qty", 0),
            ask.get("symbol", 0), 0, 0,
        ))

    def frame(self):
        data = b""
        while len(data) < 64:
            more = self.socket.recv(64 - len(data))
            assert more, "closed"
            data += more
        magic, version, *rest = ANSWER.unpack(data)
        assert (magic, version) == (0xAE, 1)
        return rest

    def read(self):
        what, code, one, two, _, a, b, c, d, e, f, g = self.frame()
        if what == 0x81:
            return {"type": "answer", "tag": a, "request": NAMES[one], "id": b, "seq": c, "code": code}
        if what == 0x82:
            return {"type": "fill", "user": a, "id": b, "trade": c, "symbol": f,
                    "side": SIDES[one], "price": d, "qty": e, "maker": bool(two)}
        if what == 0x83:
            return {"type": "trade", "trade": c, "symbol": f, "side": SIDES[one], "price": d, "qty": e}
        if what == 0x85:
            return {"type": "error", "code": code}
        assert what == 0x84
        depth = {"type": "depth", "tag": a, "symbol": f, "seq": g, "bids": [], "asks": []}
        rank = 0
        while True:
            assert one == rank
            if c:
                depth["bids"].append([b, c])
            if e:
                depth["asks"].append([d, e])
            if two:
                return depth
            rank += 1
            _, _, one, two, _, a, b, c, d, e, f, g = self.frame()


class Lines:
    """Speaks in lines of JSON."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=20)
        self.file = self.socket.makefile("r")

    def send(self, **ask):
        self.socket.sendall(json.dumps(ask).encode() + b"\n")

    def read(self):
        answer = json.loads(self.file.readline())
        answer.pop("reason", None)
        return answer


def answer(client, **fields):
    """What it is told next has these fields."""
    told = client.read()
    assert {**told, **fields} == told, (told, fields)
    return told


def trade(address, form, base):
    """Places, trades, makes smaller, moves and cancels; ids from `base` on."""
    one, two, watcher = form(address), form(address), form(address)
    watcher.send(type="subscribe_trades", tag=1)
    answer(watcher, type="answer", tag=1, code=0, request="subscribe_trades")
    one.send(type="place", tag=7, id=base, user=1, side="sell", price=8500000, qty=500)
    placed = answer(one, type="answer", tag=7, code=0, id=base, request="place")
    assert placed["seq"] > 0
    one.send(type="depth", tag=8, levels=5)
    answer(one, type="depth", tag=8, symbol=0, bids=[], asks=[[8500000, 500]])
    two.send(type="place", tag=9, id=base + 1, user=2, side="buy", tif="ioc", price=8600000, qty=200)
    answer(two, type="answer", tag=9, code=0)
    bought = answer(two, type="fill", user=2, id=base + 1, side="buy", price=8500000, qty=200, maker=False)
    answer(one, type="fill", user=1, id=base, side="sell", price=8500000, qty=200, maker=True,
           trade=bought["trade"])
    answer(watcher, type="trade", trade=bought["trade"], side="buy", price=8500000, qty=200)
    one.send(type="reduce", tag=10, id=base, user=1, qty=100)
    answer(one, tag=10, code=0, request="reduce")
    one.send(type="move", tag=11, id=base, user=1, price=8500100)
    answer(one, tag=11, code=0, request="move")
    two.send(type="cancel", tag=12, id=base, user=2)
    answer(two, tag=12, code=9, request="cancel")
    two.send(type="depth", tag=13, levels=32)
    answer(two, type="depth", bids=[], asks=[[8500100, 200]])
    one.send(type="cancel", tag=14, id=base, user=1)
    answer(one, tag=14, code=0)
    one.send(type="cancel", tag=15, id=base, user=1)
    answer(one, tag=15, code=8)
    one.send(type="depth", tag=16, symbol=3, levels=1)
    answer(one, tag=16, code=1)
    one.send(type="ping", tag=17)
    answer(one, tag=17, code=0, request="ping")
    # A connection that comes back hears of its user's trades again.
    one.socket.close()
    one = form(address)
    one.send(type="subscribe_fills", tag=18, user=1)
    answer(one, tag=18, code=0)
    one.send(type="subscribe_depth", tag=19, levels=2)
    answer(one, tag=19, code=0)
    answer(one, type="depth", tag=0, bids=[], asks=[])
    two.send(type="place", id=base + 2, user=2, side="buy", price=1, qty=100000000)
    answer(two, type="answer", code=0)
    answer(one, type="depth", tag=0, bids=[[1, 100000000]], asks=[])
    two.send(type="cancel", id=base + 2, user=2)
    answer(two, type="answer", code=0)
    # What cannot be understood ends this connection alone.
    two.socket.sendall(b"\xae\x09" + bytes(62) if form is Frames else b"{}\n")
    answer(two, type="error", code=129 if form is Frames else 133)
    assert two.socket.recv(1) == b""


def main():
    address = (sys.argv[1], int(sys.argv[2]))
    trade(address, Frames, 1000)
    trade(address, Lines, 2000)
    print("ok")


main()
