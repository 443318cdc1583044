"""Figures of one chat against a naive reading of the rules."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.figures.dialogue import ChatFigures, chat_figures
from synkro.infra.records import Message
from tests.support.deals_and_chats import ALWAYS, WINDOW, message
from tests.support.having import assert_has

DAY = 86_400
MESSAGES = st.lists(
    st.builds(
        message,
        st.integers(-50, DAY + 50) | st.sampled_from([0, 60, DAY - 1, DAY]) | st.floats(0, 100),
        st.sampled_from(["in", "out"]),
        st.integers(0, 5),
        failed=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda item: item.id,
)


def figures(*messages: Message) -> ChatFigures:
    return chat_figures(messages, WINDOW, ALWAYS)


def naive_responses(said: list[Message]) -> list[float]:
    """For each inbound message that opens a run: look forward for the first outbound one."""
    found = []
    for place, item in enumerate(said):
        opens = item.direction == "in" and (place == 0 or said[place - 1].direction == "out")
        answers = [later.at for later in said[place:] if later.direction == "out"]
        if opens and answers:
            found.append((answers[0] - item.at).total_seconds())
    return found


@given(MESSAGES)
def test_figures_agree_with_a_naive_reading(messages: list[Message]) -> None:
    said = sorted(
        (item for item in messages if WINDOW.start <= item.at < WINDOW.end), key=lambda item: (item.at, item.position)
    )
    got = figures(*messages)
    responses = naive_responses(said)
    assert list(got.responses_s) == responses
    assert got.first_response_s == (responses[0] if responses else None)
    assert got.messages_in == sum(item.direction == "in" for item in said)
    assert got.messages_out == sum(item.direction == "out" for item in said)
    assert got.out_failed == sum(item.direction == "out" and item.failed for item in said)
    assert got.unanswered == bool(said and said[-1].direction == "in")
    assert sum(got.inbound_by_hour) == got.messages_in


@given(MESSAGES)
def test_waiting_counts_from_the_first_message_after_our_last_word(messages: list[Message]) -> None:
    said = sorted(
        (item for item in messages if WINDOW.start <= item.at < WINDOW.end), key=lambda item: (item.at, item.position)
    )
    tail: list[Message] = []
    while said and said[-1].direction == "in":
        tail.insert(0, said.pop())
    got = figures(*messages)
    assert got.waiting_s == ((WINDOW.end - tail[0].at).total_seconds() if tail else None)
    assert got.silent_s == ((WINDOW.end - tail[-1].at).total_seconds() if tail else None)


@given(MESSAGES)
def test_a_calendar_without_nights_equals_the_clock(messages: list[Message]) -> None:
    got = figures(*messages)
    assert got.work_responses_s == got.responses_s


@given(MESSAGES, st.randoms())
def test_the_order_of_arrival_does_not_matter(messages: list[Message], random: object) -> None:
    shuffled = list(messages)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    spoken = {(item.at, item.position) for item in messages}
    if len(spoken) == len(messages):
        assert figures(*shuffled) == figures(*messages)


def test_a_run_is_answered_from_its_first_message() -> None:
    got = figures(message(0, "in"), message(60, "in"), message(90, "out"), message(95, "out"), message(100, "in"))
    assert_has(got, responses_s=(90.0,), unanswered=True, waiting_s=DAY - 100)


def test_a_series_begun_before_the_window_counts_from_inside_it() -> None:
    assert figures(message(-30, "in"), message(10, "in"), message(40, "out")).responses_s == (30.0,)


def test_an_answer_after_the_window_is_no_answer() -> None:
    got = figures(message(DAY - 10, "in"), message(DAY, "out"))
    assert_has(got, responses_s=(), first_response_s=None, unanswered=True)


def test_a_failed_answer_still_counts() -> None:
    got = figures(message(0, "in"), message(5, "out", failed=True))
    assert_has(got, responses_s=(5.0,), out_failed=1, unanswered=False)


def test_equal_times_keep_the_order_of_the_chat() -> None:
    assert figures(message(5, "out", 2), message(5, "in", 1)).responses_s == (0.0,)


def test_a_message_fetched_twice_counts_once() -> None:
    once = message(5, "in")
    assert figures(once, replace(once, position=9)).messages_in == 1


def test_older_than_is_measured_from_the_last_message_and_strictly() -> None:
    got = figures(message(0, "in"), message(DAY - 3_600, "in"))
    assert got.unanswered_older_than(59)
    assert not got.unanswered_older_than(60)


def test_hours_are_those_of_the_companys_zone() -> None:
    got = figures(message(0, "in"))
    assert got.inbound_by_hour.index(1) == 6


def test_a_silent_chat_is_not_active() -> None:
    assert not figures(message(-1, "in")).active
