"""Does a text tell who somebody is? By patterns, and by check digits where there are any.

Meant for a notice to the person who wrote it, who may know better: names and addresses are not
found, and now and then a long number is nothing of the kind.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum

import regex


class Kind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    ACCOUNT = "account"
    IDENTITY = "identity"


EMAIL = regex.compile(
    r"[\p{L}\p{M}\p{N}._%+-]+@[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)*\.[\p{L}\p{M}]{2,}"
)
# Digits with what people put between them.
NUMBER = regex.compile(
    r"(?<![\p{L}\p{N}@.,])[+(]?\p{Nd}(?:[\s().\-/–]{0,2}\p{Nd}){6,22}(?![\p{L}\p{N}@])"
)
THOUSANDS = regex.compile(r"\p{Nd}{1,3}(?:[\s.]\p{Nd}{3})+")
IBAN = regex.compile(
    r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", regex.IGNORECASE
)
FISCAL_CODE = regex.compile(
    r"\b[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]\b", regex.IGNORECASE
)
SOCIAL_SECURITY = regex.compile(r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}")


def personal_data(text: str) -> list[Kind]:
    """The kinds of personal data that the text seems to hold, each once, in the order of Kind."""
    found = set(_kinds(text))
    return [kind for kind in Kind if kind in found]


def _kinds(text: str) -> Iterator[Kind]:
    if EMAIL.search(text):
        yield Kind.EMAIL
    if any(_is_iban(match.group()) for match in IBAN.finditer(text)):
        yield Kind.ACCOUNT
    if FISCAL_CODE.search(text):
        yield Kind.IDENTITY
    for match in NUMBER.finditer(text):
        if kind := _kind_of_number(match.group()):
            yield kind


def _kind_of_number(written: str) -> Kind | None:
    digits = [int(sign) for sign in written if sign.isdecimal()]
    if SOCIAL_SECURITY.fullmatch(written) or any(is_valid(digits) for is_valid in IDENTITIES):
        return Kind.IDENTITY
    if 13 <= len(digits) <= 19 and _luhn(digits):
        return Kind.CARD
    calls = written.startswith(("+", "(", "0")) or not THOUSANDS.fullmatch(written)
    return Kind.PHONE if 9 <= len(digits) <= 15 and calls and len(set(digits)) > 2 else None


def _is_iban(written: str) -> bool:
    """ISO 13616: the four first signs to the end, letters as numbers from 10, modulo 97 is 1."""
    compact = written.replace(" ", "").upper()
    moved = compact[4:] + compact[:4]
    return len(compact) >= 15 and int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def _luhn(digits: list[int]) -> bool:
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_cpf(digits: list[int]) -> bool:
    """Brazil: two check digits over nine and ten digits."""
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    return all(
        sum(digit * (n + 1 - at) for at, digit in enumerate(digits[:n])) * 10 % 11 % 10 == digits[n]
        for n in (9, 10)
    )


def _is_nir(digits: list[int]) -> bool:
    """France: thirteen digits and 97 less their remainder; men and women, months 01 to 12."""
    if len(digits) != 15 or digits[0] not in (1, 2):
        return False
    number, key = (int("".join(map(str, part))) for part in (digits[:13], digits[13:]))
    return 1 <= digits[3] * 10 + digits[4] <= 12 and 97 - number % 97 == key


# Verhoeff's check, by the products and powers of the dihedral group of ten.
PRODUCT = [
    [(a + b) % 5 + 5 * (b >= 5) if a < 5 else (a - b) % 5 + 5 * (b < 5) for b in range(10)]
    for a in range(10)
]
TURN = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def _is_aadhaar(digits: list[int]) -> bool:
    """India: twelve digits, the first of them 2 or more, the last by Verhoeff."""
    if len(digits) != 12 or digits[0] < 2:
        return False
    sum_so_far = 0
    for place, digit in enumerate(reversed(digits)):
        turned = digit
        for _ in range(place % 8):
            turned = TURN[turned]
        sum_so_far = PRODUCT[sum_so_far][turned]
    return sum_so_far == 0


IDENTITIES: tuple[Callable[[list[int]], bool], ...] = (_is_cpf, _is_nir, _is_aadhaar)
