"""The papers behind the numbers, for the methods paragraph: in the text, in the list below it, and as BibTeX."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from lit_probe.registry import lookup

# What BibTeX itself reads as a sign.
_SPECIAL = str.maketrans({"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "–": "--", "’": "'"})


@dataclass(frozen=True)
class Paper:
    """A publication.

    Attributes:
      kind: the kind of BibTeX entry.
      authors: "Family, Given" of each; ``others`` at the end stands for the rest.
      year: the year.
      title: the title.
      venue: the journal, or the book of proceedings.
      fields: further fields of the BibTeX entry, such as ``pages``.
    """

    kind: str
    authors: tuple[str, ...]
    year: int
    title: str
    venue: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_text(self) -> str:
        """``Hewitt & Liang, 2019``."""
        names = [author.partition(",")[0] for author in self.authors]
        if len(names) == 2:
            return f"{names[0]} & {names[1]}, {self.year}"
        return f"{names[0]}{' et al.' if len(names) > 2 else ''}, {self.year}"

    @property
    def in_list(self) -> str:
        """The entry of a list of references."""
        authors = " and ".join(filter(None, (", ".join(self.authors[:-1]), self.authors[-1])))
        where = [self.venue]
        if volume := self.fields.get("volume"):
            where = [f"{self.venue} {volume}" + (f"({self.fields['number']})" if "number" in self.fields else "")]
        if pages := self.fields.get("pages"):
            where.append(pages)
        address = [f"doi:{self.fields['doi']}"] if "doi" in self.fields else []
        address += [f"arXiv:{self.fields['eprint']}"] if "eprint" in self.fields else []
        return f"{authors} ({self.year}). {self.title}. {', '.join(where)}.{''.join(f' {one}.' for one in address)}"

    def bibtex(self, key: str) -> str:
        """The BibTeX entry; titles keep their capitals."""
        in_ = "journal" if self.kind == "article" else "publisher" if self.kind == "book" else "booktitle"
        eprint = {"archivePrefix": "arXiv"} if "eprint" in self.fields else {}
        entries = {
            "author": " and ".join(_plain(one) for one in self.authors),
            "title": f"{{{_plain(self.title)}}}",
            in_: _plain(self.venue),
            "year": str(self.year),
            **{name: value if name == "doi" else _plain(value) for name, value in self.fields.items()},
            **eprint,
        }
        return "\n".join([f"@{self.kind}{{{key},", *(f"  {name} = {{{value}}}," for name, value in entries.items()), "}"])


def _plain(text: str) -> str:
    """As BibTeX of any age reads it."""
    return unicodedata.normalize("NFC", text).translate(_SPECIAL)


_EMNLP = "Proceedings of the {} Conference on Empirical Methods in Natural Language Processing"

PAPERS: dict[str, Paper] = {
    "belinkov2022probing": Paper(
        "article",
        ("Belinkov, Yonatan",),
        2022,
        "Probing Classifiers: Promises, Shortcomings, and Advances",
        "Computational Linguistics",
        {"volume": "48", "number": "1", "pages": "207–219", "doi": "10.1162/coli_a_00422", "eprint": "2102.12452"},
    ),
    "bonett2000sample": Paper(
        "article",
        ("Bonett, Douglas G.", "Wright, Thomas A."),
        2000,
        "Sample Size Requirements for Estimating Pearson, Kendall and Spearman Correlations",
        "Psychometrika",
        {"volume": "65", "number": "1", "pages": "23–28", "doi": "10.1007/BF02294183"},
    ),
    "bouthillier2021variance": Paper(
        "inproceedings",
        ("Bouthillier, Xavier", "Delaunay, Pierre", "Bronzi, Mirko", "others"),
        2021,
        "Accounting for Variance in Machine Learning Benchmarks",
        "Proceedings of Machine Learning and Systems",
        {"volume": "3", "eprint": "2103.03098"},
    ),
    "breiman1984cart": Paper(
        "book",
        ("Breiman, Leo", "Friedman, Jerome H.", "Olshen, Richard A.", "Stone, Charles J."),
        1984,
        "Classification and Regression Trees",
        "Wadsworth",
        {"doi": "10.1201/9781315139470"},
    ),
    "brier1950verification": Paper(
        "article",
        ("Brier, Glenn W.",),
        1950,
        "Verification of Forecasts Expressed in Terms of Probability",
        "Monthly Weather Review",
        {"volume": "78", "number": "1", "pages": "1–3"},
    ),
    "brown2001interval": Paper(
        "article",
        ("Brown, Lawrence D.", "Cai, T. Tony", "DasGupta, Anirban"),
        2001,
        "Interval Estimation for a Binomial Proportion",
        "Statistical Science",
        {"volume": "16", "number": "2", "pages": "101–133", "doi": "10.1214/ss/1009213286"},
    ),
    "delong1988comparing": Paper(
        "article",
        ("DeLong, Elizabeth R.", "DeLong, David M.", "Clarke-Pearson, Daniel L."),
        1988,
        "Comparing the Areas under Two or More Correlated Receiver Operating Characteristic Curves: A Nonparametric Approach",
        "Biometrics",
        {"volume": "44", "number": "3", "pages": "837–845", "doi": "10.2307/2531595"},
    ),
    "fagerland2013mcnemar": Paper(
        "article",
        ("Fagerland, Morten W.", "Lydersen, Stian", "Laake, Petter"),
        2013,
        "The McNemar test for binary matched-pairs data: mid-p and asymptotic are better than exact conditional",
        "BMC Medical Research Methodology",
        {"volume": "13", "pages": "91", "doi": "10.1186/1471-2288-13-91"},
    ),
    "gorman2019splits": Paper(
        "inproceedings",
        ("Gorman, Kyle", "Bedrick, Steven"),
        2019,
        "We Need to Talk about Standard Splits",
        "Proceedings of the 57th Annual Meeting of the Association for Computational Linguistics",
        {"pages": "2786–2791", "doi": "10.18653/v1/P19-1267"},
    ),
    "gorodkin2004correlation": Paper(
        "article",
        ("Gorodkin, Jan",),
        2004,
        "Comparing two K-category assignments by a K-category correlation coefficient",
        "Computational Biology and Chemistry",
        {"volume": "28", "number": "5–6", "pages": "367–374", "doi": "10.1016/j.compbiolchem.2004.09.006"},
    ),
    "guo2017calibration": Paper(
        "inproceedings",
        ("Guo, Chuan", "Pleiss, Geoff", "Sun, Yu", "Weinberger, Kilian Q."),
        2017,
        "On Calibration of Modern Neural Networks",
        "Proceedings of the 34th International Conference on Machine Learning",
        {"volume": "70", "pages": "1321–1330"},
    ),
    "hewitt2019control": Paper(
        "inproceedings",
        ("Hewitt, John", "Liang, Percy"),
        2019,
        "Designing and Interpreting Probes with Control Tasks",
        _EMNLP.format("2019") + " and the 9th International Joint Conference on Natural Language Processing",
        {"pages": "2733–2743", "doi": "10.18653/v1/D19-1275", "eprint": "1909.03368"},
    ),
    "hoerl1970ridge": Paper(
        "article",
        ("Hoerl, Arthur E.", "Kennard, Robert W."),
        1970,
        "Ridge Regression: Biased Estimation for Nonorthogonal Problems",
        "Technometrics",
        {"volume": "12", "number": "1", "pages": "55–67", "doi": "10.1080/00401706.1970.10488634"},
    ),
    "holm1979multiple": Paper(
        "article",
        ("Holm, Sture",),
        1979,
        "A Simple Sequentially Rejective Multiple Test Procedure",
        "Scandinavian Journal of Statistics",
        {"volume": "6", "number": "2", "pages": "65–70"},
    ),
    "korn1998intervals": Paper(
        "article",
        ("Korn, Edward L.", "Graubard, Barry I."),
        1998,
        "Confidence Intervals for Proportions with Small Expected Number of Positive Counts Estimated from Survey Data",
        "Survey Methodology",
        {"volume": "24", "number": "2", "pages": "193–201"},
    ),
    "maas2011imdb": Paper(
        "inproceedings",
        ("Maas, Andrew L.", "Daly, Raymond E.", "Pham, Peter T.", "Huang, Dan", "Ng, Andrew Y.", "Potts, Christopher"),
        2011,
        "Learning Word Vectors for Sentiment Analysis",
        "Proceedings of the 49th Annual Meeting of the Association for Computational Linguistics: Human Language Technologies",
        {"pages": "142–150"},
    ),
    "mcnemar1947note": Paper(
        "article",
        ("McNemar, Quinn",),
        1947,
        "Note on the Sampling Error of the Difference between Correlated Proportions or Percentages",
        "Psychometrika",
        {"volume": "12", "number": "2", "pages": "153–157", "doi": "10.1007/BF02295996"},
    ),
    "menon2021adjustment": Paper(
        "inproceedings",
        (
            "Menon, Aditya Krishna",
            "Jayasumana, Sadeep",
            "Rawat, Ankit Singh",
            "Jain, Himanshu",
            "Veit, Andreas",
            "Kumar, Sanjiv",
        ),
        2021,
        "Long-tail learning via logit adjustment",
        "International Conference on Learning Representations",
        {"eprint": "2007.07314"},
    ),
    "nadeau2003inference": Paper(
        "article",
        ("Nadeau, Claude", "Bengio, Yoshua"),
        2003,
        "Inference for the Generalization Error",
        "Machine Learning",
        {"volume": "52", "number": "3", "pages": "239–281", "doi": "10.1023/A:1024068626366"},
    ),
    "newcombe2006part2": Paper(
        "article",
        ("Newcombe, Robert G.",),
        2006,
        "Confidence intervals for an effect size measure based on the Mann–Whitney statistic. Part 2: asymptotic methods and "
        "evaluation",
        "Statistics in Medicine",
        {"volume": "25", "number": "4", "pages": "559–573", "doi": "10.1002/sim.2324"},
    ),
    "nguyen2015posterior": Paper(
        "inproceedings",
        ("Nguyen, Khanh", "O’Connor, Brendan"),
        2015,
        "Posterior calibration and exploratory analysis for natural language processing models",
        _EMNLP.format("2015"),
        {"pages": "1587–1598", "doi": "10.18653/v1/D15-1182"},
    ),
    "obuchowski1997clustered": Paper(
        "article",
        ("Obuchowski, Nancy A.",),
        1997,
        "Nonparametric Analysis of Clustered ROC Curve Data",
        "Biometrics",
        {"volume": "53", "number": "2", "pages": "567–578", "doi": "10.2307/2533958"},
    ),
    "owen2007pigeonhole": Paper(
        "article",
        ("Owen, Art B.",),
        2007,
        "The pigeonhole bootstrap",
        "The Annals of Applied Statistics",
        {"volume": "1", "number": "2", "pages": "386–411", "doi": "10.1214/07-AOAS122"},
    ),
    "pang2002thumbs": Paper(
        "inproceedings",
        ("Pang, Bo", "Lee, Lillian", "Vaithyanathan, Shivakumar"),
        2002,
        "Thumbs up? Sentiment Classification using Machine Learning Techniques",
        _EMNLP.format("2002"),
        {"pages": "79–86", "doi": "10.3115/1118693.1118704"},
    ),
    "pedregosa2011sklearn": Paper(
        "article",
        ("Pedregosa, Fabian", "Varoquaux, Gaël", "Gramfort, Alexandre", "others"),
        2011,
        "Scikit-learn: Machine Learning in Python",
        "Journal of Machine Learning Research",
        {"volume": "12", "pages": "2825–2830"},
    ),
    "rao1988resampling": Paper(
        "article",
        ("Rao, J. N. K.", "Wu, C. F. J."),
        1988,
        "Resampling Inference with Complex Survey Data",
        "Journal of the American Statistical Association",
        {"volume": "83", "number": "401", "pages": "231–241", "doi": "10.1080/01621459.1988.10478591"},
    ),
    "socher2013recursive": Paper(
        "inproceedings",
        (
            "Socher, Richard",
            "Perelygin, Alex",
            "Wu, Jean",
            "Chuang, Jason",
            "Manning, Christopher D.",
            "Ng, Andrew",
            "Potts, Christopher",
        ),
        2013,
        "Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank",
        _EMNLP.format("2013"),
        {"pages": "1631–1642"},
    ),
    "tenney2020lit": Paper(
        "inproceedings",
        (
            "Tenney, Ian",
            "Wexler, James",
            "Bastings, Jasmijn",
            "Bolukbasi, Tolga",
            "Coenen, Andy",
            "Gehrmann, Sebastian",
            "Jiang, Ellen",
            "Pushkarna, Mahima",
            "Radebaugh, Carey",
            "Reif, Emily",
            "Yuan, Ann",
        ),
        2020,
        "The Language Interpretability Tool: Extensible, Interactive Visualizations and Analysis for NLP Models",
        _EMNLP.format("2020") + ": System Demonstrations",
        {"pages": "107–118", "doi": "10.18653/v1/2020.emnlp-demos.15"},
    ),
    "voita2020mdl": Paper(
        "inproceedings",
        ("Voita, Elena", "Titov, Ivan"),
        2020,
        "Information-Theoretic Probing with Minimum Description Length",
        _EMNLP.format("2020"),
        {"pages": "183–196", "doi": "10.18653/v1/2020.emnlp-main.14", "eprint": "2003.12298"},
    ),
    "wilson1927probable": Paper(
        "article",
        ("Wilson, Edwin B.",),
        1927,
        "Probable Inference, the Law of Succession, and Statistical Inference",
        "Journal of the American Statistical Association",
        {"volume": "22", "number": "158", "pages": "209–212", "doi": "10.2307/2276774"},
    ),
    "wolf2020transformers": Paper(
        "inproceedings",
        ("Wolf, Thomas", "Debut, Lysandre", "Sanh, Victor", "others"),
        2020,
        "Transformers: State-of-the-Art Natural Language Processing",
        _EMNLP.format("2020") + ": System Demonstrations",
        {"pages": "38–45", "doi": "10.18653/v1/2020.emnlp-demos.6"},
    ),
    "zhang2018language": Paper(
        "inproceedings",
        ("Zhang, Kelly", "Bowman, Samuel"),
        2018,
        "Language Modeling Teaches You More than Translation Does: Lessons Learned Through Auxiliary Syntactic Task Analysis",
        "Proceedings of the 2018 EMNLP Workshop BlackboxNLP: Analyzing and Interpreting Neural Networks for NLP",
        {"pages": "359–361", "doi": "10.18653/v1/W18-5448"},
    ),
    "zou2008construction": Paper(
        "article",
        ("Zou, Guang Yong", "Donner, Allan"),
        2008,
        "Construction of confidence limits about effect measures: A general approach",
        "Statistics in Medicine",
        {"volume": "27", "number": "10", "pages": "1693–1702", "doi": "10.1002/sim.3095"},
    ),
}


class Citations:
    """The papers that a text has cited so far."""

    def __init__(self) -> None:
        self._cited: set[str] = set()

    def __call__(self, *keys: str, before: str = "") -> str:
        """The papers in brackets: ``(Wilson, 1927)``.

        Args:
          keys: names in `PAPERS`.
          before: words that stand before them in the brackets.

        Raises:
          UnknownNameError: there is no such paper.
        """
        papers = [lookup(PAPERS, key, "paper") for key in keys]
        self._cited |= set(keys)
        return f"({before}{'; '.join(paper.in_text for paper in papers)})"

    @property
    def papers(self) -> dict[str, Paper]:
        """Those that were cited, by the first author's name."""
        return {key: paper for key, paper in PAPERS.items() if key in self._cited}
