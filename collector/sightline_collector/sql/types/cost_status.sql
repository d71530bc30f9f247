-- Whether a span costs something, and why, or why nobody knows what it costs.
Enum8('not_a_call' = 0, 'priced' = 1, 'assumed' = 2, 'reported' = 3, 'estimated_tokens' = 4, 'free' = 5,
        'cached_by_gateway' = 6, 'no_usage' = 7, 'unpriced_model' = 8, 'bad_usage' = 9, 'too_large' = 10)
