-- What was lost on the way, as far as anyone knows
select place, signal, service, reason, items, reports from span_loss
