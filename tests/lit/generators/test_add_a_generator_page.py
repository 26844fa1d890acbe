"""The generator that docs/add-a-generator.md builds is a real one."""

from page_code import blocks_of
from tiny_probing import edited

from lit_probe.counterfactuals.rules import UNKNOWN


def test_the_generator_on_the_page_leaves_out_each_word(model, dataset):
    names: dict = {}
    [code], [entry] = blocks_of("add-a-generator.md"), blocks_of("add-a-generator.md", "")
    exec(code, names)
    [generator] = eval(f"{{{entry}}}", names).values()
    assert generator.is_compatible(model, dataset) and generator.description().startswith("Leaves out one word")
    rows = [edited(dataset.examples[0], text=text) for text in ("a great film", "great")]
    several, none = generator.generate_all(rows, model, dataset, {})
    assert [edit["text"] for edit in several] == ["great film", "a film", "a great"]
    assert [edit["rule"] for edit in several] == ["without: a", "without: great", "without: film"]
    assert {(edit["label"], edit["expectation"], edit["_meta"]["parentId"]) for edit in several} == {
        (rows[0]["label"], UNKNOWN, rows[0]["_id"])
    }
    assert none == []
