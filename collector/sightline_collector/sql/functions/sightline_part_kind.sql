-- What kind of part a word stands for, be it its type or the name of the member that holds what it says; ''
-- for words that stand for none. Reads: nothing. Readers: sightline_part_members.
create or replace function sightline_part_kind as (word) -> transform(
    word,
    [
        'text', 'input_text', 'output_text', 'summary_text', 'refusal',
        'thinking', 'redacted_thinking', 'reasoning', 'reasoningContent',
        'function', 'function_call', 'functionCall', 'tool_call', 'tool-call', 'toolName', 'tool_use',
        'toolUse', 'server_tool_use', 'custom_tool_call', 'toolRequest', 'call_id',
        'function_call_output', 'function_response', 'functionResponse', 'tool_call_response', 'tool_result',
        'tool-result', 'toolResult', 'custom_tool_call_output', 'toolResponse', 'tool_call_result',
        'image', 'image_url', 'input_image', 'image_content', 'audio', 'input_audio', 'audio_content',
        'video', 'document', 'file', 'input_file', 'media', 'source', 'inlineData', 'inline_data', 'fileData',
        'file_data'],
    [
        'text', 'text', 'text', 'text', 'text',
        'reasoning', 'reasoning', 'reasoning', 'reasoning',
        'call', 'call', 'call', 'call', 'call', 'call', 'call',
        'call', 'call', 'call', 'call', 'call',
        'response', 'response', 'response', 'response', 'response',
        'response', 'response', 'response', 'response', 'response',
        'file', 'file', 'file', 'file', 'file', 'file', 'file', 'file',
        'file', 'file', 'file', 'file', 'file', 'file', 'file', 'file',
        'file'],
    '')
