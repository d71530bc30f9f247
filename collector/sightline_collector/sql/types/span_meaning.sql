-- What an attribute of a span can mean, and what the names of scopes and spans can show.
Enum8(
    '' = 0, 'operation' = 1, 'mcp_method' = 2, 'provider' = 3, 'response_model' = 4, 'request_model' = 5,
    'bare_model' = 6, 'response_id' = 7, 'input_tokens' = 8, 'input_rest' = 9, 'output_tokens' = 10,
    'output_rest' = 11, 'total_tokens' = 12, 'cache_read' = 13, 'cache_write' = 14,
    'cache_write_5m' = 15, 'cache_write_1h' = 16, 'cache_apart' = 17, 'reasoning' = 18, 'tool_use' = 19,
    'audio_input' = 20, 'audio_output' = 21, 'audio_cached' = 22, 'image_input' = 23,
    'image_output' = 24, 'web_searches' = 25, 'compaction_input' = 26, 'compaction_output' = 27,
    'reported_cost' = 28, 'reported_input_cost' = 29, 'reported_output_cost' = 30, 'estimated' = 31,
    'aggregated' = 32, 'gateway_cached' = 33, 'service_tier' = 34, 'first_chunk_s' = 35,
    'first_chunk_ms' = 36, 'first_chunk_served' = 37, 'first_chunk_at' = 38, 'first_token_s' = 39,
    'tokens_per_second' = 40, 'finish' = 41, 'input' = 42, 'output' = 43, 'session' = 44, 'user' = 45,
    'feature' = 46, 'experiment' = 47, 'variant' = 48, 'shadow' = 49, 'stage' = 50, 'tags' = 51,
    'prompt_name' = 52, 'prompt_version' = 53, 'agent' = 54, 'tool' = 55, 'entity' = 56,
    'error_type' = 57, 'blocked' = 58, 'budget' = 59, 'weight' = 60, 'thinned' = 61,
    'operation_named' = 62, 'rerank_searches' = 63, 'level' = 64, 'level_says' = 65, 'speed' = 66,
    'cache_within' = 67, 'video_input' = 68, 'document_input' = 69,
    'inference_geo' = 70, 'service_tier_asked' = 71, 'sent_model' = 72, 'input_beside_cache' = 73,
    'image_cached' = 74)
