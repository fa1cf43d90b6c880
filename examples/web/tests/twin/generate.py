"""Requests for the differential test, and the twin's answers to them.

    generate.py record > golden.jsonl      the table and seed 0, each with the twin's answer
    generate.py requests --seed N          other random requests, without answers

One JSON object per line: id, method, target, headers, body (base64), and in what is recorded
`answer` with status, content_type and body (base64). The same call gives the same lines.
"""

import argparse
import base64
import contextlib
import http.client
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import cases
import mutations


def line(request):
    fields = dict(zip(("id", "method", "target", "headers"), request))
    fields["body"] = base64.b64encode(request[4]).decode()
    return fields


def answer(connection, request):
    """What the server on this connection says, whatever the headers are."""
    _, method, target, headers, body = request
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value.encode("latin-1"))
    if body or method in ("POST", "PUT", "PATCH"):
        connection.putheader("content-length", str(len(body)))
    connection.endheaders(body or None)
    response = connection.getresponse()
    payload = response.read()
    if response.status == 500:
        # uvicorn hangs up then without saying so.
        connection.close()
    return {
        "status": response.status,
        "content_type": response.getheader("content-type"),
        "body": base64.b64encode(payload).decode(),
    }


@contextlib.contextmanager
def twin():
    """The port of the application, which runs as long as this."""
    command = [sys.executable, "-B", "serve.py"]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=Path(__file__).parent, text=True, **pipes) as process:
        try:
            named = (re.search(r"running on http://[0-9.]+:([0-9]+)", line) for line in process.stderr)
            port = int(next(filter(None, named))[1])
            # What it prints of its own failures is read away, so that it never waits for us.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield port
        finally:
            process.kill()


def record(requests):
    with twin() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for request in requests:
            yield line(request) | {"answer": answer(connection, request)}
        connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("record", "requests"))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.what == "record":
        lines = record(cases.table() + mutations.random_requests(0))
    else:
        lines = map(line, mutations.random_requests(arguments.seed))
    for fields in lines:
        json.dump(fields, sys.stdout, separators=(",", ":"))
        print()


main()
