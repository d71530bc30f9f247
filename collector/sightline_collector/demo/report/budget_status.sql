-- What budgets have left
select budget, window_end, round(spend_usd, 4) as spend_usd, limit_usd, share_pct, state, calls
from budget_status
