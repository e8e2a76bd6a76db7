"""Numbers as a referee wants to read them: value and error, rounded to the digits of the error, with the unit."""

import math

__all__ = ["plain", "probable", "with_error", "with_unit"]

EXACT = 1e-9  # relative error below which a number is exact but for rounding


def plain(value: float, digits: int = 4) -> str:
    """A number without an error, to `digits` digits.

    >>> plain(0.000123456), plain(1234.5678), plain(0.5)
    ('1.235e-4', '1235', '0.5')
    """
    if not math.isfinite(value):
        return "not known" if math.isnan(value) else ("infinite" if value > 0 else "-infinite")
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e6:
        text = f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(power)}"


def probable(p: float) -> str:
    """A probability, which is never rounded to certainty.

    >>> probable(0.87675), probable(0.99973)
    ('0.877', '> 0.999')
    """
    return "> 0.999" if p > 0.999 else plain(p, 3)


def with_error(value: float, error: float) -> str:
    """Value and error, both rounded to the error's digits (two where its first three digits are below 355, else one).

    >>> with_error(3.14159, 0.0271), with_error(2.5e-5, 4e-7), with_error(1234.0, 56.0)
    ('3.142 ± 0.027', '(2.50 ± 0.04)e-5', '1230 ± 60')
    """
    if not (math.isfinite(value) and math.isfinite(error)) or error <= EXACT * abs(value):
        return plain(value)
    power = math.floor(math.log10(max(abs(value), error)))
    scale = 10.0**power if not -3 <= power < 5 else 1.0
    value, error = value / scale, error / scale
    first = math.floor(math.log10(error))
    digits = -first + (1 if round(error / 10.0 ** (first - 2)) < 355 else 0)
    rounded = (round(value, digits), round(error, digits))
    shown = max(0, digits)
    text = f"{rounded[0]:.{shown}f} ± {rounded[1]:.{shown}f}"
    return text if scale == 1.0 else f"({text})e{power}"


def with_unit(text: str, unit: str) -> str:
    """A number with its unit; the unit 1 is not written."""
    return text if unit in ("", "1") else f"{text} {unit}"
