-- The role that a word stands for: system, user, assistant, tool, or the word itself; '' for words that tell
-- none. The word may be the type of what is no message: a call is the assistant's, its result the tool's.
-- Reads: nothing. Readers: sightline_message.
create or replace function sightline_message_role as (word) -> transform(
    lower(word),
    [
        'human', 'humanmessage', 'humanmessagechunk', 'systemmessage', 'developer',
        'ai', 'aimessage', 'aimessagechunk', 'model', 'bot', 'chatbot', 'agent',
        'reasoning', 'function_call', 'tool_call', 'tool_use', 'custom_tool_call',
        'toolmessage', 'function', 'functionmessage', 'function_call_output', 'tool_result',
        'tool_call_response', 'custom_tool_call_output',
        'system', 'user', 'assistant', 'tool'],
    [
        'user', 'user', 'user', 'system', 'system',
        'assistant', 'assistant', 'assistant', 'assistant', 'assistant', 'assistant', 'assistant',
        'assistant', 'assistant', 'assistant', 'assistant', 'assistant',
        'tool', 'tool', 'tool', 'tool', 'tool', 'tool', 'tool',
        'system', 'user', 'assistant', 'tool'],
    '')
