-- Whether a model call used something that nobody knows the price of. A call that failed before it reported a
-- token has no price either, and is none of them: there is nothing to pay for.
isNull(cost_usd) and not (status = 'error' and isNull(input_tokens) and isNull(output_tokens))
