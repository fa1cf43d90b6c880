"""The twin under uvicorn, on a port that the system chooses and that it names on standard error.

It ends with its standard input, so that it never outlives who started it, whatever becomes of them.
"""

import os
import sys
import threading

import uvicorn


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
uvicorn.run("app:app", port=0, access_log=False)
