-- The id of an answer by what a client returned, as JSON: OpenAI's, Anthropic's, or LangChain's of its first
-- message; empty when it says none. Reads: nothing. Readers: mapped_spans.
create or replace function sightline_answer_id as (answer) -> if(JSONHas(answer, 'id'),
    JSONExtractString(answer, 'id'),
    JSONExtractString(answer, 'generations', 1, 1, 'message', 'kwargs', 'response_metadata', 'id'))
