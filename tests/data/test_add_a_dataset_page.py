"""What docs/add-a-dataset.md shows works as shown."""

from page_code import blocks_of

from lit_probe.data import DATASETS, Source, load_dataset


def test_the_code_on_the_page_runs_and_its_loader_loads(tmp_path, monkeypatch):
    names: dict = {}
    for block in blocks_of("add-a-dataset.md"):
        exec(block, names)
    [entry] = blocks_of("add-a-dataset.md", "")
    [(name, source)] = eval(f"{{{entry}}}", {**names, "Source": Source}).items()
    monkeypatch.setitem(DATASETS, name, source)
    for word in ("bad", "good"):
        (tmp_path / f"{word}.txt").write_text("".join(f"A {word} text, number {i}.\n" for i in range(20)))
    splits = load_dataset(name, str(tmp_path))
    assert splits.name == name and splits.label_names == ("bad", "good")
    assert [len(rows) for _, rows in splits.items()] == [28, 6, 6]
    assert splits.provenance["dropped"] == {"without text": 2}
    for text, label in zip(splits.test.texts, splits.test.labels, strict=True):
        assert splits.label_names[label] in text
