"""
Prices as rows: dated prices as tables from which the engine computes what a call cost.

    published.py    price lists as published: the installed `genai-prices`, a file of it, a second source
    litellm.py      makes the second source's list from LiteLLM's data
    override.py     a discount, a price of one's own, a GPU's hour: what it charges, and when
    catalogue.py    everything that is sold, from both sources and what overrides name; pure
    export.py       a catalogue and overrides -> rows for every price table; pure
      cells.py        one model's prices as cells: context x day x second of the day x size of the input
      overridden.py   which overrides hold for which names, and what they make of a model's cells
      listing.py      the price list that people read
      marginals.py    what one more of a unit costs, and which counts contradict each other
      names.py        which names mean which model: exact names, then rules
      providers.py    which names mean which provider, OpenTelemetry's names first
      rules.py        rows of a regular expression tree that RE2 can run
    load.py         writes an export into the store and makes the engine see it
    api.py          what the command line and the HTTP port may change
    explain.py      why a call costs what it costs
    reprice.py      what came, charged anew by corrections

The arithmetic itself is SQL: `sql/steps/priced_spans.sql`.
"""
