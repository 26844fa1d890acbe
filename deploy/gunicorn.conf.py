"""gunicorn --config deploy/gunicorn.conf.py 'server:get_wsgi_app(["--datasets=demo"])', behind a proxy that buffers.

The token comes from LIT_PROBE_TOKEN. Flags of the address (--host, --port) are gunicorn's here: bind.
"""

import os

bind = "127.0.0.1:5432"
# One: each worker would load the encoders anew and know nothing of what another one computes.
workers = 1
worker_class = "gthread"
threads = 32
# Studies and panels are computed beside the requests, which are short; loading LIT takes longer than the usual 30 s.
timeout = 120
graceful_timeout = 5
keepalive = 15
# What the first visit has in its address is the token.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(B)s %(D)s'


def worker_exit(server, worker):
    """Ends the worker without waiting for a thread in the middle of a forward pass."""
    os._exit(0)
