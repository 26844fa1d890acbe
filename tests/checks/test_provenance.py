"""The card: what is on it, that it gives the same numbers again, and that changed files are refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny_encoders
import torch
import transformers
from planted_studies import sentences
from test_cli import SIX, run, six_class_table

from lit_probe import cli, flags
from lit_probe.checks import control_task
from lit_probe.checks.battery import CHECKS, USUAL_CHECKS
from lit_probe.checks.provenance import card, check_against_card, flags_from_card, read_card
from lit_probe.data import load_dataset, split_texts
from lit_probe.data.function_words import function_words_hash
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.encoder import encoder_of, load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import probe_layers
from lit_probe.scores.metrics import METRICS

WORDS = (*SIX, *"the was and we saw it again today there with a friend".split())


@pytest.fixture(scope="module")
def first_run(tmp_path_factory) -> Path:
    """A folder with a tiny encoder, a table, and the results of one run with settings that are not the defaults."""
    folder = tmp_path_factory.mktemp("first")
    tiny_encoders.build(folder / "encoder", words=WORDS)
    table = six_class_table(folder / "feelings.csv")
    flags = [
        *(f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling", "--max_examples=100"),
        *("--pooling=max", "--max_length=12", "--keep=tail", "--seed=3", "--checks=calibration"),
    ]
    assert run("layers", f"--model={folder / 'encoder'}", *flags, f"--out={folder / 'out'}", "--cache_dir=") == 0
    return folder


@pytest.fixture
def place(first_run, tmp_path) -> Path:
    """A copy of it that a test may change, with results that name the copied files."""
    folder = Path(shutil.copytree(first_run, tmp_path / "copy"))
    written = folder / "out/layers.json"
    written.write_text(written.read_text().replace(str(first_run), str(folder)))
    return folder


def again(place: Path, *flags: str, source: str = "out/layers.json") -> int:
    return run("layers", f"--from={place / source}", f"--out={place / 'again'}", "--cache_dir=", *flags)


def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "layers.json").read_text())


def agree(first: Any, second: Any, where: str = "") -> None:
    """The same structure, and numbers that agree to 1e-6."""
    assert type(first) is type(second), where
    if isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key in first:
            agree(first[key], second[key], f"{where}/{key}")
    elif isinstance(first, list):
        assert len(first) == len(second), where
        for i, (a, b) in enumerate(zip(first, second, strict=True)):
            agree(a, b, f"{where}/{i}")
    elif isinstance(first, float):
        assert first == pytest.approx(second, abs=1e-6), where
    else:
        assert first == second, where


def test_a_run_from_its_own_results_gives_the_same_numbers(place):
    assert again(place) == 0
    agree(results(place / "out"), results(place / "again"))
    assert list(results(place / "again")["datasets"]["feelings"]["checks"]) == ["calibration"]
    assert results(place / "again")["datasets"]["feelings"]["layers"][1]["brier"] is not None
    assert results(place / "again")["pooling"] == "max"
    assert results(place / "again")["keep"] == "tail"


CHAT = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }} . {% endfor %}it was"


@pytest.mark.parametrize("flags", [["--template=a: {text}\\nIt\\twas"], ["--chat"], ["--chat", "--template=it was '{text}'"]])
def test_a_template_and_a_chat_come_back_from_the_card_and_others_are_refused(place, capsys, flags):
    (place / "encoder/chat_template.jinja").write_text(CHAT)
    data = [f"--datasets=csv={place / 'feelings.csv'}", "--text_column=review", "--label_column=feeling", "--checks=none"]
    read = ["layers", f"--model={place / 'encoder'}", *data, "--cache_dir="]
    assert run(*read, f"--out={place / 'plain'}") == 0
    assert run(*read, f"--out={place / 'out'}", *flags) == 0
    first, plain = results(place / "out"), results(place / "plain")
    assert ("chat" in first) == ("--chat" in flags) and not {"template", "chat"} & set(plain)
    if "--chat" not in flags:
        assert first["template"] == "a: {text}\nIt\twas"
    else:
        assert first["chat"] == f"user: {first.get('template', '{text}')} . it was"
    assert "Every text was read " in first["datasets"]["feelings"]["remarks"][0]
    assert [row["log_loss"] for row in first["datasets"]["feelings"]["layers"]] != [
        row["log_loss"] for row in plain["datasets"]["feelings"]["layers"]
    ]
    assert again(place) == 0
    agree(first, results(place / "again"))
    assert again(place, "--template={text} it is") == 1
    assert "on the card" in capsys.readouterr().err
    if "--chat" in flags:
        (place / "encoder/chat_template.jinja").write_text(CHAT.replace("it was", "it is"))
        assert again(place) == 1
        assert "chat is " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "written"),
    [
        (["--regularisation=0.05", "--class_weight=balanced"], {"regularisation": 0.05, "class_weight": "balanced"}),
        (["--probe=mlp", "--hidden_units=8-4", "--max_epochs=20"], {"hidden_units": [8, 4], "max_epochs": 20}),
        (["--regularisation=cv", "--class_weight=none"], None),
    ],
)
def test_options_of_probes_come_back_from_the_card_and_others_are_refused(place, capsys, flags, written):
    data = [f"--datasets=csv={place / 'feelings.csv'}", "--text_column=review", "--label_column=feeling", "--checks=none"]
    read = ["layers", f"--model={place / 'encoder'}", *data, "--cache_dir="]
    assert run(*read, f"--out={place / 'out'}", *flags) == 0
    first = results(place / "out")
    assert first.get("probe_options") == written
    assert again(place) == 0
    agree(first, results(place / "again"))
    other = "--batch_size=7" if "--probe=mlp" in flags else "--regularisation=0.5"
    assert again(place, other) == 1
    assert f"{other[2:].replace('=', ' is ')}, " in capsys.readouterr().err
    first["probe_options"] = {"regularisation": "strong"}
    (place / "out/layers.json").write_text(json.dumps(first))
    assert again(place) == 1
    assert "is no card" in capsys.readouterr().err


def test_without_the_card_the_default_settings_give_other_numbers(place):
    flags = [f"--datasets=csv={place / 'feelings.csv'}", "--text_column=review", "--label_column=feeling"]
    flags = [*flags, f"--model={place / 'encoder'}", f"--out={place / 'again'}", "--cache_dir=", "--checks=none"]
    assert run("layers", *flags) == 0
    first, second = (results(place / name)["datasets"]["feelings"]["layers"] for name in ("out", "again"))
    assert [row["log_loss"] for row in first] != pytest.approx([row["log_loss"] for row in second], abs=1e-6)


def test_a_card_from_python_gives_the_same_numbers_on_the_command_line(place):
    options = DatasetOptions(max_examples=80, seed=5, text_column="review", label_column="feeling")
    splits = load_dataset("csv", str(place / "feelings.csv"), options)
    study = probe_layers(load_encoder(str(place / "encoder"), keep="both-ends"), splits, pooling="cls", seed=5)
    number = {"metric": "accuracy", "layer": 2, "split": "dev", "value": study.metrics("dev").scores["accuracy"][2].value}
    made = card(study, number).to_json()
    (place / "card.json").write_text(json.dumps(made, allow_nan=False))
    assert again(place, "--checks=none", source="card.json") == 0
    ours, theirs = study.to_json(), results(place / "again")["datasets"]["feelings"]
    agree(ours["layers"], [{key: row[key] for key in ours["layers"][0]} for row in theirs["layers"]])
    agree(ours["test"], theirs["test"])
    assert theirs["layers"][2]["accuracy"] == pytest.approx(made["number"]["value"], abs=1e-6)


def test_a_card_names_model_hashes_settings_data_and_versions(tiny_encoder):
    splits = load_dataset("demo")
    made = card(probe_layers(tiny_encoder, splits, probe="majority")).to_json()
    assert made["model"]["id"] == tiny_encoder.checkpoint.model_id
    assert set(made["model"]["sha256"]) == {"config", "weights", "tokenizer"}
    assert all(len(value) == 64 for value in made["model"]["sha256"].values())
    assert (made["pooling"], made["probe"], made["seed"], made["max_length"], made["keep"]) == ("mean", "majority", 0, 64, "head")
    assert {"lit-probe", "torch", "transformers", "scikit-learn", "numpy"} <= set(made["versions"])
    [(name, data)] = made["datasets"].items()
    assert name == "demo"
    assert set(data["n"]) == set(data["share_truncated"]) == set(data["data"]["sha256"]) == {"train", "dev", "test"}
    assert data["label_names"] == ["negative", "positive"]
    assert "--datasets=demo" in made["flags"]
    assert made["notes"] == []
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_texts_in_memory_have_a_card_that_says_why_no_flags_can_load_them(tiny_encoder, tmp_path):
    made = card(probe_layers(tiny_encoder, split_texts(*sentences()), probe="majority")).to_json()
    assert made["flags"] is None
    assert "in a program's memory" in made["notes"][0]
    (tmp_path / "card.json").write_text(json.dumps(made))
    with pytest.raises(LitProbeError, match="Run that program again"):
        flags_from_card(tmp_path / "card.json")


def test_a_model_in_memory_has_a_card_that_says_why_no_flags_can_load_it(tiny_folder, tmp_path, capsys):
    model = transformers.AutoModel.from_pretrained(tiny_folder())
    encoder = encoder_of(model, transformers.AutoTokenizer.from_pretrained(tiny_folder()), name="epoch 3")
    splits = load_dataset("demo")
    study = probe_layers(encoder, splits, probe="majority")
    made = card(study).to_json()
    assert made["model"] == {"id": "epoch 3", "revision": None, "sha256": encoder.hashes, "in_memory": True}
    assert made["flags"] is None
    assert made["notes"] == ["This card is about 'epoch 3', a model that was in a program's memory. Run that program again."]
    assert "epoch 3 was a model in a program's memory: no file says where its weights are from." in study.table()
    path = tmp_path / "card.json"
    path.write_text(json.dumps(made, allow_nan=False))
    with pytest.raises(LitProbeError, match=r"a model that was in a program's memory\. Run that program again"):
        flags_from_card(path)
    assert run("layers", f"--from={path}") == 1
    said = capsys.readouterr().err
    assert f"The card '{path}' is about 'epoch 3', a model that was in a program's memory" in said and "Traceback" not in said
    # The program itself can check that it has the same model again, and is told when it has not.
    settings = {"pooling": "mean", "probe": "majority", "seed": 0, "rules": StudyRules()}
    assert check_against_card(read_card(path), encoder, splits, **settings) == []
    with torch.no_grad():
        model.get_input_embeddings().weight.add_(1)
    other = encoder_of(model, encoder.tokenizer, name="epoch 3")
    with pytest.raises(LitProbeError, match="the weights of epoch 3 have the sha256"):
        check_against_card(read_card(path), other, splits, **settings)


def test_a_changed_table_is_refused_before_anything_is_computed(place, capsys):
    with (place / "feelings.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    with (place / "feelings.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, [rows[0][0], "anger"], *rows[1:]])
    capsys.readouterr()
    assert again(place) == 1
    said = capsys.readouterr().err
    assert "cannot be reproduced" in said
    assert " rows of feelings have the sha256" in said
    assert "weights" not in said
    assert not (place / "again/layers.json").exists()


def test_changed_weights_are_refused(place, capsys):
    shutil.rmtree(place / "encoder")
    tiny_encoders.build(place / "encoder", words=WORDS, seed=1)
    assert again(place) == 1
    said = capsys.readouterr().err
    assert f"the weights of {place / 'encoder'} have the sha256" in said
    assert "rows of" not in said
    assert "the config of" not in said


def test_another_setting_beside_the_card_is_refused_and_named(place, capsys):
    assert again(place, "--pooling=cls", "--max_length=20") == 1
    said = capsys.readouterr().err
    assert "pooling is cls, max on the card; max_length is 20, 12 on the card" in said


def test_the_same_files_in_another_place_are_accepted(place):
    (place / "elsewhere").mkdir()
    moved = shutil.move(place / "feelings.csv", place / "elsewhere/feelings.csv")
    shutil.move(place / "encoder", place / "elsewhere/encoder")
    assert again(place) == 1
    assert again(place, f"--datasets=csv={moved}", f"--model={place / 'elsewhere/encoder'}") == 0
    first, second = results(place / "out"), results(place / "again")
    agree(first["datasets"]["feelings"]["layers"], second["datasets"]["feelings"]["layers"])


def test_other_rules_beside_the_card_are_refused_and_named(place, capsys):
    assert again(place, "--layer_choice=headline", "--headline=auroc") == 1
    said = capsys.readouterr().err
    assert "headline is auroc, auto on the card; layer_choice is headline, one_se on the card" in said


def test_rules_that_are_not_the_usual_ones_come_back_from_the_card(place):
    flags = ["--headline=balanced_accuracy", "--decision=argmax", "--layer_choice=log_loss", "--checks=none", "--cache_dir="]
    table = [f"--datasets=csv={place / 'feelings.csv'}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", f"--model={place / 'encoder'}", *table, *flags, f"--out={place / 'out'}") == 0
    first = results(place / "out")
    assert first["rules"] == {"headline": "balanced_accuracy", "decision": "argmax", "layer_choice": "log_loss"}
    assert first["datasets"]["feelings"]["choice"]["rule"] == "log_loss"
    assert again(place) == 0
    agree(first, results(place / "again"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda told: {key: value for key, value in told.items() if key not in ("rules", "made_by")},
            "does not say by which rules",
        ),
        (
            lambda told: {**told, "made_by": {**told["made_by"], "accuracy": "Wald"}},
            "made by other rules here: accuracy.",
        ),
        (lambda told: {**told, "made_by": {}}, "made by other rules here: probes, accuracy"),
    ],
)
def test_a_card_of_other_rules_is_refused(place, capsys, change, said):
    """A card from before there were rules would give other numbers without a word."""
    (place / "card.json").write_text(json.dumps(change(results(place / "out"))))
    assert again(place, source="card.json") == 1
    assert said in capsys.readouterr().err


def test_every_number_of_layers_json_names_its_rule(place):
    told = results(place / "out")
    made_by = told["made_by"]
    columns = {name.partition(":")[0] for name in told["datasets"]["feelings"]["layers"][0]}
    assert {name for name in METRICS if name in columns} <= set(made_by) and set(CHECKS) <= set(made_by)
    assert all(rule.strip() for rule in made_by.values())


def test_another_data_set_is_refused(place, capsys):
    assert again(place, "--datasets=demo") == 1
    assert "the card has 'feelings', but no data set 'demo'" in capsys.readouterr().err


def test_other_library_versions_are_told_and_not_refused(place, capsys):
    told = results(place / "out")
    told["versions"]["scikit-learn"] = "0.0.1"
    (place / "card.json").write_text(json.dumps(told))
    assert again(place, source="card.json") == 0
    assert "on the card: the last digits may differ" in capsys.readouterr().err


def test_a_card_also_serves(place):
    cli.FLAGS.unparse_flags()
    assert flags.parse(["lit-probe", "serve", f"--from={place / 'out/layers.json'}"]) == ["serve"]
    assert (cli.FLAGS.pooling, cli.FLAGS.model, cli.FLAGS.seed) == ("max", str(place / "encoder"), 3)


def test_code_of_a_checkpoint_is_never_trusted_because_a_card_says_so(place):
    told = {**results(place / "out"), "trust_remote_code": True}
    (place / "card.json").write_text(json.dumps(told))
    assert not any("trust" in flag for flag in flags_from_card(place / "card.json"))
    (place / "card.json").write_text(json.dumps({**told, "rules": {**told["rules"], "trust_remote_code": "true"}}))
    with pytest.raises(LitProbeError, match="is no card"):
        flags_from_card(place / "card.json")


def test_a_card_may_name_a_table_with_a_comma_in_its_name(place):
    told = results(place / "out")
    table = place / "feelings, first.csv"
    shutil.copy(place / "feelings.csv", table)
    (place / "card.json").write_text(json.dumps(with_data(told, origin={**origin(told), "path": str(table)})))
    assert f"--datasets=csv={table}" in flags_from_card(place / "card.json")


def test_a_card_may_name_an_encoder_with_a_comma_in_its_folder(place):
    told = results(place / "out")
    folder = shutil.copytree(place / "encoder", place / "encoder, first")
    (place / "card.json").write_text(json.dumps({**told, "model": {**told["model"], "id": str(folder)}}))
    assert again(place, "--checks=none", source="card.json") == 0
    agree(told["datasets"]["feelings"]["test"], results(place / "again")["datasets"]["feelings"]["test"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: "no card at all", "is no card"),
        (lambda told: {**told, "model": {"id": "x"}}, "is no card"),
        (lambda told: {**told, "seed": "three"}, "is no card"),
        (lambda told: {**told, "datasets": {}}, "is no card"),
        (lambda told: {**told, "control": 7}, "is no card"),
        (lambda told: {**told, "rules": None}, "is no card"),
        (lambda told: {**told, "rules": ["auto"]}, "is no card"),
        (lambda told: {**told, "rules": {**told["rules"], "decision": None}}, "is no card"),
        (lambda told: {**told, "rules": {**told["rules"], "out": "elsewhere"}}, "is no card"),
        (lambda told: {**told, "made_by": 3}, "is no card"),
        (lambda told: {**told, "seed": 4}, "other seeds for its splits"),
        (lambda told: {**told, "model": {**told["model"], "id": "a,b"}}, "no path with a comma"),
        (lambda told: with_data(told, origin={"kind": "moon"}), "which no loader of this version reads"),
        (lambda told: with_data(told, origin={**origin(told), "path": "a,b.csv"}), "no path with a comma"),
        (
            lambda told: with_data(told, origin={**origin(told), "form": "", "path": "reviews.txt"}),
            "which no loader of this version reads",
        ),
        (lambda told: with_data(told, origin=7), "in a program's memory"),
    ],
)
def test_what_is_no_card_gets_one_clear_line(place, capsys, change, message):
    (place / "card.json").write_text(json.dumps(change(results(place / "out"))))
    assert again(place, source="card.json") == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def origin(told: dict[str, Any]) -> dict[str, Any]:
    return told["datasets"]["feelings"]["data"]["origin"]


def with_data(told: dict[str, Any], **changes: Any) -> dict[str, Any]:
    told["datasets"]["feelings"]["data"] |= changes
    return told


def test_a_card_that_is_not_there_and_a_broken_one_are_named(tmp_path, capsys):
    (tmp_path / "torn.json").write_text('{"model": ')
    for name in ("missing.json", "torn.json"):
        assert run("layers", f"--from={tmp_path / name}") == 1
        assert f"The card '{tmp_path / name}' cannot be read" in capsys.readouterr().err


def test_two_data_sets_of_one_run_come_back_together(place):
    shutil.copy(place / "feelings.csv", place / "moods.csv")
    flags = [
        f"--datasets=csv={place / 'feelings.csv'},csv={place / 'moods.csv'}",
        "--text_column=review",
        "--label_column=feeling",
        "--checks=none",
    ]
    assert run("layers", f"--model={place / 'encoder'}", *flags, f"--out={place / 'out'}", "--cache_dir=") == 0
    assert again(place) == 0
    agree(results(place / "out"), results(place / "again"))


def verdicts(path: Path, nouns: str) -> Path:
    """A table of 160 sentences about these nouns, their class told by an adjective."""
    adjectives = {"bad": "awful dull sad slow".split(), "good": "great fine funny fast".split()}
    rows = [
        (f"{noun} was {adverb} {adjective}", label)
        for noun in nouns.split()
        for adverb in ("not", "more than")
        for label, words in adjectives.items()
        for adjective in words
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def test_all_checks_of_two_data_sets_with_another_control_and_transfer_come_back_from_the_card(tmp_path):
    tiny_encoders.build(tmp_path / "encoder", n_classes=2)
    tables = [
        verdicts(tmp_path / "films.csv", "film movie story acting plot scene music ending camera script"),
        verdicts(tmp_path / "books.csv", "story book page chapter author poem novel letter essay plot"),
    ]
    flags = [f"--datasets={','.join(f'csv={table}' for table in tables)}", "--control=first_word", "--seed=2", "--checks=all"]
    assert run("layers", f"--model={tmp_path / 'encoder'}", *flags, f"--out={tmp_path / 'out'}", "--cache_dir=") == 0
    first = results(tmp_path / "out")
    assert [one["checks"]["selectivity"]["control"] for one in first["datasets"].values()] == ["first_word"] * 2
    assert all(list(one["checks"]) == list(USUAL_CHECKS) for one in first["datasets"].values())
    assert not [name for one in first["datasets"].values() for name, check in one["checks"].items() if "error" in check]
    assert [group["train"] for group in first["transfer"]["groups"]] == [["films", "books"]]
    assert again(tmp_path) == 0
    agree(first, results(tmp_path / "again"))


def test_other_splits_come_back_from_the_card_and_can_be_left_out_or_added(place):
    flags = ["--checks=calibration", "--repeat=3", "--cache_dir="]
    table = [f"--datasets=csv={place / 'feelings.csv'}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", f"--model={place / 'encoder'}", *table, *flags, f"--out={place / 'out'}") == 0
    first = results(place / "out")
    assert first["repeat"] == first["datasets"]["feelings"]["checks"]["repeats"]["n"] == 3
    assert {"--checks=calibration", "--repeat=3"} <= set(flags_from_card(place / "out/layers.json"))
    assert again(place) == 0
    agree(first, results(place / "again"))
    assert again(place, "--repeat=0") == 0
    assert list(results(place / "again")["datasets"]["feelings"]["checks"]) == ["calibration"]
    assert again(place, "--repeat=2") == 0
    assert results(place / "again")["datasets"]["feelings"]["checks"]["repeats"]["n"] == 2


def test_a_card_opened_from_a_number_of_other_splits_names_their_number(tiny_encoder, tmp_path):
    study = probe_layers(tiny_encoder, load_dataset("demo"), probe="majority")
    made = card(study, {"check": "repeats", "layer": 1}).to_json()
    assert made["repeat"] == 10 and "--repeat=10" in made["flags"]
    (tmp_path / "card.json").write_text(json.dumps(made))
    assert "--repeat=10" in flags_from_card(tmp_path / "card.json")
    assert card(study).repeat is None and not any("repeat" in flag for flag in card(study).flags)


def test_another_control_beside_the_card_is_refused_where_selectivity_is_measured(place, capsys):
    assert again(place, "--control=first_word", "--checks=calibration") == 0
    assert again(place, "--control=first_word", "--checks=selectivity") == 1
    assert "control is first_word, word on the card" in capsys.readouterr().err


def test_a_card_of_other_control_words_or_draws_is_refused_where_it_holds_such_a_check(place, monkeypatch, capsys):
    checks = "--checks=selectivity,baselines"
    texts = [f"{'good' if i % 2 else 'bad'} {WORDS[i % len(WORDS)]} {WORDS[7 * i % len(WORDS)]} text" for i in range(200)]
    table = place / "told.csv"
    table.write_text("review,feeling\n" + "".join(f"{text} {i},{'yes' if i % 2 else 'no'}\n" for i, text in enumerate(texts)))
    flags = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling", checks]
    assert run("layers", f"--model={place / 'encoder'}", *flags, f"--out={place / 'out'}", "--cache_dir=") == 0
    made = results(place / "out")
    assert made["made_by"]["selectivity"].endswith(f"content words by the list {function_words_hash()}")
    assert made["made_by"]["baselines"].endswith("3 draws of random_weights, 5 draws of shuffled")
    assert again(place) == 0
    agree(made, results(place / "again"))
    monkeypatch.setattr(control_task, "function_words_hash", lambda: "0123456789ab")
    assert again(place) == 1
    assert "these are made by other rules here: selectivity." in capsys.readouterr().err
    # Of a card without that check nothing is made otherwise.
    without = {name: {**one, "checks": {}} for name, one in made["datasets"].items()}
    (place / "card.json").write_text(json.dumps({**made, "datasets": without}))
    assert again(place, source="card.json") == 0


def test_random_weights_of_a_seed_of_their_own_come_back_from_the_card(place):
    flags = [f"--datasets=csv={place / 'feelings.csv'}", "--text_column=review", "--label_column=feeling", "--checks=none"]
    model = f"--model={place / 'encoder'}[weights=random:7]"
    assert run("layers", model, *flags, f"--out={place / 'out'}", "--cache_dir=") == 0
    assert results(place / "out")["model"]["random_weights"] == 7
    assert again(place) == 0
    agree(results(place / "out"), results(place / "again"))


def test_a_card_opened_from_a_number_of_a_check_holds_its_rule(tiny_encoder):
    study = probe_layers(tiny_encoder, load_dataset("demo"), probe="majority")
    by_word, by_first = (
        card(study, {"check": "selectivity", **more}).made_by["selectivity"] for more in ({}, {"control": "first_word"})
    )
    assert by_word == f"{by_first}; content words by the list {function_words_hash()}"


def test_a_card_opened_from_a_number_of_selectivity_names_its_control(tiny_encoder, tmp_path):
    study = probe_layers(tiny_encoder, load_dataset("demo"), probe="majority")
    number = {"metric": "selectivity", "layer": 1, "control": "group:domain", "value": 0.1}
    made = card(study, number).to_json()
    assert made["control"] == "group:domain" and made["number"] == number
    assert "--control=group:domain" in made["flags"]
    (tmp_path / "card.json").write_text(json.dumps(made))
    assert "--control=group:domain" in flags_from_card(tmp_path / "card.json")
    assert card(study).control is None and not any("control" in flag for flag in card(study).flags)


@pytest.mark.parametrize("wrong", ["encoder", "data set"])
def test_every_encoder_and_data_set_is_held_against_the_card_before_any_is_probed(place, capsys, monkeypatch, wrong):
    monkeypatch.setattr(cli, "study", lambda *_: pytest.fail("work was done first"))
    tiny_encoders.build(place / "other", words=WORDS, seed=1)
    beside = {
        "encoder": f"--model={place / 'encoder'},{place / 'other'}",
        "data set": f"--datasets=csv={place / 'feelings.csv'},demo",
    }
    assert again(place, beside[wrong]) == 1
    assert "cannot be reproduced" in capsys.readouterr().err


def test_named_data_sets_keep_their_loader_and_path(tmp_path, tiny_encoder):
    for split, n in (("train", 40), ("dev", 20), ("test", 20)):
        rows = [f"{split} the film was {'good' if i % 2 else 'bad'} {i}\t{i % 2}" for i in range(n)]
        (tmp_path / f"sentences_{split}.tsv").write_text("\n".join(["sentence\tlabel", *rows]) + "\n")
    study = probe_layers(tiny_encoder, load_dataset("sst2_sentences", str(tmp_path)), probe="majority")
    assert f"--datasets=sst2_sentences={tmp_path}" in card(study).flags
    assert not any("column" in flag for flag in card(study).flags)


def test_a_folder_of_tables_is_read_by_the_form_of_its_files(tmp_path, tiny_encoder):
    folder = tmp_path / "sst2"  # named like a loader that it does not belong to
    folder.mkdir()
    for split, n in (("train", 40), ("dev", 20), ("test", 20)):
        rows = [json.dumps({"text": f"{split} film {i}", "label": "joy" if i % 2 else "anger"}) for i in range(n)]
        (folder / f"{split}.jsonl").write_text("\n".join(rows))
    study = probe_layers(tiny_encoder, load_dataset("jsonl", str(folder)), probe="majority")
    assert f"--datasets=jsonl={folder}" in card(study).flags


def test_the_check_passes_what_is_the_same_and_names_a_class_that_is_not(place):
    read = read_card(place / "out/layers.json")
    encoder = load_encoder(str(place / "encoder"), max_length=12, keep="tail")
    options = DatasetOptions(max_examples=100, seed=3, text_column="review", label_column="feeling")
    splits = load_dataset("csv", str(place / "feelings.csv"), options)
    settings = {"pooling": "max", "probe": "logistic", "seed": 3, "rules": StudyRules()}
    assert check_against_card(read, encoder, splits, **settings) == []
    read["datasets"]["feelings"]["label_names"][0] = "rage"
    with pytest.raises(LitProbeError, match=r"the classes are anger, .* rage, .* on the card"):
        check_against_card(read, encoder, splits, **settings)
