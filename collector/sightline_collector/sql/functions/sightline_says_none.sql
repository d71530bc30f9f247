-- Whether an attribute's text is what senders write who have nothing to say: another key of the same meaning
-- comes before it. Reads: nothing. Readers: recognised_spans.
create or replace function sightline_says_none as (text) -> has(
    ['', 'null', 'None', 'nan', 'NaN', 'inf', '-1', 'unknown', 'undefined', 'N/A'], text)
