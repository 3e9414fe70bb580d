"""Whole numbers shared out so that they add up."""

from collections.abc import Sequence


def even(total: int, parts: int) -> list[int]:
    """`total` in `parts` whole numbers that differ by one at most."""
    return [total // parts + (place < total % parts) for place in range(parts)]


def shares(total: int, weights: Sequence[float]) -> list[int]:
    """`total` in whole numbers nearly in proportion to the weights (largest remainders get what is left)."""
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [int(share) for share in exact]
    left = sorted(range(len(exact)), key=lambda place: (shares[place] - exact[place], place))
    for place in left[: total - sum(shares)]:
        shares[place] += 1
    return shares
