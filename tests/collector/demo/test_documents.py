"""The support desk's library."""

from sightline_collector.demo.documents import Library, Passage, own_documents

LIBRARY = Library(
    [
        Passage("views: cost_by_model", "Cost of each model in USD, with calls and tokens."),
        Passage("wal/log.py", "The log answers when a record is on disk."),
        Passage("README", "Sightline watches programs that call language models, and the model's cost."),
    ]
)


def test_the_best_fitting_passage_comes_first() -> None:
    """Rare words that a question and a passage share weigh most."""
    assert LIBRARY.search("cost by model view")[0].title == "views: cost_by_model"
    assert LIBRARY.search("is the record on disk?")[0].title == "wal/log.py"


def test_passages_that_share_no_word_are_not_found() -> None:
    """A search may find fewer than asked for, or nothing."""
    assert LIBRARY.search("zebra") == []
    assert len(LIBRARY.search("disk", limit=3)) == 1


def test_its_own_documents_are_the_readme_the_views_and_the_modules() -> None:
    """The desk reads what the project says about itself, as prose."""
    passages = own_documents().passages
    kinds = {passage.title.split(":")[0].split("/")[0] for passage in passages}
    assert {"README", "views", "steps", "ingest", "sightline", "wal"} <= kinds
    assert not [passage for passage in passages if set(passage.text) & set("│└├")]
    assert not [passage for passage in passages if passage.title.startswith("demo/")]
