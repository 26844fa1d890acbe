"""How much of each token would reach what is read, were attention all there is: it knows no class and is no explanation.

Abnar & Zuidema 2020, https://aclanthology.org/2020.acl-main.385: attention is averaged over heads, half of every token stays what
it was, and the blocks are multiplied. What a token holds, what the feed-forward parts do and what is asked all have no part in
it; so it says nothing of why a class is predicted (Jain & Wallace 2019, https://aclanthology.org/N19-1357; Bastings & Filippova
2020, https://aclanthology.org/2020.blackboxnlp-1.14).
"""

from __future__ import annotations

from lit_probe.encoder.attention import attention_of_tokens
from lit_probe.encoder.attention_rollout import rollout_by_token
from lit_probe.salience.methods.perturbations import AskedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(text: AskedText, options: SalienceOptions) -> MethodScores:
    """What share of what is read comes from which token: of a probe up to its layer, of the model's own head through all blocks.

    Read is the token that the pooling, or the head, reads; of several the mean.

    Args:
      text: what is explained.
      options: none of them matters.

    Returns:
      ``[n_tokens]`` shares, 0..1, which add up to 1 together with those of special tokens; diagnostics ``blocks`` (how many there
      are up to there) and ``share_of_special_tokens`` (what comes from special tokens, which have no score).

    Raises:
      EncoderError: the model has no attention weights, the text has too many tokens for them, or it is not known which tokens
        are read.
    """
    forward = text.forward
    read = forward.read_tokens(text.encoded)
    shares = rollout_by_token(attention_of_tokens(forward.encoder, text.encoded), read)[forward.depth]
    special = float(shares[text.encoded.special].sum())
    return MethodScores(shares, {"blocks": forward.depth, "share_of_special_tokens": special})
