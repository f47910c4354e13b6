"""Levels side by side: the largest first, answers in their own order."""

from __future__ import annotations

from endplate.case.side_by_side import Shares, side_by_side
from endplate.progress import silent


def begun(sizes: tuple[float, ...]) -> tuple[list[int], list[int]]:
    """Places in the order in which one of two workers begins them while the other is kept busy, and the answers."""
    from threading import Event

    order: list[int] = []
    free = Event()

    def work(place: int, share: object) -> int:
        order.append(place)
        if len(order) == 1:
            free.wait(5)
        if len(order) == 4:
            free.set()
        return 10 * place

    answers = side_by_side(work, Shares(silent, "mechanics", list("abcd")), 4, 2, sizes)
    return order, answers


def test_the_largest_is_begun_first_and_answers_keep_their_order() -> None:
    order, answers = begun((1.0, 3.0, 2.0, 4.0))
    assert order == [3, 1, 2, 0] and answers == [0, 10, 20, 30]
    order, answers = begun(())
    assert order == [0, 1, 2, 3] and answers == [0, 10, 20, 30]
