"""Reading and writing payment codes: accounts, references, and each rule with its own reason."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from typer.testing import CliRunner

from contracts.terms.errors import BadPaymentCode
from nodes.qr import paynow, promptpay_bill, promptpay_proxy, read, unionpay, write, write_tlv
from nodes.qr.cli import app
from nodes.qr.crc import checksum
from nodes.qr.schemes import MAX_INPUT
from nodes.qr.tlv import format_objects, parse

BILLER = "010753600031501"
MERCHANT = "7029015600000000" + "123456789012345"
UEN = "201403121W"

PLAIN = {"00": "01", "26": format_objects([("00", "com.example"), ("01", "M1")]), "53": "840", "58": "US"}


def reason(text: str, today: date | None = None) -> object:
    with pytest.raises(BadPaymentCode) as refused:
        read(text, today)
    assert refused.value.detail
    return refused.value.fields["code_reason"]


def plain(**changes: str) -> str:
    """A plain code with objects added or replaced (`id54="1.00"`)."""
    return write_tlv((PLAIN | {name.removeprefix("id"): value for name, value in changes.items()}).items())


def with_template(objects: Iterable[tuple[str, str]], country: str = "TH", currency: str = "764") -> str:
    return plain(id29=format_objects(objects), id58=country, id53=currency)


def test_the_checksum_is_crc_16_ccitt_false() -> None:
    assert checksum("123456789") == "29B1"


def test_a_promptpay_bill() -> None:
    code = read(promptpay_bill(BILLER, "ORDER1", "TILL2", 1250, "SOMCHAI TEA", "BANGKOK"))
    assert (code.scheme, code.country, code.currency.alpha, code.amount) == ("PROMPTPAY", "TH", "THB", 1250)
    assert (code.merchant_name, code.merchant_city, code.single_use) == ("SOMCHAI TEA", "BANGKOK", True)
    assert [account.lookup_key for account in code.accounts] == [f"A000000677010112:{BILLER}"]
    assert (code.reference.ref1, code.reference.ref2, code.amount_editable) == ("ORDER1", "TILL2", False)


def test_a_promptpay_proxy_as_the_banks_print_it() -> None:
    text = promptpay_proxy("mobile", "0066801234567")
    assert text == "00020101021129370016A000000677010111011300668012345675303764" + "5802TH" + "6304" + text[-4:]
    assert read(text).accounts[0].lookup_key == "A000000677010111:0066801234567"


def test_a_paynow_code() -> None:
    code = read(paynow("uen", UEN, 990, True, "KOPI CORNER", reference="INV1", expires=date(2030, 1, 31)))
    assert (code.scheme, code.currency.alpha, code.amount, code.amount_editable) == ("PAYNOW", "SGD", 990, True)
    assert code.accounts[0].lookup_key == f"SG.PAYNOW:{UEN}"
    assert code.reference.bill_number == "INV1"
    assert code.expires == datetime(2030, 1, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=8)))


def test_a_unionpay_code() -> None:
    code = read(unionpay(MERCHANT, None, "老王茶馆", "北京", "5812"))
    assert (code.scheme, code.country, code.currency.alpha, code.amount) == ("UNIONPAY", "CN", "CNY", None)
    assert (code.merchant_name, code.merchant_city, code.category) == ("老王茶馆", "北京", "5812")
    assert not code.single_use
    assert code.accounts[0].lookup_key == f"UNIONPAY:{MERCHANT}"
    assert code.amount_editable


def test_a_code_of_no_known_scheme() -> None:
    code = read(plain())
    assert (code.scheme, code.accounts[0].lookup_key, code.category) == ("EMV", "COM.EXAMPLE:M1", "")


def test_an_unknown_template_is_an_issuers_only_where_its_country_gives_it_a_place() -> None:
    """Indonesia's issuers stand in 26 to 45, each under its own name; what stands elsewhere is no scheme of ours."""
    issuer = format_objects([("00", "ID.CO.TEA.WWW"), ("01", "936000140001287667")])
    other = format_objects([("00", "com.example"), ("01", "M1")])
    place = {"id58": "ID", "id53": "360", "id52": "5812", "id59": "TEA", "id60": "JAKARTA", "id61": "10310"}
    code = read(plain(**place, id26=issuer, id50=other))
    assert (code.scheme, code.schemes) == ("QRIS", ("QRIS", "EMV"))
    assert code.accounts[0].institution == "93600014"
    assert reason(plain(**place, id26=other)) == "bad-field"


