import pytest
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import computed, models_of, tiny_splits

from lit_probe import cli
from lit_probe.checks.leakage import near_duplicates
from lit_probe.checks.provenance import card
from lit_probe.data import load_dataset
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import text_hash
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS

interpreter = INTERPRETERS["provenance"]


def ask(model, config=None):
    answer = interpreter.run([], model, model.dataset, config=config)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def test_the_card_is_the_librarys(model):
    study = model.study.result()
    answer = ask(model)
    assert answer["status"] == "ready" and answer["card"] == card(study).to_json()
    assert answer["card"]["model"]["sha256"]["weights"] and list(answer["card"]["datasets"]) == ["tiny"]


def of_number(model, inputs=(), shown=None, **number):
    answer = interpreter.run(list(inputs), model, model.dataset if shown is None else shown, config={"number": number})
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def test_the_card_keeps_the_number_it_was_opened_from(model):
    number = {"metric": "accuracy", "layer": 3, "split": "dev", "value": 0.8}
    assert ask(model, {"number": number})["card"]["number"].items() >= number.items()
    assert "number" not in ask(model)["card"] and "command" not in ask(model)


def test_the_card_says_by_which_rule_classes_were_decided_where_it_is_not_the_study_s(model):
    assert of_number(model, metric="accuracy", decision="argmax")["card"]["number"]["decision"] == "argmax"


def test_a_number_of_the_curve_names_its_rows_by_split(model, dataset):
    splits = dict(model.dataset.splits.items())
    rows = of_number(model, dataset.examples, dataset, metric="accuracy")["card"]["number"]["rows"]
    assert rows == {split: {"n": len(splits[split]), "sha256": text_hash(splits[split].texts)} for split in ("dev", "test")}
    with_train = of_number(model, dataset.examples, dataset, train=True)["card"]["number"]["rows"]
    assert set(with_train) == {"train", "dev", "test"}
    some = of_number(model, dataset.examples[:9], dataset)["card"]["number"]["rows"]["dev"]
    assert some["n"] == 9 and some["sha256"] != rows["dev"]["sha256"]


def test_a_number_of_a_check_is_about_all_dev_rows_and_names_its_draws(model):
    number = of_number(model, check="selectivity", control="first_word")["card"]["number"]
    assert number["rows"]["dev"]["n"] == len(model.dataset.splits.dev) and list(number["rows"]) == ["dev"]
    assert number["control"] == "first_word" and number["labellings"] == "5, by the first usable seeds from 0 on"
    assert "1,000 bootstrap draws" in number["interval"]
    assert list(of_number(model, check="description_length")["card"]["number"]["rows"]) == ["train"]


def test_a_number_of_other_splits_is_about_train_and_dev_and_names_how_many_there_are(model):
    answer = of_number(model, check="repeats")
    assert list(answer["card"]["number"]["rows"]) == ["train", "dev"] and answer["card"]["repeat"] == 10


@pytest.fixture(scope="module")
def on_demo(tiny_folder):
    """Two models of data sets that a command line can name."""
    encoder = load_encoder(str(tiny_folder()))
    demo = load_dataset("demo")
    again = Splits(
        "sst2", demo.train, demo.dev, demo.test, {**demo.provenance, "origin": {"kind": "folder", "path": "/data/sst2"}}
    )
    return models_of([computed(encoder, demo), computed(encoder, again)])


def test_a_check_s_number_comes_with_the_command_that_computes_it(on_demo):
    model = on_demo[0]
    plain, other = (of_number(model, check="selectivity", control=control) for control in ("word", "group:domain"))
    assert plain["command"][:2] == ["lit-probe", "layers"] and "--datasets=demo" in plain["command"]
    assert plain["command"][-1] == "--checks=selectivity" and other["command"][-2:] == [
        "--checks=selectivity",
        "--control=group:domain",
    ]
    assert plain["statement"] == "It stands in layers.json under datasets.demo.checks.selectivity."
    cli.FLAGS(["lit-probe", *other["command"][2:]])  # The command line understands it.


def test_transfer_is_computed_for_all_its_data_sets_at_once(on_demo):
    command = of_number(on_demo[0], check="transfer")["command"]
    assert "--datasets=demo,sst2=/data/sst2" in command and command[-1] == "--checks=transfer"
    cli.FLAGS(["lit-probe", *command[2:]])


def test_of_a_selection_it_is_said_that_the_command_line_scores_whole_splits(on_demo):
    model, other = on_demo
    examples = IndexedDataset(base=model.dataset).examples
    whole, some = (of_number(model, rows) for rows in (examples, examples[:20]))
    assert whole["statement"].startswith(
        "It stands in layers.json under datasets.demo.layers for dev and under datasets.demo.test"
    )
    assert some["command"] == whole["command"] and some["statement"].startswith("The command line scores whole splits")
    assert of_number(model, examples[-20:])["statement"].startswith("The command line scores whole splits")
    foreign = of_number(model, examples, other.dataset)
    assert foreign["command"] is None and "as transfer" in foreign["statement"]


def test_texts_from_memory_have_no_command(model, dataset):
    assert of_number(model, dataset.examples, dataset)["command"] is None


@pytest.mark.parametrize(
    ("number", "said"), [({"check": "colour"}, "Unknown check 'colour'"), ({"color": 1}, "but not by color")]
)
def test_a_number_of_an_unknown_kind_is_refused(model, number, said):
    with pytest.raises(LitProbeError, match=said):
        ask(model, {"number": number})


def test_copies_across_the_splits_stand_beside_the_card(model):
    answer = ask(model)["near_duplicates"]
    found = near_duplicates(tiny_splits()).to_json()
    assert found["near"] > 0, "the sentences of this data set are made from one template"
    assert answer == {key: found[key] for key in ("exact", "near", "notes")}


def test_while_the_probes_are_computed_there_is_no_card(encoder):
    (model,) = models_of([PendingStudy(encoder, tiny_splits())])
    assert ask(model)["status"] == "computing"


@pytest.mark.parametrize("number", [3, "0.8", [1]])
def test_a_number_without_a_description_is_refused(model, number):
    with pytest.raises(LitProbeError, match="A number is described by an object"):
        ask(model, {"number": number})


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), Dataset())
    assert not interpreter.is_compatible(PCAModel(n_components=2), dataset)
    assert interpreter.meta_spec() == {} and interpreter.config_spec() == {}
