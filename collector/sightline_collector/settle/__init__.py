"""Settlement: each model call is paid once, however many spans tell of it.

    claims of a trace ──▶ delivered once ──▶ twins ──▶ sums of other claims ──▶ verdicts
                                                                                  │
    what the ledger holds of them ──▶ difference ◀────────────────────────────────┘
                                          │
                                          ▼
                                  correction entries, appended

A span that reports usage claims a call. Spans come in any order, and late; so a trace is judged anew whenever
spans of it have come, from all of its claims, and only what differs from the ledger is written. Judging twice
writes nothing; judging everything from the beginning comes to the same totals.
"""
