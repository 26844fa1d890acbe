"""Records what the program answers, and compares two recordings: a change of structure must change no number.

    python -m tools.same_numbers record FOLDER     # with the old code, then with the new one
    python -m tools.same_numbers compare OLD NEW   # prints what differs, exit code 1 if anything does

A recording holds the files that the command line writes for the demo (and for SST-2 sentences, where `LIT_PROBE_TEST_DATA`
names their folder), what a server answers to every question below, and the pictures that the page draws of them. Recordings are
comparable on one machine with one set of libraries.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.page import opened, served

MODEL, DATASET = "all-MiniLM-L6-v2-on-demo", "demo"
LAYOUTS = ("decodability", "evidence", "edits", "words", "neurons")
# What may differ: when something was computed, and the versions of the libraries that are named.
PASSING = {"date", "created", "versions"}

# Interpreter, the rows that are sent (see `_rows`), configuration.
QUESTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("layer_metrics", "all", {}),
    ("layer_metrics", "dev", {"metric": "balanced_accuracy"}),
    ("layer_metrics", "dev", {"metric": "log_loss"}),
    ("layer_metrics", "dev", {"metric": "recall:positive"}),
    ("layer_metrics", "all", {"metric": "accuracy", "train": True}),
    ("layer_predictions", "edit", {}),
    *(
        ("probe_checks", "none", {"check": check})
        for check in (
            "layer_comparison",
            "selectivity",
            "description_length",
            "learning_curve",
            "calibration",
            "agreement",
            "repeats",
        )
    ),
    ("probe_checks", "none", {"check": "selectivity", "control": "first_word"}),
    ("probe_checks", "none", {"check": "layer_comparison", "layers": [3, 1]}),
    *(
        ("probe_checks", "none", {"check": "baselines", "baseline": name})
        for name in ("majority", "bag_of_words", "tfidf", "length", "random_weights", "shuffled")
    ),
    ("slice_comparison", "dev", {"slices": [list(range(40)), list(range(30, 100))]}),
    ("transfer", "none", {}),
    ("provenance", "dev", {}),
    ("provenance", "dev", {"number": {"check": "layer_metrics", "examples": "whole data set"}}),
    ("salience_methods", "none", {}),
    *(
        ("salience_map", "one", {"method": method, "samples": 64, "steps": 10})
        for method in (
            "gradient_l2",
            "gradient_mean",
            "input_x_gradient",
            "integrated_gradients",
            "smoothgrad",
            "gradient_shap",
            "occlusion",
            "lime",
            "kernel_shap",
        )
    ),
    ("salience_map", "one", {"method": "gradient_l2", "layer": "2", "target": "gold", "scalar": "margin"}),
    ("salience_checks", "none", {"check": "faithfulness", "sample": 6, "methods": ["gradient_l2", "occlusion"]}),
    ("salience_checks", "none", {"check": "stability", "sample": 4, "methods": ["gradient_l2", "lime"], "samples": 32}),
    ("salience_checks", "none", {"check": "words", "sample": 20, "method": "gradient_l2"}),
    ("neuron_ranking", "none", {"choices": True}),
    *(
        ("neuron_ranking", "none", {"method": method, "top": 20})
        for method in (
            "weight_mass",
            "l1",
            "l2",
            "elastic_net",
            "probeless",
            "mean_gap",
            "gaussian",
            "average_precision",
            "random",
        )
    ),
    ("neuron_ranking", "none", {"layer": "all", "top": 20}),
    ("neuron_ranking", "none", {"layer": 3, "select": "mass", "share": 0.3, "class": "positive"}),
    ("neuron_ranking", "none", {"method": "probeless", "stability": True}),
    ("neuron_evidence", "edit", {"part": "distribution", "unit": 7, "layer": 3}),
    ("neuron_evidence", "edit", {"part": "column", "unit": 7, "layer": 3}),
    ("neuron_evidence", "edit", {"part": "tokens", "units": [7, 9], "layer": 3}),
    ("neuron_evidence", "none", {"part": "words", "unit": 7, "layer": 3, "split": "dev"}),
    ("neuron_evidence", "none", {"part": "clusters", "layer": 3, "unit": 7, "method": "probeless"}),
    ("neuron_evidence", "none", {"part": "factors", "first": 2, "last": 3, "components": 5, "sample": 20}),
    ("neuron_ablation", "edit", {"part": "text", "units": [7, 9], "layer": 3, "n_random": 4}),
    ("neuron_ablation", "edit", {"part": "text", "what": "direction", "layer": 3, "n_random": 4}),
    ("neuron_ablation", "few", {"part": "curve", "units": [7, 9], "layer": 3, "sample": 40}),
    ("neuron_ablation", "none", {"part": "erasure"}),
    ("neuron_ablation", "none", {"part": "evaluation", "layer": 3}),
    ("neuron_ablation", "none", {"part": "comparison", "layer": 3}),
    ("neuron_ablation", "none", {"part": "minimal_set", "layer": 3}),
    ("counterfactual_by_layer", "edit", {}),
    ("counterfactual_by_layer", "edit", {"part": "neurons", "layer": 4}),
    ("counterfactual_by_layer", "edit", {"part": "salience", "layer": 4}),
    ("counterfactual_pairs", "none", {}),
    ("counterfactual_pairs", "none", {"by": "phenomenon"}),
    ("counterfactual_pairs", "edit", {"source": "sent", "by": "_rule"}),
    # Questions that are refused.
    ("layer_metrics", "dev", {"metric": "nonsense"}),
    ("layer_predictions", "edit", {"nonsense": 1}),
    ("probe_checks", "none", {"check": "calibration", "nonsense": 1}),
    ("salience_map", "one", {"method": "gradient_l2", "nonsense": 1}),
    ("salience_map", "one", {"method": "gradient_l2", "layer": "99"}),
    ("salience_checks", "none", {"check": "words", "nonsense": 1}),
    ("neuron_ranking", "none", {"nonsense": 1}),
    ("neuron_ranking", "none", {"layer": 99}),
    ("neuron_evidence", "none", {"part": "words", "nonsense": 1}),
    ("neuron_ablation", "none", {"part": "text", "units": "all"}),
    ("counterfactual_by_layer", "edit", {"part": "neurons", "nonsense": 1}),
    ("counterfactual_pairs", "none", {"nonsense": 1}),
)


def record(folder: Path) -> None:
    """Runs the commands, asks the questions and opens the layouts; everything is computed anew, in a cache of its own."""
    folder.mkdir(parents=True)
    cache = f"--cache_dir={folder / 'cache'}"
    sources = {"demo": "demo"}
    if data := os.environ.get("LIT_PROBE_TEST_DATA"):
        sources["sst2"] = f"sst2_sentences={data}/sst2"
    for name, source in sources.items():
        for command in ("layers", "neurons"):
            flags = (f"--datasets={source}", f"--out={folder / name}", cache)
            done = subprocess.run(
                [sys.executable, "-m", "lit_probe.cli", command, *flags], capture_output=True, text=True, check=True
            )
            (folder / name / f"{command}.txt").write_text(done.stdout.replace(str(folder), ""), "utf-8")
    with served("--datasets=demo", cache) as url:
        (folder / "answers.json").write_text(json.dumps(_answers(url), indent=1), "utf-8")
        for layout in LAYOUTS:
            (folder / f"{layout}.json").write_text(json.dumps(_pictures(url, layout), indent=1), "utf-8")


def _post(url: str, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as response:
        return json.load(response)


def _answers(url: str) -> dict[str, Any]:
    rows = _post(url, f"get_dataset?dataset_name={DATASET}", {})
    return {json.dumps([name, kind, config]): _answer(url, name, _rows(rows, kind), config) for name, kind, config in QUESTIONS}


def _rows(rows: list[dict[str, Any]], kind: str) -> list[Any]:
    """All rows, dev rows, the first one, a few of them, a row with its edit, or none; rows of the data set by their ids."""
    dev = [row["id"] for row in rows if row["data"]["probe_split"] == "dev"]
    meta = {"added": True, "source": "manual", "parentId": dev[0]}
    edited = {**next(row["data"] for row in rows if row["id"] == dev[0]), "text": "not a bad film", "_id": "", "_meta": meta}
    return {
        "all": [row["id"] for row in rows],
        "dev": dev,
        "few": dev[:60],
        "one": dev[:1],
        "edit": [dev[0], {"data": edited, "id": "", "meta": meta}],
        "none": [],
    }[kind]


def _answer(url: str, interpreter: str, inputs: list[Any], config: dict[str, Any]) -> Any:
    """What a panel gets in the end, once for the probes, the computation and its parts."""
    path = f"get_interpretations?model={MODEL}&dataset_name={DATASET}&interpreter={interpreter}&do_predict=0"
    deadline = time.monotonic() + 600
    while True:
        try:
            answer = _post(url, path, {"inputs": inputs, "config": config})
        except urllib.error.HTTPError as error:
            return [error.code, error.read().decode()]
        if not _computing(answer):
            return answer
        if time.monotonic() > deadline:
            sys.exit(f"{interpreter} {config}: no answer in ten minutes")
        time.sleep(0.3)


def _computing(answer: Any) -> bool:
    """Whether the answer, or a part of it with a status of its own, is still being computed."""
    if not isinstance(answer, dict):
        return False
    return answer.get("status") == "computing" or any(map(_computing, answer.values()))


def _pictures(url: str, layout: str) -> dict[str, Any]:
    """The charts and the words of every panel of ours, a row being selected."""
    with opened(1440, 900) as page:
        page.goto(f"{url}?layout={layout}")
        page.wait_for_timeout(20_000)
        return page.evaluate(_PANELS)


_PANELS = """() => {
  const found = {};
  const walk = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.shadowRoot) {
        const name = node.tagName.toLowerCase();
        const style = node.shadowRoot.querySelector('svg');
        if (name.endsWith('-module') && style) {
          found[name] = [...node.shadowRoot.querySelectorAll('svg')].map((svg) => svg.outerHTML);
        }
        walk(node.shadowRoot);
      }
    }
  };
  walk(document);
  return found;
}"""


def compare(old: Path, new: Path) -> list[str]:
    """A line for every difference; `PASSING` names what may differ."""
    found = []
    names = {path.relative_to(folder) for folder in (old, new) for path in folder.rglob("*") if path.is_file()}
    for name in sorted(path for path in names if path.parts[0] != "cache"):
        if not (old / name).exists() or not (new / name).exists():
            found.append(f"{name}: only in {old if (old / name).exists() else new}")
            continue
        before, after = ((folder / name).read_text("utf-8") for folder in (old, new))
        if name.suffix == ".json":
            found += [f"{name}: {line}" for line in _differences(json.loads(before), json.loads(after))]
        elif _without_ids(before) != _without_ids(after):
            found.append(f"{name}: the text differs")
    return found


def _without_folders(value: Any) -> Any:
    return re.sub(r"/\S*/", "", value) if isinstance(value, str) else value


def _without_ids(text: str) -> str:
    """Without the ids and dates that matplotlib makes anew for every picture."""
    return re.sub(r'"#?[pm][0-9a-f]{10}"|#[pm][0-9a-f]{10}|<dc:date>.*?</dc:date>', "", text)


def _differences(before: Any, after: Any, place: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            if key not in before or key not in after:
                yield f"{place}/{key}: only in the {'old' if key in before else 'new'} one"
            elif key not in PASSING:
                yield from _differences(before[key], after[key], f"{place}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, f"{place}/{position}")
    elif _without_folders(before) != _without_folders(after) and not (before != before and after != after):
        yield f"{place}: {str(before)[:200]!r} became {str(after)[:200]!r}"


def main(arguments: list[str]) -> int:
    """See the module's docstring."""
    match arguments:
        case ["record", folder]:
            record(Path(folder))
        case ["compare", old, new]:
            differences = compare(Path(old), Path(new))
            print("\n".join(differences) or "No number differs.")
            return bool(differences)
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
