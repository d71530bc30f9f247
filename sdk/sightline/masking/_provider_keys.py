"""Keys that providers begin with letters of their own."""

from typing import Final

# By its first letters: what follows them in a key.
PROVIDER_KEYS: Final = {
    "AIza": r"[\w-]{35,}", "ya29.": r"[\w-]{20,}", "GOCSPX-": r"[\w-]{20,}",  # Google
    "ghp_": r"\w{30,}", "gho_": r"\w{30,}", "ghu_": r"\w{30,}", "ghs_": r"\w{30,}", "ghr_": r"\w{30,}",
    "github_pat_": r"\w{22,}",
    "glpat-": r"[\w-]{20,}", "gldt-": r"[\w-]{20,}", "glrt-": r"[\w-]{20,}",  # GitLab
    "xoxa-": r"[\w-]{10,}", "xoxb-": r"[\w-]{10,}", "xoxe-": r"[\w-]{10,}", "xoxo-": r"[\w-]{10,}",  # Slack
    "xoxp-": r"[\w-]{10,}", "xoxr-": r"[\w-]{10,}", "xoxs-": r"[\w-]{10,}", "xapp-": r"[\w-]{20,}",
    "AKIA": r"[A-Z0-9]{16}(?!\w)", "ASIA": r"[A-Z0-9]{16}(?!\w)",  # AWS
    "sk_live_": r"\w{16,}", "rk_live_": r"\w{16,}", "sk_test_": r"\w{16,}",  # Stripe
    "whsec_": r"[\w+/]{24,}",
    "hf_": r"[A-Za-z0-9]{30,}",  # Hugging Face
    "gsk_": r"[A-Za-z0-9]{40,}",  # Groq
    "xai-": r"[A-Za-z0-9]{40,}",
    "pplx-": r"[A-Za-z0-9]{40,}",  # Perplexity
    "r8_": r"[A-Za-z0-9]{36,}",  # Replicate
    "nvapi-": r"[\w-]{40,}",  # NVIDIA
    "tvly-": r"[\w-]{20,}",  # Tavily
    "pcsk_": r"\w{30,}",  # Pinecone
    "lsv2_": r"\w{30,}",  # LangSmith
    "npm_": r"[A-Za-z0-9]{36}(?!\w)",
    "pypi-": r"AgE[\w-]{50,}",
    "dckr_pat_": r"[\w-]{20,}",  # Docker
    "dop_v1_": r"[a-f0-9]{64}",  # DigitalOcean
    "dapi": r"[a-f0-9]{32}(?!\w)",  # Databricks
    "SG.": r"[\w-]{16,}\.[\w-]{16,}",  # SendGrid
    "SK": r"[a-f0-9]{32}(?!\w)",  # Twilio
    "shpat_": r"[a-fA-F0-9]{32}",  # Shopify
    "hvs.": r"[\w-]{24,}",  # Vault
    "glsa_": r"\w{32,}", "glc_": r"[\w+/]{32,}",  # Grafana
    "NRAK-": r"[A-Z0-9]{27}",  # New Relic
    "lin_api_": r"\w{32,}",  # Linear
    "ntn_": r"[A-Za-z0-9]{40,}",  # Notion
    "ATATT3": r"[\w=-]{50,}",  # Atlassian
    "PMAK-": r"[a-f0-9]{24}-[a-f0-9]{34}",  # Postman
    "sq0csp-": r"[\w-]{40,}", "sq0atp-": r"[\w-]{22,}",  # Square
    "AGE-SECRET-KEY-1": r"[A-Z0-9]{58}",
}  # fmt: skip
