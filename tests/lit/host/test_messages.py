import pytest

from lit_probe.errors import EncoderError, LitProbeError
from lit_probe.lit.host.messages import MAX_MESSAGE, failure, is_end_of_program, plain_message


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("[Errno 2] No such file: '/home/me/a b/c.csv'", "[Errno 2] No such file: [path]"),
        ("see /tmp/x/y.py, line 3", "see [path], line 3"),
        ("(~/models/bert)", "([path])"),
        (r"in C:\Users\me\x.csv now", "in [path] now"),
        ("file:///etc/passwd", "[path]"),
        ("https://huggingface.co/bert/tree stays", "https://huggingface.co/bert/tree stays"),
        ("train/dev/test and 1/2 stay", "train/dev/test and 1/2 stay"),
        ("'/get_preds' stays", "'/get_preds' stays"),
        ("two\nlines\t here", "two lines here"),
    ],
)
def test_paths_are_taken_out_of_messages_and_nothing_else(message, shown):
    assert plain_message(message) == shown


def test_html_is_disarmed_and_a_long_message_is_cut():
    assert plain_message("<img src=x>") == "‹img src=x›"
    assert len(plain_message("x" * 100_000)) < MAX_MESSAGE + 10


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            EncoderError(
                "The weights of '/models/my bert' cannot be loaded: Error while deserializing header: incomplete metadata, "
                "file not fully covered"
            ),
            "The weights of [path] cannot be loaded: the file is incomplete. "
            "Repair the checkpoint or download it again, then start again.",
        ),
        (
            EncoderError("The weights of 'bert' cannot be loaded: Error while deserializing header: header too small"),
            "The weights of 'bert' cannot be loaded: the file is damaged. "
            "Repair the checkpoint or download it again, then start again.",
        ),
        (
            EncoderError(
                "The weights of 'mine' have changed since it was given to lit_probe; give it again to read the new ones."
            ),
            "The weights of 'mine' have changed since it was given to lit_probe; give it again to read the new ones. "
            "Once this is mended, start again.",
        ),
        (
            LitProbeError("The device 'cuda' was asked for, but there is none. Use the device cpu."),
            "The device 'cuda' was asked for, but there is none. Use the device cpu. Once this is mended, start again.",
        ),
        (
            EncoderError("The tokenizer of 'gpt2' puts nothing between the two texts of a pair. Join the two columns."),
            "The tokenizer of 'gpt2' puts nothing between the two texts of a pair. Join the two columns. Once this is mended, "
            "start again.",
        ),
        (MemoryError("/a/b"), "MemoryError (the log says more). Start again to retry."),
    ],
)
def test_a_failure_says_what_is_wrong_and_what_to_do_without_paths(error, told):
    assert failure("The probes could not be computed", error) == f"The probes could not be computed: {told}"


def test_a_refused_thread_is_the_end_of_the_program_also_where_it_made_an_error_of_ours():
    refused = RuntimeError("cannot schedule new futures after interpreter shutdown")
    ours = LitProbeError("The weights cannot be loaded.")
    ours.__cause__ = refused
    assert is_end_of_program(refused) and is_end_of_program(ours)
    assert not is_end_of_program(LitProbeError("interpreter shutdown")) and not is_end_of_program(RuntimeError("no memory"))
