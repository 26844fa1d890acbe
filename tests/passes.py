"""What a pass gives that goes on from one place with other numbers."""

from types import SimpleNamespace

from lit_probe.encoder.layer_calls import run_from
from lit_probe.encoder.thread import on_encoder_thread


def go_on(encoder, batch, place, states):
    """What stands at all places of the encoder, as ``hidden_states``, and the head's ``logits``."""
    found = {}

    def take(units_of, tensor):
        found.update({one: tensor[..., units].clone() for one, units in units_of.items()})

    logits = on_encoder_thread(run_from, encoder, place, states, batch, take)
    return SimpleNamespace(hidden_states=[found[one] for one in range(encoder.n_layers)], logits=logits)
