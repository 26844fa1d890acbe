"""An option that a data set does not use is refused, wherever it is given: it would change nothing, without a word."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from lit_probe import flags
from lit_probe.cli import main
from lit_probe.data import (
    DATASETS,
    DatasetOptions,
    Source,
    load_dataset,
    parse_dataset_flag,
    refuse_unused,
    sources_that_use,
    split_table,
)
from lit_probe.data.demo import load_demo
from lit_probe.data.options import word_in_brackets
from lit_probe.errors import DatasetError

VALUES = {
    "text_column": "body",
    "label_column": "stars",
    "group_column": "author",
    "missing": ("?",),
    "target": "number",
    "data_config": "plain",
    "data_revision": "v2",
    "max_words": 100,
    "multilabel": True,
    "annotate": "regex:^[A-Z,]|x{1,2}",
}
PAIRS = [(name, option) for name in DATASETS for option in VALUES]
USED = [(name, option) for name, option in PAIRS if option in DATASETS[name].uses]
UNUSED = [(name, option) for name, option in PAIRS if option not in DATASETS[name].uses]


@pytest.fixture(autouse=True)
def no_flags():
    yield
    flags.FLAGS.unparse_flags()


def words_for(name: str, option: str, written: str) -> str:
    return re.escape(f"The data set {name} does not use {written}, only {', '.join(sources_that_use(option))} do")


def as_flag(option: str) -> str:
    value = VALUES[option]
    return f"--{option}={','.join(value) if isinstance(value, tuple) else value}"


def test_these_are_all_the_options_there_are_and_each_is_used_by_somebody():
    everywhere = {"max_examples", "seed"}
    assert {field.name for field in dataclasses.fields(DatasetOptions)} - everywhere == set(VALUES)
    assert all(set(source.uses) <= set(VALUES) for source in DATASETS.values())
    assert all(sources_that_use(option) for option in VALUES)
    assert len({word_in_brackets(option) for option in VALUES}) == len(VALUES)
    assert set(VALUES) <= set(flags.FLAGS)


@pytest.mark.parametrize(("name", "option"), UNUSED)
def test_an_unused_option_is_refused_in_python(name, option):
    with pytest.raises(DatasetError, match=words_for(name, option, f"the option {option}")):
        load_dataset(name, "nowhere", DatasetOptions(**{option: VALUES[option]}))


@pytest.mark.parametrize(("name", "option"), UNUSED)
def test_an_unused_flag_is_refused_on_the_command_line(name, option, capsys):
    assert main(["lit-probe", "layers", f"--datasets={name}", as_flag(option)]) == 1
    assert re.search(words_for(name, option, f"--{option}"), capsys.readouterr().err)


@pytest.mark.parametrize(("name", "option"), UNUSED)
def test_an_unused_option_is_refused_in_brackets(name, option):
    value = np.atleast_1d(VALUES[option])[0]
    for path in ("", "=nowhere"):
        with pytest.raises(DatasetError, match=words_for(name, option, f"the option {option}")):
            parse_dataset_flag(f"{name}{path}[{word_in_brackets(option)}={value}]")


@pytest.mark.parametrize(("name", "option"), USED)
def test_a_used_option_reaches_its_loader_from_everywhere(name, option, monkeypatch):
    reached = []

    def load(source, options):
        reached.append(getattr(options, option))
        return load_demo(None, DatasetOptions(max_examples=50))

    monkeypatch.setitem(DATASETS, name, Source(load, DATASETS[name].uses))
    load_dataset(name, "nowhere", DatasetOptions(**{option: VALUES[option]}))
    value = np.atleast_1d(VALUES[option])[0]
    for given in (
        [f"--datasets={name}=nowhere", as_flag(option)],
        [f"--datasets={name}=nowhere[{word_in_brackets(option)}={value}]"],
    ):
        flags.FLAGS.unparse_flags()
        flags.FLAGS(["lit-probe", *given])
        flags.load_splits()
    assert reached == [VALUES[option]] * 3


def test_a_flag_has_to_fit_every_data_set_and_brackets_name_it_for_one(tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("body,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(40)))
    for named in (f"demo,csv={table}", f"csv={table},demo"):
        assert main(["lit-probe", "layers", f"--datasets={named}", "--text_column=body"]) == 1
        said = capsys.readouterr().err
        assert "The data set demo does not use --text_column" in said
        assert "write it in the brackets of the one it is for: csv=…[text=…]" in said
    flags.FLAGS.unparse_flags()
    flags.FLAGS(["lit-probe", f"--datasets=demo,csv={table}[text=body]"])
    assert [splits.name for splits in flags.load_splits()] == ["demo", "t"]


def test_a_flag_that_says_what_is_usual_is_refused_all_the_same(capsys):
    assert main(["lit-probe", "layers", "--datasets=demo", "--label_column=label"]) == 1
    assert "The data set demo does not use --label_column" in capsys.readouterr().err


def test_nothing_is_loaded_before_all_flags_are_known_to_fit(capsys):
    assert main(["lit-probe", "layers", "--datasets=csv=nowhere.csv,imdb", "--group_column=author"]) == 1
    assert "The data set imdb does not use --group_column" in capsys.readouterr().err


def test_max_examples_and_seed_are_used_by_all():
    for name in DATASETS:
        refuse_unused(name, DatasetOptions(max_examples=7, seed=3).given())


def test_a_table_in_memory_uses_no_option_of_the_hub_and_has_no_other_source():
    table = {"text": [f"text {i}" for i in range(40)], "label": [0, 1] * 20}
    for option in ("data_config", "data_revision"):
        with pytest.raises(DatasetError, match=f"A table in memory does not use the option {option}"):
            split_table(table, DatasetOptions(**{option: "x"}))
    with pytest.raises(DatasetError, match=r"has no other source: leave 'a.csv' out"):
        load_dataset(table, "a.csv")


def test_missing_stands_in_brackets_once_for_each_word_and_the_others_once():
    [one] = parse_dataset_flag("csv=a.csv[missing=?,label=stars,missing=none]")
    assert one.options == {"missing": ("?", "none"), "label_column": "stars"}
    with pytest.raises(DatasetError, match=r"\[text=a,text=b\] names 'text' twice. Name it once"):
        parse_dataset_flag("csv=a.csv[text=a,text=b]")


@pytest.mark.parametrize("flag", ["csv=a.csv[text=]", "csv=a.csv[]", "csv=a.csv[=x]", "csv=a.csv[text]", "hub=a/b[split=train]"])
def test_brackets_of_something_else_say_what_stands_there(flag):
    options = "text=…, label=…, group=…, missing=…, target=…, annotate=…, multilabel=…, max_words=…, config=…, revision=…"
    words = f"In brackets stand options of that data set: {options}"
    with pytest.raises(DatasetError, match=words):
        parse_dataset_flag(flag)


def test_the_help_says_which_data_sets_use_a_flag():
    listing = flags.help_text("")
    for option in VALUES:
        [line] = [line for line in listing.splitlines() if line.startswith(f"  --{option} ")]
        assert f"Used by {', '.join(sources_that_use(option))}." in line
