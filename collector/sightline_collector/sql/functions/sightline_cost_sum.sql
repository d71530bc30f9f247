-- The sum of the amounts that an object of JSON holds, as text; empty when it holds none.
-- Units: USD. Reads: sightline_document. Readers: mapped_spans.
create or replace function sightline_cost_sum as (details) -> arrayMap(
    amounts -> if(empty(amounts), '', toString(arraySum(amounts))),
    [arrayFilter(usd -> usd != 0 and abs(usd) < 1000000, arrayMap(
        text -> toDecimal128OrZero(text, 18),
        mapValues(JSONExtract(sightline_document(details), 'Map(String, String)'))))])[1]
