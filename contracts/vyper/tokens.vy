# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Tokens
@license Apache-2.0
@notice Which currencies the network settles, and what a wallet shows of them (ERC-6909, "Metadata Extension").
@dev An id is the ISO 4217 numeric code. The ERC says nothing of the metadata of an id that does not exist; here it is
     empty text and zero decimals, as its balance and supply are zero: reading never reverts, only moving does.
"""

event CurrencyDefined:
    currency: indexed(uint16)
    code: String[3]
    name: String[32]
    decimals: uint8

struct Currency:
    code: String[3]
    name: String[32]
    decimals: uint8

MAX_CURRENCIES: constant(uint256) = 64
# ISO 4217 knows no currency with more (CLF and UYW have 4).
MAX_DECIMALS: constant(uint8) = 4

_currencies: HashMap[uint256, Currency]
defined: DynArray[uint16, MAX_CURRENCIES]


@view
@external
def currencies() -> DynArray[uint16, MAX_CURRENCIES]:
    """
    @notice The currencies that may be issued.
    @return ISO 4217 numeric codes in the order of definition
    """
    return self.defined


@view
@external
def name(id: uint256) -> String[32]:
    """
    @notice ERC-6909 metadata: a currency's name.
    @param id ISO 4217 numeric code
    @return The name, empty for a currency that is not defined
    """
    return self._currencies[id].name


@view
@external
def symbol(id: uint256) -> String[3]:
    """
    @notice ERC-6909 metadata: a currency's ISO 4217 alphabetic code.
    @param id ISO 4217 numeric code
    @return Three letters, empty for a currency that is not defined
    """
    return self._currencies[id].code


@view
@external
def decimals(id: uint256) -> uint8:
    """
    @notice ERC-6909 metadata: how many decimals a currency's minor unit has; amounts are in minor units.
    @param id ISO 4217 numeric code
    @return 0 to 4, 0 also for a currency that is not defined
    """
    return self._currencies[id].decimals


@internal
def define(currency: uint16, code: String[3], name: String[32], decimals: uint8):
    assert not self.is_defined(convert(currency, uint256)), "ledger: currency defined"
    assert len(self.defined) < MAX_CURRENCIES, "ledger: currencies"
    assert decimals <= MAX_DECIMALS, "ledger: decimals"
    assert self._is_code(code), "ledger: code"
    self._currencies[convert(currency, uint256)] = Currency(code=code, name=name, decimals=decimals)
    self.defined.append(currency)
    log CurrencyDefined(currency=currency, code=code, name=name, decimals=decimals)


@view
@internal
def is_defined(id: uint256) -> bool:
    return self._currencies[id].code != ""


@pure
@internal
def _is_code(code: String[3]) -> bool:
    if len(code) != 3:
        return False
    letters: uint256 = convert(convert(code, Bytes[3]), uint256)
    for i: uint256 in range(3):
        letter: uint256 = (letters >> (8 * i)) & 255
        if letter < 65 or letter > 90:
            return False
    return True
