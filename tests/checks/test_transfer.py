"""Transfer: what one data set's probes read off another's texts, with planted directions that are shared or turned around."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from planted_copies import one_word_changed, sentences

from lit_probe.checks.seen_rows import SeenRows, seen_rows
from lit_probe.checks.transfer import Transfer, TransferGroups, transfer, transfer_table, transfer_within_groups
from lit_probe.data import split_texts
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import ProbeError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.scores.decision import Decision
from lit_probe.scores.metrics import score_layers

SHARED, TURNED, ABSENT = 1, 2, 3


def planted_study(tiny_folder, name, *, sign=1, seed=0, label_names=("negative", "positive"), fingerprint="same", share=0.5):
    """Layer 1 holds the label in the same direction in every study, layer 2 in a direction times ``sign``, layer 3 nowhere."""
    n = 400
    labels = ["positive" if i < share * n else "negative" for i in range(n)]
    splits = split_texts(sentences(n, seed=zlib.crc32(name.encode())), labels, name=name)
    splits = replace(splits, **{split: replace(rows, label_names=label_names) for split, rows in splits.items()})
    rng = np.random.default_rng(seed)
    activations = {}
    for split, rows in splits.items():
        values = rng.normal(size=(len(rows), 4, 8)).astype(np.float32)
        side = np.where(rows.labels == 1, 2.5, -2.5)
        values[:, SHARED, 0] += side
        values[:, TURNED, 0] += sign * side
        activations[split] = Activations.from_array(values, fingerprint=fingerprint)
    layerwise = LayerwiseProbe.fit(activations["train"], splits.train.labels, splits.label_names)
    return LayerStudy(load_encoder(str(tiny_folder())), splits, activations, layerwise, seed=0)


@pytest.fixture(scope="module")
def studies(tiny_folder):
    return [planted_study(tiny_folder, "films"), planted_study(tiny_folder, "books", sign=-1, seed=1)]


def test_a_shared_direction_transfers_a_turned_one_inverts_and_noise_does_neither(studies):
    result = transfer(studies)
    assert (result.train, result.test, result.metric) == (("films", "books"), ("films", "books"), "accuracy")
    layers = {layer.layer: layer for layer in result.layers}
    for here, there in ((0, 1), (1, 0)):
        assert layers[SHARED].low[here][there] > 0.9
        assert layers[TURNED].high[here][there] < 0.1
        assert layers[TURNED].low[here][here] > 0.9, "on its own data set the turned direction is found"
        assert layers[ABSENT].low[here][there] < 0.5 < layers[ABSENT].high[here][there]


def test_the_diagonal_holds_the_studies_own_scores(studies):
    result = transfer(studies)
    for column, study in enumerate(studies):
        dev = study.splits.dev
        scores = score_layers(study.headline, study.probabilities("dev"), dev.labels, dev.groups, study.seed)
        assert [layer.scores[column][column] for layer in result.layers] == [score.value for score in scores]
        assert [layer.high[column][column] for layer in result.layers] == [score.high for score in scores]
        assert result.n[column][column] == len(dev)
        assert result.left_out[column][column] == 0


def test_rows_are_train_sets_and_columns_dev_sets(studies):
    films, books = studies
    by_hand = films.layerwise.predict_proba(books.activations["dev"])[:, TURNED].argmax(axis=1) == books.splits.dev.labels
    assert transfer(studies).layers[TURNED].scores[0][1] == pytest.approx(by_hand.mean())


def with_dev(study, **changes):
    """The study with other dev rows of the same activations."""
    splits = replace(study.splits, dev=replace(study.splits.dev, **changes))
    return LayerStudy(study.encoder, splits, study.activations, study.layerwise, seed=0)


def test_dev_texts_that_the_other_probes_were_trained_on_are_left_out_and_so_are_their_near_copies(studies):
    films, books = studies
    # Ten of the books' dev texts stand in the films' train rows, five in capitals and five with a word changed.
    seen = [text.upper() for text in films.splits.train.texts[:5]]
    seen += [one_word_changed(text, np.random.default_rng(0)) for text in films.splits.train.texts[5:10]]
    overlapping = with_dev(books, texts=(*seen, *books.splits.dev.texts[10:]))
    dev = overlapping.splits.dev
    result = transfer([films, overlapping])
    assert result.left_out == ((0, 10), (0, 0))
    assert result.n == ((len(films.splits.dev), len(dev) - 10), (len(films.splits.dev), len(dev)))
    assert result.notes == (
        "films → books: 10 of 60 rows are left out, known from train rows of films; exact copies: 5; near copies: 5 "
        "(5 with at least 70% of the words in common).",
    )
    rest = books.splits.dev.select(range(10, len(dev)))
    probabilities = films.layerwise.predict_proba(books.activations["dev"])
    scores = score_layers("accuracy", probabilities[10:], rest.labels)
    assert [layer.scores[0][1] for layer in result.layers] == [score.value for score in scores]
    whole = score_layers("accuracy", probabilities, dev.labels)
    assert [layer.with_left_out[0][1] for layer in result.layers] == [score.value for score in whole]
    assert all(layer.with_left_out[1] == layer.scores[1] for layer in result.layers)


def learnt_by_heart(films, books, n_copies):
    """The books' dev rows, of which the first are the films' train rows with one word changed in each.

    Their activations are those of the train rows but for a little noise, at a layer that tells every text from every other and
    holds no label: the films' probes know the answers by heart. The other rows tell them nothing.
    """
    rng = np.random.default_rng(0)
    train, dev = films.splits.train, books.splits.dev
    edited = [one_word_changed(text, rng) for text in train.texts[:n_copies]]
    by_text = {split: rng.normal(size=(len(rows), 4, 400)).astype(np.float32) for split, rows in films.splits.items()}
    for_dev = rng.normal(size=(len(dev), 4, 400)).astype(np.float32)
    for_dev[:n_copies] = by_text["train"][:n_copies] + rng.normal(scale=0.1, size=(n_copies, 4, 400))
    layerwise = LayerwiseProbe.fit(Activations.from_array(by_text["train"], fingerprint="same"), train.labels, train.label_names)
    of_films = {split: Activations.from_array(values, fingerprint="same") for split, values in by_text.items()}
    labels = np.concatenate([train.labels[:n_copies], dev.labels[n_copies:]])
    splits = replace(books.splits, dev=replace(dev, texts=(*edited, *dev.texts[n_copies:]), labels=labels))
    of_books = {**of_films, "dev": Activations.from_array(for_dev, fingerprint="same")}
    return (
        LayerStudy(films.encoder, films.splits, of_films, layerwise, seed=0),
        LayerStudy(books.encoder, splits, of_books, layerwise, seed=0),
    )


def test_what_probes_know_by_heart_does_not_count_as_transfer(studies):
    """One word changed in 30 of 60 rows: .65 to .73 by layer when all were scored, now .47 to .57, what the other 30 give."""
    films, books = learnt_by_heart(*studies, n_copies=30)
    result = transfer([films, books])
    fresh = films.layerwise.predict_proba(books.activations["dev"])[30:].argmax(axis=-1) == books.splits.dev.labels[30:, None]
    for layer in result.layers:
        assert layer.scores[0][1] == pytest.approx(fresh[:, layer.layer].mean())
        assert layer.low[0][1] < 0.5 < layer.high[0][1]
        assert layer.with_left_out[0][1] > layer.scores[0][1] + 0.1
    assert result.left_out[0][1] == 30


def test_where_every_row_is_a_near_copy_nothing_is_scored_and_the_reader_is_told(studies):
    """One word changed in each of 60 rows: .85 to .92 by layer before, now no score."""
    films, books = learnt_by_heart(*studies, n_copies=60)
    result = transfer([films, books])
    assert [layer.scores[0][1] for layer in result.layers] == [None] * 4
    assert [layer.reasons[0][1] for layer in result.layers] == ["no rows"] * 4
    assert all(layer.with_left_out[0][1] > 0.8 for layer in result.layers)
    assert result.notes[0].startswith("films → books: 60 of 60 rows are left out")
    assert result.notes[0].endswith("Nothing is left to be scored.")


def grouped(study, word, train, dev):
    """The study with groups: what they are called, and who wrote each row of train and dev."""
    splits = study.splits
    named = {"train": np.array(train), "dev": np.array(dev), "test": np.array(["nobody"] * len(splits.test))}
    parts = {name: replace(rows, groups=named[name]) for name, rows in splits.items()}
    made = replace(splits, **parts, provenance={**splits.provenance, "groups": word})
    return LayerStudy(study.encoder, made, study.activations, study.layerwise, seed=0)


def writers(study, first, name="writer {}"):
    """Groups for train and dev, from a number on: four rows each."""
    return ([name.format(first + row // 4) for row in range(len(rows))] for rows in (study.splits.train, study.splits.dev))


@pytest.mark.parametrize(
    ("words", "name", "n_left_out"),
    [
        (("author", "author"), "writer {}", 20),
        (("author", "film"), "writer {}", 0),
        (("group", "group"), "writer {}", 20),
        # Numbers are each data set's own, whatever the column is called and however they are written.
        (("author", "author"), "{}", 0),
        (("group", "group"), "{}", 0),
        (("pair_id", "pair_id"), "#{:03}", 0),
        (("pair_id", "pair_id"), "{}.0", 0),
        (("pair_id", "pair_id"), "12-{}", 0),
        (("author", None), "writer {}", 0),
    ],
)
def test_rows_of_a_group_that_the_probes_were_trained_on_are_left_out(studies, words, name, n_left_out):
    films = grouped(studies[0], words[0], *writers(studies[0], 0, name))
    _, dev = writers(studies[1], 1_000, name)
    # Five writers of the books' dev rows have written films' train rows, too, one of them with a capital.
    dev[:20] = [name.format(row // 4) for row in range(20)]
    dev[0] = dev[0].title()
    train, _ = writers(studies[1], 2_000, name)
    books = grouped(studies[1], words[1], train, dev)
    result = transfer([films, books])
    assert result.left_out == ((0, n_left_out), (0, 0))
    if n_left_out:
        known = f"known from train rows of films; others whose {words[0]} stands there too: 20."
        assert result.notes == (f"films → books: 20 of 60 rows are left out, {known}",)


def test_rows_of_pairs_that_two_data_sets_both_count_from_one_are_all_scored():
    """None of 36 dev rows is left out; before, those of all pairs that had a number of a train pair: 24."""
    made = []
    for seed in (1, 2):
        pairs = [str(1 + row // 2) for row in range(240)]
        splits = split_texts(sentences(240, seed), ["bad", "good"] * 120, pairs)
        made.append(replace(splits, provenance={**splits.provenance, "groups": "pair_id"}))
    assert seen_rows(made[1].dev, made[1], made[0]) == SeenRows({}, (), "pair_id")


def by_authors(seed, authors, *, joined_by=()):
    """Six texts by each author; each of ``joined_by`` has written one of them together with one of the authors."""
    texts = sentences(6 * len(authors), seed)
    names = [author for author in authors for _ in range(6)]
    texts += [texts[6 * number] for number in range(len(joined_by))]
    labels = ["bad", "good"] * (3 * len(authors)) + ["bad"] * len(joined_by)
    return split_texts(texts, labels, [*names, *joined_by], max_examples=0)


def test_an_author_is_known_whatever_name_a_division_gives_to_authors_with_texts_in_common():
    """Each author has a text in common with somebody whose name comes first: before, 0 of 36 dev rows were known."""
    authors = [f"g{number:02}" for number in range(40)]
    trained = by_authors(1, authors)
    of = by_authors(2, authors, joined_by=[f"a{number:02}" for number in range(40)])
    known = {str(name) for name in trained.train.groups}
    expected = [row for row, own in enumerate(of.dev.own_groups) if str(own).replace("a", "g") in known]
    assert 0 < len(expected) < len(of.dev)
    assert seen_rows(of.dev, of, trained).groups == tuple(expected)
    # And the other way round: it is train where authors were joined.
    known = {str(own) for own in of.train.own_groups}
    expected = [row for row, own in enumerate(trained.dev.groups) if str(own) in known]
    assert 0 < len(expected) < len(trained.dev)
    assert seen_rows(trained.dev, trained, of).groups == tuple(expected)


def test_rows_without_a_group_are_known_only_where_their_text_is_an_authors():
    trained = by_authors(1, ["g0", "g1", "g2", "g3", *(f"h{number}" for number in range(8))])
    texts = sentences(120, 5)
    of = split_texts(texts, ["bad", "good"] * 60, ["g0", *[None] * 119], max_examples=0)
    for _, rows in of.items():
        seen = seen_rows(rows, of, trained)
        in_train = "g0" in trained.train.groups
        assert [str(rows.own_groups[row]) for row in seen.groups] == (["g0"] if in_train and "g0" in rows.own_groups else [])


def test_one_imbalanced_data_set_makes_every_cell_balanced_accuracy(tiny_folder, studies):
    rare = planted_study(tiny_folder, "rare", seed=2, share=0.2)
    assert (rare.headline, studies[0].headline) == ("balanced_accuracy", "accuracy")
    result = transfer([studies[0], rare])
    assert result.metric == "balanced_accuracy"
    assert "show balanced accuracy" in result.notes[0]
    dev = studies[0].splits.dev
    # Each probe is decided beside the shares of its own train rows, the balanced data set's too: one rule in one table.
    own = Decision.by("prior", studies[0].splits.train.labels, 2)
    scores = score_layers("balanced_accuracy", studies[0].probabilities("dev"), dev.labels, dev.groups, decision=own)
    assert [layer.scores[0][0] for layer in result.layers] == [score.value for score in scores]
    assert transfer(studies).notes == ()


def test_the_result_is_json_with_finite_numbers(studies):
    result = transfer(studies)
    assert Transfer.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


@pytest.mark.parametrize(
    ("difference", "message"),
    [
        (
            {"label_names": ("bad", "good")},
            "between films and other: the classes of one are negative, positive, of the other bad",
        ),
        ({"fingerprint": "other"}, "the encoders tiny-bert and tiny-bert differ, or how they read texts does"),
    ],
)
def test_studies_that_cannot_be_compared_are_refused(tiny_folder, studies, difference, message):
    with pytest.raises(ProbeError, match=message):
        transfer([studies[0], planted_study(tiny_folder, "other", **difference)])


def test_another_pooling_is_refused_and_so_is_a_single_data_set(tiny_folder, studies):
    splits = studies[0].splits
    encoder = load_encoder(str(tiny_folder()))
    by_pooling = [probe_layers(encoder, splits, pooling=pooling, probe="majority") for pooling in ("mean", "max")]
    with pytest.raises(ProbeError, match="one is pooled by mean, the other by max"):
        transfer(by_pooling)
    with pytest.raises(ProbeError, match="two or more data sets"):
        transfer(studies[:1])


def test_three_data_sets_give_nine_cells(tiny_folder, studies):
    result = transfer([*studies, planted_study(tiny_folder, "songs", seed=3)])
    assert np.array(result.layers[0].scores).shape == (3, 3)
    assert np.array(result.n).shape == (3, 3)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
def test_whatever_the_order_transfer_is_measured_among_those_with_the_same_classes(tiny_folder, studies, order):
    other = planted_study(tiny_folder, "other", label_names=("bad", "good"))
    every = [*studies, other]
    result = transfer_within_groups([every[index] for index in order])
    assert result.groups == (transfer(studies),)
    [note] = result.notes
    assert note.startswith("other stands alone: there is no transfer between other and films, because the classes of one are bad")


def test_two_groups_get_a_table_each_and_one_study_alone_gets_nothing(tiny_folder, studies):
    others = [planted_study(tiny_folder, name, label_names=("bad", "good")) for name in ("songs", "plays")]
    result = transfer_within_groups([studies[0], others[0], studies[1], others[1]])
    assert [group.train for group in result.groups] == [("films", "books"), ("songs", "plays")]
    assert result.notes == ()
    assert transfer_within_groups(studies[:1]) == TransferGroups((), ())


def test_a_group_that_cannot_be_computed_says_why_and_the_others_go_on(tiny_folder, studies):
    broken = [planted_study(tiny_folder, name, label_names=("bad", "good")) for name in ("songs", "plays")]
    # An encoder with one layer less than the probes know.
    thin = Activations.from_array(broken[0].activations["dev"].values[:, :3], fingerprint="same")
    broken[0].activations = {**broken[0].activations, "dev": thin}
    result = transfer_within_groups([*studies, *broken])
    assert result.groups[0] == transfer(studies)
    assert result.groups[1].datasets == ("songs", "plays") and "layer" in result.groups[1].error
    assert TransferGroups.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result
    assert f"Transfer between songs, plays: {result.groups[1].error}" in transfer_table(result)


def test_the_table_shows_the_score_with_the_rows_that_are_left_out_in_brackets(studies):
    films, books = studies
    overlapping = with_dev(books, texts=(*films.splits.train.texts[:10], *books.splits.dev.texts[10:]))
    result = transfer_within_groups([films, overlapping])
    text = transfer_table(result)
    [group] = result.groups
    assert group.left_out == ((0, 10), (0, 0))
    for layer, line in zip(group.layers, text.splitlines()[2:6], strict=True):
        assert f"{layer.scores[0][1]:.3f} ({layer.with_left_out[0][1]:.3f})" in line
        assert line.count("(") == 1
    assert "In brackets: with the rows that are left out." in text.splitlines()
    assert len({len(line) for line in text.splitlines()[1:6]}) == 1


def test_the_table_has_a_line_per_layer_a_column_per_pair_and_marks_what_is_doubtful(studies):
    films = studies[0]
    few = replace(films.splits, name="few", dev=films.splits.dev.select(range(20)))
    values = Activations.from_array(films.activations["dev"].values[:20], fingerprint="same")
    result = transfer_within_groups(
        [films, LayerStudy(films.encoder, few, {**films.activations, "dev": values}, films.layerwise, 0)]
    )
    title, head, *lines, doubt = transfer_table(result).splitlines()
    assert title.startswith("Transfer, accuracy on dev")
    assert head.split("  ")[1:] == ["films -> films", "films -> few", "few -> films", "few -> few"]
    scores = result.groups[0].layers[SHARED].scores
    (own, to_few), (from_few, few_own) = scores
    assert lines[SHARED].split() == ["1", f"{own:.3f}", f"{to_few:.3f}*", f"{from_few:.3f}", f"{few_own:.3f}*"]
    assert len(lines) == 4 and doubt == "* Not to be relied on: only 20 rows (fewer than 30)."
