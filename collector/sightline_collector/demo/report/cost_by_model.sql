-- What each model cost
select model, calls, cost_usd, input_tokens, cache_read_tokens, output_tokens, unpriced_calls
from cost_by_model
