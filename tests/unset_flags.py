"""The command line as a new process finds it: flags are global, and what one test sets another would read."""

from lit_probe.flags import FLAGS


def unset_flags() -> None:
    """Every flag has its default again, and none is parsed."""
    FLAGS.unparse_flags()
    for name in set(FLAGS) - {"h"}:
        FLAGS[name].unparse()
