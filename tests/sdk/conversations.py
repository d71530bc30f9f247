"""All the conversations, by the client that has them; see `sdk.clients`."""

from sdk.openai_conversations import COMPATIBLE, LITELLM, MISTRAL, OPENAI, RESPONSES
from sdk.other_conversations import ANTHROPIC, BEDROCK, COHERE, GOOGLE, OLLAMA

CONVERSATIONS = {
    "openai": OPENAI,
    "compatible": COMPATIBLE,
    "responses": RESPONSES,
    "anthropic": ANTHROPIC,
    "google": GOOGLE,
    "bedrock": BEDROCK,
    "mistral": MISTRAL,
    "cohere": COHERE,
    "ollama": OLLAMA,
    "litellm": LITELLM,
}
