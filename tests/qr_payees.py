"""Payees of every scheme that is written as an EMVCo code, and the values of every kind of link, for Hypothesis."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from nodes.qr.compose import Payee

LETTERS = string.digits + string.ascii_uppercase


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text(string.digits, min_size=length, max_size=length)


def letters(most: int, least: int = 1) -> st.SearchStrategy[str]:
    return st.text(LETTERS, min_size=least, max_size=most)


_HANDLES = st.builds("{}@{}".format, letters(12), st.text(string.ascii_lowercase, min_size=2, max_size=8))
_PROMPTPAY = st.one_of(
    st.fixed_dictionaries({"00": st.just("A000000677010111"), "01": digits(13)}),
    st.fixed_dictionaries({"00": st.just("A000000677010111"), "03": digits(15)}),
    st.fixed_dictionaries({"00": st.just("A000000677010112"), "01": digits(15), "02": letters(20)}),
)
_PAYNOW = st.one_of(
    st.fixed_dictionaries({"01": st.just("2"), "02": letters(13, 8), "03": st.sampled_from("01")}),
    st.fixed_dictionaries(
        {"01": st.just("0"), "02": digits(10).map("+{}".format)}, optional={"04": st.just("20991231")}
    ),
)
_HKQR = st.one_of(
    st.fixed_dictionaries({"02": digits(7)}),
    st.fixed_dictionaries({"01": digits(3), "03": digits(8).map("+852-{}".format)}),
    st.fixed_dictionaries({"04": _HANDLES, "06": st.sampled_from("01")}),
)
_PIX = st.fixed_dictionaries({"01": letters(36)}, optional={"02": letters(20), "03": digits(8)})

OBJECTS: dict[str, st.SearchStrategy[dict[str, str]]] = {
    "SGQR": st.fixed_dictionaries({"01": digits(12)}),
    "PAYNOW": _PAYNOW,
    "PROMPTPAY": _PROMPTPAY,
    "QRIS": st.fixed_dictionaries(
        {
            "00": st.just("ID.CO.EXAMPLE.WWW"),
            "01": digits(14).map("9360{}".format),
            "03": st.sampled_from(["UMI", "UBE"]),
        }
    ),
    "DUITNOW": st.fixed_dictionaries({"01": digits(6)}, optional={"02": letters(28)}),
    "VIETQR": st.fixed_dictionaries(
        {"01.00": digits(6), "01.01": letters(19)}, optional={"02": st.sampled_from(["QRIBFTTA", "QRIBFTTC"])}
    ),
    "VNPAY": st.fixed_dictionaries({"01": letters(12)}),
    "VN-OTHER": st.fixed_dictionaries({"00": st.just("vn.example.www"), "01": letters(30)}),
    "HKQR": _HKQR,
    "KHQR": st.fixed_dictionaries({"00": _HANDLES}, optional={"01": letters(15), "02": letters(20)}),
    "LAOQR": st.fixed_dictionaries({"01": digits(8), "02": st.just("002"), "03": letters(25)}),
    "QRPH": st.fixed_dictionaries({"01": letters(11, 8), "03": letters(20)}, optional={"05": digits(3)}),
    "BHARATQR": st.fixed_dictionaries({"01": _HANDLES}),
    "PIX": _PIX,
    "JPQR": st.fixed_dictionaries({"01": digits(13), "02": digits(4), "03": digits(6), "04": digits(6)}),
    "NEPALPAY": st.fixed_dictionaries({"01": letters(20)}),
    "LANKAQR": st.fixed_dictionaries({"01": letters(20)}),
    "NETS": st.fixed_dictionaries({"02": digits(15)}, optional={"03": digits(8)}),
    "UNIONPAY": st.fixed_dictionaries({"15": digits(31)}),
    "WECHAT": st.fixed_dictionaries({"01": digits(10)}, optional={"02": digits(10)}),
    "EMV": st.fixed_dictionaries({"00": st.just("com.example"), "01": letters(20)}),
}
WITHOUT_A_COUNTRY = {"UNIONPAY", "WECHAT", "EMV"}

_AMOUNTS = st.integers(1, 10**9).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")
LINKS: dict[str, st.SearchStrategy[dict[str, str]]] = {
    "UPI": st.fixed_dictionaries(
        {"pa": _HANDLES, "pn": letters(20)},
        optional={"am": _AMOUNTS, "tn": st.text("aé &=+%茶", max_size=9), "mc": digits(4)},
    ),
    "UPI-GLOBAL": st.fixed_dictionaries({"pa": _HANDLES, "pn": letters(9), "cc": st.just("MU"), "cu": st.just("MUR")}),
    "TWQR": st.fixed_dictionaries(
        {"name": letters(9), "D5": digits(3), "D6": digits(16)}, optional={"D1": st.just("250")}
    ),
    "UNIONPAY": st.fixed_dictionaries({"institution": digits(8), "token": letters(32)}),
    "WECHAT": st.fixed_dictionaries({"token": letters(32)}),
    "ALIPAY": st.fixed_dictionaries({"token": letters(32)}),
    "ALIPAYPLUS": st.fixed_dictionaries({"token": letters(30, 8).map("28{}".format)}),
}


def payees(scheme: str) -> st.SearchStrategy[Payee]:
    return OBJECTS[scheme].map(lambda objects: Payee(scheme, objects))
