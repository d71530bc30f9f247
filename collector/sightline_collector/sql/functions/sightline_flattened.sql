-- Flattened attributes as the lists that they were, each as JSON under its own name. Each entry is written
-- behind what the one before it, `last`, left open: a part, a message, a list. The marks between lists, and
-- of a part that only says that there is a call, are characters that JSON text cannot contain. `entries` is a
-- column: it is named often, and what the last one said is left behind.
-- Reads: sightline_unmarked. Readers: gathered_spans.
create or replace function sightline_flattened as (entries) -> CAST(
    arrayMap(
        list -> (splitByChar('\x02', list)[1], splitByChar('\x02', list)[2]),
        splitByChar('\x01', sightline_unmarked(arrayStringConcat(arrayMap(
            (this, last) -> concat(
                multiIf(
                    (this.1, this.2, this.4, this.5) = (last.1, last.2, last.4, last.5), ',',
                    (this.1, this.2) = (last.1, last.2), concat(
                        if(last.4 = 0, ',"parts":[{', '},{'), sightline_flattened_type(this.4, this.7)),
                    concat(
                        multiIf(last.1 = '', '', last.4 > 0, '}]}', last.3 = '', '}', ',"parts":[]}'),
                        multiIf(
                            this.1 = last.1, ',',
                            this.1 = '', ']',
                            concat(if(last.1 = '', '', ']\x01'), this.1, '\x02[')),
                        multiIf(
                            this.1 = '', '',
                            this.3 = '' or this.7 = 'role', '{',
                            concat(
                                '{"role":"', this.3, if(this.4 = 0, '",', '","parts":[{'),
                                sightline_flattened_type(this.4, this.7))))),
                if(this.1 = '', '', concat(
                    '"', if(
                        this.7 = 'content' and this.4 = 2 and last.7 = 'id'
                            and (this.1, this.2) = (last.1, last.2),
                        'response', this.7),
                    '":', this.8))),
            entries, arrayPopBack(arrayPushFront(
                arrayZip(entries.1, entries.2, entries.3, entries.4, entries.5, entries.6, entries.7),
                ('', 0, '', 0, 0, 0, '')))))))),
    'Map(LowCardinality(String), String)')