def test_every_account_of_a_code_with_two_schemes_is_offered() -> None:
    text = paynow("uen", UEN, merchant_name="KOPI")
    objects = parse(text[:-8])
    both = write_tlv([("00", "01"), ("15", MERCHANT), *((i, v) for i, v in objects.items() if i != "00")])
    assert read(both).scheme == "PAYNOW"
    assert [a.lookup_key for a in read(both).accounts] == [f"UNIONPAY:{MERCHANT}", f"SG.PAYNOW:{UEN}"]


def test_a_shorter_number_under_id_15_names_no_unionpay_acquirer() -> None:
    assert read(plain(id15="1578161878171667")).scheme == "EMV"


def test_a_code_expires_at_the_end_of_its_day() -> None:
    text = paynow("uen", UEN, expires=date(2026, 3, 4))
    assert read(text, date(2026, 3, 4)).expires
    assert reason(text, date(2026, 3, 5)) == "expired"
    assert reason(paynow("uen", UEN, expires=date(2020, 1, 1))) == "expired"


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([("00", "A000000677010111")], "missing-field"),
        ([("00", "A000000677010111"), ("01", "0066801234567"), ("02", "1234567890123")], "conflicting-fields"),
        ([("00", "A000000677010111"), ("01", "006680123456")], "bad-field"),
        ([("00", "A000000677010112"), ("01", "01075360003150")], "bad-field"),
        ([("00", "SG.PAYNOW"), ("02", UEN)], "missing-field"),
        ([("00", "SG.PAYNOW"), ("01", "2"), ("02", UEN), ("04", "20261301")], "bad-expiry"),
        ([("00", "SG.PAYNOW"), ("01", "2"), ("02", UEN), ("03", "2")], "bad-field"),
        ([("00", "UNIONPAY"), ("01", "70290156")], "bad-guid"),
        ([("00", "SG.PAYNOW:1"), ("01", "1")], "bad-guid"),
    ],
)
def test_an_account_template_is_checked(objects: list[tuple[str, str]], expected: str) -> None:
    assert reason(with_template(objects)) == expected


def test_a_look_alike_guid_is_not_the_scheme() -> None:
    long_s = with_template([("00", "\u017fG.PAYNOW"), ("01", "2"), ("02", UEN)], "SG", "702")
    assert {account.scheme for account in read(long_s).accounts} == {"EMV"}


def test_two_accounts_of_one_scheme_are_refused() -> None:
    one, two = (format_objects([("00", "A000000677010112"), ("01", biller)]) for biller in (BILLER, BILLER[::-1]))
    assert reason(plain(id29=one, id30=two, id58="TH", id53="764")) == "conflicting-fields"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id54": "0.00"}, "bad-amount"),
        ({"id54": "1.005"}, "bad-amount"),
        ({"id54": "12345678901.23"}, "bad-amount"),
        ({"id54": "1.5", "id53": "392"}, "bad-amount"),
        ({"id53": "999"}, "unknown-currency"),
        ({"id53": "٨٤٠"}, "unknown-currency"),
        ({"id58": "us"}, "unknown-country"),
        ({"id52": "58A4"}, "bad-category"),
        ({"id01": "13"}, "bad-initiation"),
        ({"id55": "04"}, "bad-tip"),
        ({"id55": "02"}, "bad-tip"),
        ({"id56": "1.00"}, "bad-tip"),
        ({"id55": "03", "id57": "0.00"}, "bad-tip"),
        ({"id55": "03", "id57": "100"}, "bad-tip"),
        ({"id55": "02", "id56": "0"}, "bad-amount"),
        ({"id60": "C" * 16}, "too-long"),
        ({"id61": "1" * 11}, "too-long"),
        ({"id64": "0002ZH"}, "missing-field"),
        ({"id62": "0109A"}, "truncated"),
        ({"id00": "02"}, "unsupported-format"),
    ],
)
def test_each_wrong_object_has_its_reason(changes: dict[str, str], expected: str) -> None:
    assert reason(plain(**changes)) == expected


@pytest.mark.parametrize("mark", ["\u202e", "\u200f", "\u2066", "\x00", "\n", "\u2028", "\u200b", "\u200d"])
def test_marks_that_hide_or_turn_text_are_refused(mark: str) -> None:
    assert reason("000201" + mark) == "control-character"
    with pytest.raises(BadPaymentCode):
        unionpay(MERCHANT, merchant_name=f"TEA{mark}")


def test_letters_of_asia_are_not_refused() -> None:
    for name in ("ร้านชา", "クッキー\u3000屋", "ශ්\u200dරී", "ചാർ\u200cട്ട്"):
        assert read(unionpay(MERCHANT, merchant_name=name)).merchant_name == name


def test_input_is_bounded() -> None:
    assert reason("0" * (MAX_INPUT + 1)) == "too-long"
    many = plain(**{f"id{n}": "x" * 99 for n in range(80, 86)})
    assert reason(many) == "too-long"


