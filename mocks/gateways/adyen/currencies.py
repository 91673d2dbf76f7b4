"""The currencies that Adyen takes, and how many decimals their minor unit has.

From Adyen's documentation ("Currency codes and minor units"): the decimals are those of ISO 4217 except for
CLP, CVE, IDR and ISK, where Adyen's own table leads. Second-hand: the codes after ETB are ISO 4217's list of
circulating currencies, not read off Adyen's table.
"""

from __future__ import annotations

_ZERO = "BIF CVE DJF GNF IDR JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = (
    "AED ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CHF CLP CNH CNY COP "
    "CRC CUP CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF ILS INR ISK JMD "
    "KES KGS KHR KYD KZT LAK LBP LKR MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR "
    "NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STN SVC SZL THB TOP TRY "
    "TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW"
)

DECIMALS: dict[str, int] = {
    code: places for places, codes in ((0, _ZERO), (2, _TWO), (3, _THREE)) for code in codes.split()
}
"""Currency code, upper case -> decimals of the minor unit in which amounts are sent. ISO 4217 gives CLP and
ISK none, and CVE and IDR two."""
