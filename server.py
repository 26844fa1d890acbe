"""Starts LIT on lit_probe's flags (`python server.py --model=… --datasets=…`), or hands gunicorn its WSGI application.

gunicorn --threads 32 --workers 1 'server:get_wsgi_app(["--datasets=demo"])'
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from lit_probe import cli


def get_wsgi_app(flags: Sequence[str] = ()) -> Callable[..., Any]:
    """The WSGI application for the given flags, as for `lit-probe serve`."""
    return cli.get_wsgi_app(flags)


if __name__ == "__main__":
    sys.exit(cli.main([sys.argv[0], "serve", *sys.argv[1:]]))
