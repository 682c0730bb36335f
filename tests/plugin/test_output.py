"""What is printed: one line of words and perfdata, then lines that can do no harm."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.plugin.output import Outcome, Perfdata, plain
from tests.support import perfdata

_ANY = st.text(st.characters(exclude_categories=()), max_size=600)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("a|b", "a/b"),
        ("<script>", "(script)"),
        ("&#8238;", "+#8238;"),
        (r"a\nb\tc", "a/nb/tc"),
        ("a\nb\r\tc\0", "a?b??c?"),
        ("a\x1b[31mb", "a?[31mb"),
        ("a\u2028b\u2029c", "a?b?c"),
        ("a\u202eb\u2066c", "a?b?c"),
        ("a\u0085b\x9bc", "a?b?c"),
        ("a\udcffb\ud800c", "a?b?c"),
        ("a\u200bb\ufeffc\xadd", "a?b?c?d"),
        ("a\ue000b\U000e0041c", "a?b?c"),
        ("Grüße, 日本", "Grüße, 日本"),
        ("  two blanks  ", "  two blanks  "),
    ],
)
def test_text_is_one_line_without_markup(text, harmless):
    assert plain(text, 100) == harmless


def test_text_of_just_the_longest_length_is_left_alone():
    assert plain("a" * 400, 400) == "a" * 400


def test_longer_text_is_cut_and_says_so():
    assert plain("a" * 10_000, 400) == "a" * 397 + "..."


def test_length_is_counted_in_bytes_and_no_character_is_halved():
    assert plain("ü" * 200, 400) == "ü" * 200
    assert plain("ü" * 201, 400) == "ü" * 198 + "..."
    assert plain("日" * 10_000, 400) == "日" * 132 + "..."


@given(_ANY, st.integers(4, 500))
def test_whatever_comes_in_one_short_printable_line_goes_out(text, longest):
    line = plain(text, longest)

    assert len(line.encode()) <= longest
    assert not set(line) & set("|<>&\\")
    assert {unicodedata.category(character) for character in line} <= {
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs",
    }  # fmt: skip
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (("sent", 5, "", "", "", 0, None), "sent=5;;;0"),
        (("ratio", 33.3, "%", "10", "@5:20", 0, 100), "ratio=33.3%;10;@5:20;0;100"),
        (("age", 10**12, "s", "", "5", None, None), "age=1000000000000s;;5"),
        (("size", 0, "B", "", "", None, None), "size=0B"),
    ],
)
def test_perfdata_leaves_out_what_is_not_there(fields, text):
    assert str(Perfdata(*fields)) == text


def test_words_perfdata_and_long_output_stand_in_this_order():
    outcome = Outcome(
        "postfix auth", 2, "much", [Perfdata("a", 1, "", "", "", 0, None)] * 2, ["x:", "  1  y"]
    )

    assert str(outcome) == "POSTFIX AUTH CRITICAL - much | a=1;;;0 a=1;;;0\nx:\n  1  y\n"


def test_without_perfdata_there_is_no_bar():
    assert str(Outcome("postfix auth", 3, "why")) == "POSTFIX AUTH UNKNOWN - why\n"


def test_the_long_output_ends_after_a_hundred_lines():
    outcome = Outcome("postfix auth", 0, "words", lines=["line"] * 99)

    outcome.add(["last", "too much"])

    assert outcome.lines == ["line"] * 99 + ["last"]
    outcome.add(["too much"])
    assert len(outcome.lines) == 100


@given(_ANY, st.lists(_ANY, max_size=3), st.integers(0, 3))
def test_whatever_is_said_the_shape_stays(words, lines, state):
    outcome = Outcome("postfix auth", state, words, [Perfdata("a", 1, "", "", "", 0, 5)], lines)

    assert perfdata.of(str(outcome)) == {"a": (1, "", "", "", "0", "5")}
    assert str(outcome).count("\n") == 1 + len(lines)
    str(outcome).encode("utf-8")


@pytest.mark.parametrize(("state", "then"), [(0, 3), (1, 1), (2, 2), (3, 3)])
def test_what_kept_a_check_from_its_work_takes_nothing_from_an_alarm(state, then):
    outcome = Outcome("postfix queue", state, "9 messages")

    outcome.add_trouble("cannot write it")

    assert outcome.exit_code == then
    assert outcome.words.endswith("9 messages (cannot write it)")
