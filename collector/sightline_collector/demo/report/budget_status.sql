-- What budgets have left
select budget, window_end, spend_usd, limit_usd, share_pct, state, calls from budget_status
