-- Members of JSON of which some are JSON again, with the members of those in their place: as deep as the
-- dialects say, three levels more at most, and no more than there are braces, of which \u007b is one. Takes
-- keys, texts and places. Reads: sightline_members. Readers: recognised_spans.
create or replace function sightline_unfolded as (outermost) -> arrayFold(
    (found, level) -> arrayConcat(
        arrayFilter(member -> bitAnd(member.3, 16384) = 0, found),
        sightline_members(arrayFilter(member -> bitAnd(member.3, 16384) != 0, found))),
    range(least(3, arraySum(
        each -> if(bitAnd(each.3, 16384) = 0, 0,
            1 + countSubstrings(each.2, '{') + 4 * (position(each.2, 'u007') > 0)), outermost))),
    outermost)
