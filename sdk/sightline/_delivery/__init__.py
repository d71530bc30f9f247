"""From a finished span or log record to the collector; `delivery` joins the parts."""
