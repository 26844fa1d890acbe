"""The registry of data sets: names, the --datasets flag, and a quick import."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lit_probe.data import DATASETS, load_dataset, parse_dataset_flag
from lit_probe.errors import DatasetError, UnknownNameError


def test_the_names_are_those_of_the_documentation():
    _, table = (Path(__file__).parents[2] / "README.md").read_text("utf-8").split("| `--datasets` | what it reads |\n")
    first_cells = (row.split("|")[1] for row in table.split("\n\n")[0].splitlines()[1:])
    assert [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)] == list(DATASETS)


def test_names_that_people_use_stay():
    assert {"demo", "sst2", "sst2_sentences", "imdb", "csv", "tsv", "jsonl"} <= set(DATASETS)


@pytest.mark.parametrize("call", [load_dataset, parse_dataset_flag])
def test_an_unknown_name_lists_the_choices(call):
    with pytest.raises(UnknownNameError, match=f"Unknown data set 'sst3'. Choose one of: {', '.join(sorted(DATASETS))}"):
        call("sst3")


@pytest.mark.parametrize(
    ("flag", "wanted"),
    [
        ("demo", [("demo", None)]),
        ("sst2=../data/sst2, imdb ,csv = a b.csv", [("sst2", "../data/sst2"), ("imdb", None), ("csv", "a b.csv")]),
        ("csv=a=b.csv,csv=c.csv", [("csv", "a=b.csv"), ("csv", "c.csv")]),
    ],
)
def test_the_flag_names_data_sets_with_or_without_a_path(flag, wanted):
    assert parse_dataset_flag(flag) == [(*one, {}) for one in wanted]


@pytest.mark.parametrize(
    "flag", ["sst2=folder[text=x]", "imdb=folder[label=y]", "demo=x[group=z]", "demo[label=x]", "csv=a,sst2 [text=x]"]
)
def test_columns_of_a_source_that_knows_its_own_are_refused(flag):
    with pytest.raises(DatasetError, match=r"does not use the option \w+_column, only csv, tsv, jsonl, hub(, conllu, conll)? do"):
        parse_dataset_flag(flag)


def test_columns_of_one_file_stand_in_brackets_after_it():
    flag = "csv=a.csv[text=review, label=stars],demo,tsv=b.tsv[group=author]"
    assert [tuple(one) for one in parse_dataset_flag(flag)] == [
        ("csv", "a.csv", {"text_column": "review", "label_column": "stars"}),
        ("demo", None, {}),
        ("tsv", "b.tsv", {"group_column": "author"}),
    ]
    with pytest.raises(DatasetError, match=r"\[txt=review\] says 'txt'. In brackets stand options of that data set: text=…"):
        parse_dataset_flag("csv=a.csv[txt=review]")


def test_a_comma_or_brackets_in_the_name_of_a_file_that_is_there_are_part_of_it(tmp_path):
    for name in ("reviews, 2024, new.csv", "a[1].csv", "a[text=x]"):
        (tmp_path / name).write_text("text,label\na,1\n")
    comma, brackets, odd = (f"csv={tmp_path / name}" for name in ("reviews, 2024, new.csv", "a[1].csv", "a[text=x]"))
    assert [one.source for one in parse_dataset_flag(f"demo,{comma},sst2,{brackets}")] == [
        None,
        str(tmp_path / "reviews, 2024, new.csv"),
        None,
        str(tmp_path / "a[1].csv"),
    ]
    assert tuple(*parse_dataset_flag(f"{comma}[text=review]")) == (
        "csv",
        str(tmp_path / "reviews, 2024, new.csv"),
        {"text_column": "review"},
    )
    assert tuple(*parse_dataset_flag(odd)) == ("csv", str(tmp_path / "a[text=x]"), {})


def test_two_tables_with_other_columns_are_read_by_one_flag(tmp_path):
    from lit_probe import flags

    rows = [f"a text of its own {i},{i % 2}" for i in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["review,stars", *rows]))
    (tmp_path / "b.csv").write_text("\n".join(["sentence,label", *rows]))
    both = f"csv={tmp_path / 'a.csv'}[text=review,label=stars],csv={tmp_path / 'b.csv'}[text=sentence]"
    flags.FLAGS(["lit-probe", f"--datasets={both}", "--text_column=text", "--label_column=label"])
    assert [splits.name for splits in flags.load_splits()] == ["a", "b"]
    flags.FLAGS.unparse_flags()


@pytest.mark.parametrize(("flag", "error"), [("", UnknownNameError), ("demo,", UnknownNameError), ("csv=", DatasetError)])
def test_a_flag_with_a_gap_is_refused(flag, error):
    with pytest.raises(error):
        parse_dataset_flag(flag)


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100])
@pytest.mark.parametrize(("name", "file"), [("csv", "train.csv"), ("sst2", "train.tsv"), ("imdb", "train/pos/0_9.txt")])
def test_a_folder_that_may_not_be_read_is_refused(guarded_folder, closed, name, file, mode):
    path = guarded_folder / "copy" / file
    path.parent.mkdir(parents=True)
    path.write_text("text,label\na,1\n")
    folder = guarded_folder / "copy"
    # The folder of reviews is reached by name, so that it is that folder which has to be listed.
    with closed(path.parent if name == "imdb" else folder, mode), pytest.raises(DatasetError, match=r"cannot be read .*denied"):
        load_dataset(name, str(folder))


def test_a_folder_in_the_way_to_the_reviews_that_may_not_be_read_is_refused(guarded_folder, closed):
    (guarded_folder / "copy" / "train" / "pos").mkdir(parents=True)
    with closed(guarded_folder / "copy" / "train"), pytest.raises(DatasetError, match=r"cannot be read .*denied"):
        load_dataset("imdb", str(guarded_folder / "copy"))


@pytest.mark.parametrize("name", ["csv", "sst2", "imdb"])
@pytest.mark.parametrize("source", ["/dev/null", "x" * 300])
def test_a_source_that_is_no_file_is_refused_by_every_loader(name, source):
    with pytest.raises(DatasetError, match=source):
        load_dataset(name, source)


def test_loading_the_demo_imports_no_heavy_library():
    code = (
        "import sys; from lit_probe.data import load_dataset; load_dataset('demo');"
        "print([m for m in ('torch', 'pandas', 'datasets', 'sklearn', 'pyarrow', 'lit_nlp') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
