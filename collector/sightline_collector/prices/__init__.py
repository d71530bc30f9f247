"""
Prices as rows: the dated prices of `genai-prices` as tables from which the engine computes what a call cost.

    export.py     a snapshot of the library -> rows for every price table; pure
      cells.py        one model's prices as cells: context x day x second of the day x size of the input
      listing.py      the price list that people read
      marginals.py    what one more of a unit costs, and which counts contradict each other
      names.py        which names mean which model: exact names, then rules
      providers.py    which names mean which provider, OpenTelemetry's names first
      rules.py        rows of a regular expression tree that RE2 can run
    load.py       writes an export into the store and makes the engine see it

The arithmetic itself is SQL: `sql/steps/priced_spans.sql`.
"""
