"""A search as queries of tantivy; what each of them means is what `to_sql` says in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.search.ast import And, AnyBy, By, Fuzzy, Name, Node, Not, Or, Phrase, Prefix

if TYPE_CHECKING:
    import tantivy

BETWEEN_NAMES = "|"


class IndexQueries:
    """Makes queries for one index."""

    def __init__(self, schema: tantivy.Schema, searcher: tantivy.Searcher) -> None:
        from tantivy import Occur, Query

        self._query = Query
        self._occur = Occur
        self._schema = schema
        self._searcher = searcher

    def of(self, tree: Node) -> tantivy.Query:
        """The query of a search."""
        if isinstance(tree, And):
            return self._all_of(tree.parts)
        if isinstance(tree, Not):
            return self._all_of((tree,))
        if isinstance(tree, Or):
            should = self._occur.Should
            return self._query.boolean_query([(should, self.of(part)) for part in tree.parts])
        if isinstance(tree, AnyBy):
            return self._query.const_score_query(
                self._query.term_query(self._schema, "artists", BETWEEN_NAMES), 1.0
            )
        if isinstance(tree, By):
            return self._name(tree.name, "artists")
        return self._name(tree, "text")

    def like(self, text: str) -> tantivy.Query:
        """The query for prompts with the same rarer words as a normalised text."""
        # With its defaults of 5 documents and 2 occurrences it finds nothing.
        return self._query.more_like_this_document_fields_query(
            self._schema, {"text": [text]}, min_doc_frequency=1, min_term_frequency=1
        )

    def _all_of(self, parts: tuple[Node, ...]) -> tantivy.Query:
        must, must_not = self._occur.Must, self._occur.MustNot
        made = [
            (must_not, self.of(part.part)) if isinstance(part, Not) else (must, self.of(part))
            for part in parts
        ]
        if all(occur == must_not for occur, _ in made):
            # Something to take away from, which adds nothing to a score.
            made.append((must, self._query.const_score_query(self._query.all_query(), 0.0)))
        return self._query.boolean_query(made)

    def _name(self, name: Name, field: str) -> tantivy.Query:
        if isinstance(name, Phrase):
            return self._phrase(name, field)
        if isinstance(name, Prefix):
            return self._query.fuzzy_term_query(
                self._schema, field, name.start, distance=0, prefix=True
            )
        if isinstance(name, Fuzzy):
            return self._query.fuzzy_term_query(
                self._schema, field, name.word, name.distance, transposition_cost_one=False
            )
        return self._query.term_query(self._schema, field, name.word)

    def _phrase(self, phrase: Phrase, field: str) -> tantivy.Query:
        if not phrase.prefix:
            return self._query.phrase_query(self._schema, field, list(phrase.words))
        # tantivy's own prefix phrase looks at 50 endings, its pattern phrase refuses 16,384.
        *words, start = phrase.words
        endings = self._searcher.terms_with_prefix(field, start)
        made = [
            self._query.phrase_query(self._schema, field, [*words, ending]) for ending, _ in endings
        ]
        return self._query.boolean_query([(self._occur.Should, query) for query in made])
