"""An OpenAI-compatible endpoint of our own: readable sentences in five languages, no model.

    with running(speed=40, first_token=0.4) as endpoint:
        endpoint.order("stall", after=3)
        ...                                   # talk to endpoint.base_url with endpoint.model
        endpoint.log()

From the command line: `python -m sampling.simulated --help`.
"""

from sampling.simulated.running import Endpoint, running

__all__ = ["Endpoint", "running"]
