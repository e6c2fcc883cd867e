import asyncio

from sampling.simulated.pacing import TICK, Pacer


def called(whens: list[float], *, again: int = 0) -> list[tuple[float, float]]:
    """Run a pacer until all is called; return (when it was due, when it was called)."""
    found: list[tuple[float, float]] = []

    async def run() -> None:
        pacer = Pacer(asyncio.get_running_loop())
        start = pacer.now()
        left = len(whens) * (1 + again)
        done = asyncio.Event()

        def ask(due: float, times: int) -> None:
            def call(now: float) -> None:
                nonlocal left
                found.append((due, now))
                left -= 1
                if left == 0:
                    done.set()
                if times:
                    ask(now + 0.0001, times - 1)

            pacer.at(due, call)

        for when in whens:
            ask(start + when, again)
        await asyncio.wait_for(done.wait(), 5)

    asyncio.run(run())
    return found


def test_nothing_is_called_before_it_is_due() -> None:
    found = called([0.03, 0.001, 0.02, 0.0, -1.0, 0.02])
    assert len(found) == 6
    assert all(now >= due for due, now in found)


def test_calls_come_in_the_order_of_their_ticks() -> None:
    found = called([4 * TICK, 0.0, 2 * TICK])
    assert [due for due, _ in found] == sorted(due for due, _ in found)


def test_who_asks_to_come_back_at_once_comes_back_at_a_later_tick() -> None:
    # The first version woke the same stream for ever within one tick.
    found = called([0.0, 0.0023, 0.004], again=20)
    assert len(found) == 63
    assert all(now >= due for due, now in found)


def test_a_call_that_fails_does_not_stop_the_others() -> None:
    found: list[str] = []
    told: list[str] = []

    def fail(_: float) -> None:
        raise ValueError("broken")

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(str(context["exception"])))
        pacer = Pacer(loop)
        pacer.at(pacer.now(), fail)
        pacer.at(pacer.now(), lambda _: found.append("called"))
        await asyncio.sleep(10 * TICK)

    asyncio.run(run())
    assert (found, told) == (["called"], ["broken"])
