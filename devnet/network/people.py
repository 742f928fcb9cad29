"""People: customers with money and merchants with codes, through each institution's API. Every name is made up."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from contracts.terms.money import currency, parse_decimal
from devnet.network.api import Apis, NodeApi
from devnet.network.cast import INSTITUTIONS


@dataclass(frozen=True)
class Customer:
    """A customer of the institution of `country`; `id` names the account and the token's subject."""

    id: str
    name: str
    country: str
    birth_date: str

    @property
    def owner(self) -> str:
        return self.id

    @property
    def party(self) -> dict[str, str]:
        """As the API takes it."""
        return {
            "name": self.name,
            "kind": "person",
            "country": self.country,
            "birth_date": self.birth_date,
            "nationality": self.country,
        }


@dataclass(frozen=True)
class Merchant:
    """A merchant of the institution of `country`. `proxy` is its UEN where the scheme knows merchants by proxies;
    the amounts that it asks for lie between `least` and `most`, in decimals."""

    id: str
    name: str
    country: str
    city: str
    category: str
    least: str
    most: str
    proxy: str = ""

    @property
    def owner(self) -> str:
        return f"owner-of-{self.id}"

    @property
    def registration(self) -> dict[str, str]:
        """As the API takes it."""
        fields = {"id": self.id, "name": self.name, "city": self.city, "category": self.category, "proxy": self.proxy}
        return {**fields, "owner": self.owner}


CUSTOMERS = (
    Customer("zhang-wei", "Zhang Wei", "CN", "1988-04-12"),
    Customer("li-na", "Li Na", "CN", "1993-11-02"),
    Customer("wang-xiuying", "Wang Xiuying", "CN", "1975-07-30"),
    Customer("liu-yang", "Liu Yang", "CN", "1999-01-19"),
    Customer("chen-jing", "Chen Jing", "CN", "1984-09-05"),
    Customer("somchai-jaidee", "Somchai Jaidee", "TH", "1979-03-21"),
    Customer("malee-srisuk", "Malee Srisuk", "TH", "1991-12-08"),
    Customer("anan-wongsakul", "Anan Wongsakul", "TH", "1968-06-15"),
    Customer("kanya-rattanakorn", "Kanya Rattanakorn", "TH", "2001-08-27"),
    Customer("niran-chaiyasit", "Niran Chaiyasit", "TH", "1986-02-03"),
    Customer("tan-wei-ming", "Tan Wei Ming", "SG", "1990-10-10"),
    Customer("nurul-huda-rahmat", "Nurul Huda Rahmat", "SG", "1995-05-24"),
    Customer("priya-nair", "Priya Nair", "SG", "1982-01-07"),
    Customer("lim-siew-ling", "Lim Siew Ling", "SG", "1971-11-29"),
    Customer("rajesh-pillai", "Rajesh Pillai", "SG", "1998-03-14"),
)
MERCHANTS = (
    Merchant("spring-city-tea", "Spring City Tea House", "CN", "Kunming", "5499", "18.00", "260.00"),
    Merchant("bund-noodles", "Bund Noodle Bar", "CN", "Shanghai", "5812", "12.00", "120.00"),
    Merchant("west-lake-silk", "West Lake Silk", "CN", "Hangzhou", "5631", "90.00", "900.00"),
    Merchant("dawn-coffee", "Temple of Dawn Coffee", "TH", "Bangkok", "5814", "45.00", "380.00"),
    Merchant("nimman-crafts", "Nimman Crafts", "TH", "Chiang Mai", "5970", "150.00", "3500.00"),
    Merchant("andaman-diving", "Andaman Diving", "TH", "Phuket", "7999", "900.00", "4800.00"),
    Merchant("katong-kitchen", "Katong Kitchen", "SG", "Singapore", "5812", "4.50", "65.00", "201912345K"),
    Merchant("orchard-optics", "Orchard Optics", "SG", "Singapore", "8043", "25.00", "240.00", "200845671D"),
    Merchant("kampong-books", "Kampong Books", "SG", "Singapore", "5942", "8.00", "90.00", "202037788N"),
)
_PAID_IN = {"CN": "60000.00", "TH": "300000.00", "SG": "12000.00"}
"""What each customer pays in at the beginning, in decimals of the country's currency."""


def currency_of(country: str) -> str:
    """The currency of the institution of a country of the cast."""
    return next(each.currency for each in INSTITUTIONS if each.country == country)


def paid_in(country: str) -> int:
    """What each customer of a country pays in at the beginning, in minor units."""
    return parse_decimal(_PAID_IN[country], currency(currency_of(country)))


def welcome(apis: Apis) -> Mapping[str, str]:
    """Open all accounts and register all merchants; the static codes by merchant. Again changes nothing."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        opened = [pool.submit(open_account, apis.nodes[each.country], each) for each in CUSTOMERS]
        codes = list(pool.map(lambda each: apis.nodes[each.country].register_merchant(each.registration), MERCHANTS))
    for each in opened:
        each.result()
    return {merchant.id: code for merchant, code in zip(MERCHANTS, codes, strict=True)}


def open_account(node: NodeApi, customer: Customer) -> None:
    """Open a customer's account and book what the customer pays in, once."""
    node.open_account(customer.id, customer.owner, customer.party)
    node.deposit(customer.id, paid_in(customer.country), f"first-deposit-{customer.id}")
