-- Which calls have no price: counted, and never taken for free
select model, reason, calls, next_step from unpriced_calls
