"""The other ways to find a company by name, each as its makers show it. All are optional here."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from w365.matching.names import fold_name


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds: of building or training, then of answering by the wall and by the processor."""

    build: float
    wall: float
    processor: float


@dataclass(frozen=True, slots=True)
class Found:
    """For every query the positions of at most five names, best first."""

    positions: Sequence[Sequence[int]]
    spent: Spent


def w_ratio(names: list[str], queries: list[str]) -> Found:
    """Ask RapidFuzz for the five best by WRatio, its default scorer, on folded names."""
    from rapidfuzz import fuzz, process

    started = time.perf_counter()
    folded, asked = [fold_name(one) for one in names], [fold_name(one) for one in queries]
    build = time.perf_counter() - started
    started, processor = time.perf_counter(), time.process_time()
    positions = [[hit[2] for hit in process.extract(one, folded, scorer=fuzz.WRatio, limit=5)] for one in asked]
    return Found(positions, Spent(build, time.perf_counter() - started, time.process_time() - processor))


def tf_idf(names: list[str], queries: list[str]) -> Found:
    """Rank by the cosine of TF-IDF-weighted character trigrams inside words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sparse_dot_topn import sp_matmul_topn

    started = time.perf_counter()
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True)
    matrix = vectorizer.fit_transform([fold_name(one) for one in names]).T.tocsr()
    build = time.perf_counter() - started
    started, processor = time.perf_counter(), time.process_time()
    asked = vectorizer.transform([fold_name(one) for one in queries])
    best = sp_matmul_topn(asked, matrix, top_n=5, sort=True, n_threads=1)
    positions = [best.indices[best.indptr[at] : best.indptr[at + 1]].tolist() for at in range(len(queries))]
    return Found(positions, Spent(build, time.perf_counter() - started, time.process_time() - processor))


def splink(names: list[str], queries: list[str]) -> Found:
    """Link by Splink 5 trained without labels: name by Jaro-Winkler and term frequency, blocked by its words."""
    import pyarrow as pa
    import splink as library
    import splink.comparison_library as cl

    started = time.perf_counter()
    api = library.DuckDBAPI()
    tables = [
        api.register(pa.table(_columns(group)), dataset_display_name=called)
        for called, group in (("accounts", names), ("customers", queries))
    ]
    rules = [
        library.block_on("name"),
        *(library.block_on(f"word{one}") for one in (1, 2, 3)),
        library.block_on("substr(name, 1, 6)"),
    ]
    settings = library.SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.97, 0.92, 0.85, 0.75]).configure(term_frequency_adjustments=True),
            *(cl.ExactMatch(f"word{one}").configure(term_frequency_adjustments=True) for one in (1, 2, 3)),
        ],
        blocking_rules_to_generate_predictions=rules,
        unique_id_column_name="unique_id",
        retain_intermediate_calculation_columns=False,
    )
    logging.getLogger("splink").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linker = library.Linker(tables, settings)
        linker.training.estimate_probability_two_random_records_match([library.block_on("name")], recall=0.5)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=365)
        linker.training.estimate_parameters_using_expectation_maximisation(library.block_on("word1"))
        linker.training.estimate_parameters_using_expectation_maximisation(library.block_on("word2"))
        build = time.perf_counter() - started
        started, processor = time.perf_counter(), time.process_time()
        rows = linker.inference.predict(threshold_match_weight=-20).as_record_list()
    return Found(
        _best_five(rows, len(queries)), Spent(build, time.perf_counter() - started, time.process_time() - processor)
    )


def _columns(names: list[str]) -> dict[str, list[object]]:
    folded = [fold_name(one) for one in names]
    # The three longest words stand for the rarest.
    words = [sorted(set(one.split()), key=lambda word: (-len(word), word))[:3] for one in folded]
    columns: dict[str, list[object]] = {"unique_id": list(range(len(names))), "name": list(folded)}
    for at in range(3):
        columns[f"word{at + 1}"] = [of[at] if at < len(of) else None for of in words]
    return columns


def _best_five(rows: list[dict[str, object]], queries: int) -> list[list[int]]:
    found: list[list[tuple[float, int]]] = [[] for _ in range(queries)]
    for row in rows:
        left, right = int(str(row["unique_id_l"])), int(str(row["unique_id_r"]))
        found[right].append((-float(str(row["match_weight"])), left))
    return [[at for _, at in sorted(one)[:5]] for one in found]
