"""Shape annotations of the kernels. They are executed in the tests; without jaxtyping they are only words."""

from typing import Any

from jax import Array

try:
    from jaxtyping import Bool, Complex, Float, Int
except ModuleNotFoundError:

    class _Words:
        """Accepts any subscript and means nothing."""

        def __class_getitem__(cls, item: Any) -> Any:
            return Any

    Bool = Complex = Float = Int = _Words  # type: ignore[assignment]

__all__ = ["Array", "Bool", "Complex", "Float", "Int"]
