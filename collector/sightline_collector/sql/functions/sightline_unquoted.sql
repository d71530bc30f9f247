-- A text that was written as JSON once more than it needs, or twice: MLflow and OpenLLMetry write each value
-- so. Reads: nothing. Readers: mapped_spans.
create or replace function sightline_unquoted as (text) -> if(
    startsWith(text, '"') and isValidJSON(text),
    arrayMap(
        once -> if(startsWith(once, '"') and isValidJSON(once), JSONExtractString(once), once),
        [JSONExtractString(text)])[1],
    text)
