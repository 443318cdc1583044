"""Keys of the practice world. They open nothing outside of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """What a person types into the cabinet's forms to connect the stand-ins."""

    supabase_ref: str = "practicepracticeprac"
    supabase_publishable_key: str = "sb_publishable_practice_only_opens_nothing"
    supabase_secret_key: str = "sb_secret_practice_only_opens_nothing"  # noqa: S105 -- a fake one by intent
    gemini_key: str = "AQ.practice-only-opens-nothing"
    openai_key: str = "sk-practice-only-opens-nothing"
    telegram_token: str = "7000000001:practice_only_this_token_opens_nothing"  # noqa: S105 -- a fake one by intent
    telegram_chat_id: int = -1002000000001
