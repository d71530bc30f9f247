-- The id of an answer by what a client returned, as JSON: OpenAI's, Anthropic's, or LangChain's of its first
-- message; empty when it says none. Reads: sightline_json_whole. Readers: mapped_spans.
create or replace function sightline_answer_id as (answer) -> if(
    position(answer, '"id"') = 0, '',
    arrayMap(
        said -> if(JSONHas(said, 'id'),
            JSONExtractString(said, 'id'),
            JSONExtractString(said, 'generations', 1, 1, 'message', 'kwargs', 'response_metadata', 'id')),
        [sightline_json_whole(answer)])[1])