@pytest.mark.parametrize("text", ["", "0", "000201", "0002016304", "63041D0F", "X" * 300])
def test_scraps_are_refused(text: str) -> None:
    assert reason(text)


def test_the_crc_may_be_lower_case_but_is_written_upper_case() -> None:
    text = next(t for t in (plain(id54=f"{n}.00") for n in range(1, 99)) if t[-4:] != t[-4:].lower())
    assert write(read(text[:-4] + text[-4:].lower())) == text


def test_a_checksum_object_that_holds_more_than_the_checksum_is_refused() -> None:
    """Found by `make fuzz`: its last eight characters are a right checksum, and a digit stands before them."""
    text = promptpay_proxy("mobile", "0066801234567")[:-8] + "63097" + "6304"
    assert reason(text + checksum(text)) == "crc-not-last"


def test_a_code_whose_facts_were_changed_is_not_written() -> None:
    code = read(promptpay_bill(BILLER, "ORDER1", amount=1250))
    with pytest.raises(BadPaymentCode) as refused:
        write(replace(code, amount=125000))
    assert refused.value.fields["code_reason"] == "inconsistent"


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: promptpay_bill("0107536000315", "R"),
        lambda: promptpay_bill(BILLER, "lower"),
        lambda: promptpay_bill(BILLER, "R", "not a reference"),
        lambda: promptpay_bill(BILLER, "R", amount=0),
        lambda: promptpay_bill(BILLER, "R", amount=-1),
        lambda: promptpay_proxy("fax", "1"),
        lambda: paynow("email", "a@b"),
        lambda: paynow("uen", UEN, merchant_name=""),
        lambda: paynow("uen", UEN, merchant_name="N" * 26),
        lambda: paynow("uen", UEN, reference="R" * 96),
        lambda: unionpay(MERCHANT[:-1]),
        lambda: unionpay(MERCHANT, category="1"),
        lambda: write_tlv([("00", "01"), ("00", "01")]),
        lambda: write_tlv([("0A", "01")]),
        lambda: write_tlv([("59", "")]),
    ],
)
def test_what_would_be_refused_is_not_written(attempt: object) -> None:
    with pytest.raises(BadPaymentCode):
        attempt()  # type: ignore[operator]


def test_decode_answers_each_line_of_standard_input() -> None:
    payloads = [promptpay_bill(BILLER, "ORDER1", amount=1250), "", "0" * 40_000, unionpay(MERCHANT)[:-1] + "!"]
    stdin = "\n".join(payloads).encode() + b"\r\n\xff\xfe\n" + unionpay(MERCHANT, 100, "茶").encode()
    run = CliRunner().invoke(app, ["decode", "-"], input=stdin)
    answers = [json.loads(line) for line in run.output.splitlines()]
    assert [answer["valid"] for answer in answers] == [True, False, False, False, False, True]
    assert [answer.get("amount") for answer in answers] == ["12.50", None, None, None, None, "1.00"]
    assert answers[0]["accounts"] == [f"A000000677010112:{BILLER}"]
    assert [answer["reason"] for answer in answers[2:5]] == ["too-long", "crc-mismatch", "bad-encoding"]
    assert answers[5]["merchant_name"] == "茶"
    assert run.exit_code == 0


def test_decode_of_one_code_tells_by_its_exit_status() -> None:
    text = paynow("uen", UEN, 100, expires=date(2026, 3, 4))
    assert CliRunner().invoke(app, ["decode", text, "--today", "2026-03-04"]).exit_code == 0
    late = CliRunner().invoke(app, ["decode", text, "--today", "2026-03-05"])
    assert (late.exit_code, json.loads(late.output)["reason"]) == (1, "expired")


@pytest.mark.parametrize(
    ("arguments", "scheme", "amount"),
    [
        (["promptpay-bill", BILLER, "ORDER1", "--amount", "12.50"], "PROMPTPAY", 1250),
        (["promptpay-proxy", "national-id", "1234567890123"], "PROMPTPAY", None),
        (["paynow", "mobile", "+6591234567", "--amount", "3", "--reference", "A1"], "PAYNOW", 300),
        (["unionpay", MERCHANT, "--name", "老王茶馆"], "UNIONPAY", None),
    ],
)
def test_encode_writes_what_decode_reads(arguments: list[str], scheme: str, amount: int | None) -> None:
    run = CliRunner().invoke(app, ["encode", *arguments])
    code = read(run.output.strip())
    assert (code.scheme, code.amount) == (scheme, amount)


def test_encode_says_what_is_wrong() -> None:
    for arguments in (["unionpay", "12"], ["unionpay", MERCHANT, "--amount", "1.005"]):
        assert CliRunner().invoke(app, ["encode", *arguments]).exit_code == 2
