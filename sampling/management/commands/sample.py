"""Makes one candidate set on the command line, or with --compare one of each strategy.

Exit codes: 0 ready, 2 bad input, 3 the endpoint gave no whole answers, 4 the guard let no set pass.
A comparison is 0 when a set of it became ready, else what most of its sets would have been: 4 when
the guard saw any, else 3.
"""

import json
import secrets
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError

from sampling import linking, plans, setting_out, side_by_side, single_set, stored_plans, ways
from sampling.calls import SEEDS, Endpoint
from sampling.drawing import NOWHERE, SetResult
from sampling.errors import BadRequest, GuardRejected, SamplingError, Stopped
from sampling.messages import Context, message, read_context, unusable
from sampling.models import Plan
from sampling.plans import PlanBody
from sampling.side_by_side import Made
from sampling.single_set import Wish
from sampling.strategies import REGISTRY, Origin
from studies.models import Prompt, PromptText

ONE_OF = "give --prompt TEXT or --conversation FILE, or a study's --prompt-key KEY"


class Command(BaseCommand):
    help = "Make one candidate set and show it with its calls, the guard's verdict and diversity."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(REGISTRY)
        parser.add_argument(
            "--plan",
            default="community_alignment",
            help=f"a strategy ({names}), or study/version for a stored plan",
        )
        parser.add_argument("--language", default="en", help="the language of the answers")
        parser.add_argument("--prompt", help="what the person says")
        parser.add_argument(
            "--prompt-key", metavar="KEY", help="a prompt of the study, with --plan study/version"
        )
        parser.add_argument(
            "--conversation", metavar="FILE", help="JSON list of role-tagged messages; - for stdin"
        )
        parser.add_argument("--seed", type=int, help="makes the same requests again")
        parser.add_argument("--store", action="store_true", help="store the set (study/version)")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
        parser.add_argument(
            "--base-url",
            action="append",
            default=[],
            help="an OpenAI-compatible endpoint; with --compare it can be given several times",
        )
        parser.add_argument(
            "--model", action="append", default=[], help="the model's name there, for each base URL"
        )
        parser.add_argument(
            "--key-env", default="", metavar="NAME", help="the environment variable with its key"
        )
        parser.add_argument(
            "--compare", action="store_true", help="every strategy on every endpoint, side by side"
        )
        parser.add_argument(
            "--strategies", default="", metavar="A,B", help="only these, with --compare"
        )
        parser.add_argument(
            "--endpoint",
            action="append",
            default=[],
            metavar="NAME",
            help="a stored endpoint by its name, with --compare; can be given several times",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            with stored_plans.database():
                (self._compare if options["compare"] else self._sample)(options)
        except SamplingError as error:
            self._refuse({"error": error.as_json()}, error, as_json=options["json"])

    def _sample(self, options: dict[str, Any]) -> None:
        plan = _stored_plan(options)
        body = plans.read(plan.body) if plan else plans.of_strategy(options["plan"])
        text = _text_of_study(options, plan)
        context = read_context(text.messages) if text else _context(options)
        wanted = single_set.wish(
            body=body,
            context=context,
            language=options["language"],
            endpoints=_endpoints(options, plan),
            seed=options["seed"],
            origin=_origin(text, plan, body, context) if text and plan else NOWHERE,
        )
        self._say_where(wanted.endpoints[0])
        if plan and options["store"]:
            prompt = text.prompt if text else None
            self._attempt_and_store(plan, wanted, prompt, as_json=options["json"])
        else:
            self._attempt(wanted, as_json=options["json"])

    def _attempt(self, wanted: Wish, *, as_json: bool) -> None:
        try:
            result = single_set.make(wanted)
        except SamplingError as error:
            self._refuse(single_set.failed_as_json(wanted, error), error, as_json=as_json)
        else:
            self._show(wanted, result, as_json=as_json)

    def _attempt_and_store(
        self, plan: Plan, wanted: Wish, prompt: Prompt | None, *, as_json: bool
    ) -> None:
        """The same, with a row that workers leave alone; also a failed attempt is stored."""
        row, claim, origin = stored_plans.take(
            plan, context=wanted.context, language=wanted.language, prompt=prompt
        )
        wanted = replace(wanted, set_id=row.pk, seed=row.seed, attempt=claim.attempt, origin=origin)
        try:
            result = single_set.make(wanted)
        except SamplingError as error:
            stored_plans.give_up(claim, error)
            self._refuse(single_set.failed_as_json(wanted, error), error, as_json=as_json)
        except KeyboardInterrupt:
            stored_plans.give_up(claim, Stopped("interrupted on the command line"))
            raise
        else:
            stored_plans.store(claim, result)
            self._show(wanted, result, as_json=as_json)

    def _compare(self, options: dict[str, Any]) -> None:
        wishes = _wishes(options)
        for endpoint in dict.fromkeys(wanted.endpoints[0] for wanted in wishes):
            self._say_where(endpoint)
        made = side_by_side.make_all(wishes, tell=self._say_made)
        if options["json"]:
            self._print(_compared(made))
        else:
            self._set_out(made)
        if not any(one.ready for one in made):
            refused = any(one.told["guard"] for one in made)
            raise CommandError("no set became ready", returncode=4 if refused else 3)

    def _set_out(self, made: list[Made]) -> None:
        width = shutil.get_terminal_size((120, 24)).columns
        self.stdout.write("\n".join(setting_out.set_out(made, width=width)))
        if missing := ways.need_a_plan():
            self.stdout.write(
                f"\nonly in a plan, because they need its values: {', '.join(missing)}"
            )

    def _say_made(self, one: Made) -> None:
        """Progress goes to stderr: a comparison with a real model takes its time."""
        figures = one.summary()
        end = "ready" if one.ready else figures["reason"]
        after = "" if figures["seconds"] is None else f" after {figures['seconds']} s"
        self.stderr.write(f"{figures['strategy']} on {figures['endpoint']}: {end}{after}")

    def _say_where(self, endpoint: Endpoint) -> None:
        said = f"endpoint: {endpoint.name}, model {endpoint.model}, at {endpoint.base_url}"
        self.stderr.write(said)

    def _show(self, wanted: Wish, result: SetResult, *, as_json: bool) -> None:
        if as_json:
            self._print(single_set.ready_as_json(wanted, result))
        else:
            self.stdout.write("\n".join(_lines(wanted, result)))

    def _refuse(self, told: dict[str, Any], error: SamplingError, *, as_json: bool) -> NoReturn:
        """Ends the command with the error's exit code; its JSON goes to stdout, as a result."""
        if as_json:
            self._print(told)
        raise CommandError(error.message, returncode=exit_code(error))

    def _print(self, told: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))


def exit_code(error: SamplingError) -> int:
    if isinstance(error, BadRequest):
        return 2
    return 4 if isinstance(error, GuardRejected) else 3


def _stored_plan(options: dict[str, Any]) -> Plan | None:
    """The row of study/version; None for a strategy's name. Raises BadRequest."""
    if "/" in options["plan"]:
        if options["store"] and (options["base_url"] or options["seed"] is not None):
            raise BadRequest("--store goes with the plan's own endpoint and the row's own seed")
        return stored_plans.find(options["plan"])
    if options["store"]:
        raise BadRequest("--store needs --plan study/version: only such a plan has rows")
    return None


def _wishes(options: dict[str, Any]) -> list[Wish]:
    """Every strategy on every endpoint, all with one seed. Raises BadRequest."""
    if options["store"] or options["prompt_key"] or "/" in options["plan"]:
        raise BadRequest("--compare takes --strategies and words of its own, and stores nothing")
    context = _context(options)
    seed = secrets.randbelow(SEEDS) if options["seed"] is None else options["seed"]
    chosen = ways.choose(options["strategies"])
    return [
        single_set.wish(
            body=body,
            context=context,
            language=options["language"],
            endpoints=(endpoint,),
            seed=seed,
        )
        for endpoint in _endpoints_to_compare(options)
        for body in chosen.values()
    ]


def _endpoints_to_compare(options: dict[str, Any]) -> tuple[Endpoint, ...]:
    given = [*_given(options), *map(stored_plans.endpoint_named, options["endpoint"])]
    return tuple(given) or single_set.default_endpoints()


def _compared(made: list[Made]) -> dict[str, Any]:
    return {
        "sets": [dict(one.told) for one in made],
        "summary": [one.summary() for one in made],
        "need_a_plan": ways.need_a_plan(),
    }


def _given(options: dict[str, Any]) -> list[Endpoint]:
    """The endpoints of the command line, each with its model; one model may serve them all."""
    addresses, models = options["base_url"], options["model"]
    if len(models) not in {0, 1, len(addresses)}:
        raise BadRequest("--model: give one, or one for each --base-url")
    named = models * len(addresses) if len(models) == 1 else models or [""] * len(addresses)
    made = [
        single_set.given_endpoint(base_url=address, model=model, key_name=options["key_env"])
        for address, model in zip(addresses, named, strict=True)
    ]
    if len(made) < 2:
        return made
    return [replace(one, name=f"given-{number}") for number, one in enumerate(made, start=1)]


def _endpoints(options: dict[str, Any], plan: Plan | None) -> tuple[Endpoint, ...]:
    if options["endpoint"] or options["strategies"] or len(options["base_url"]) > 1:
        raise BadRequest("--endpoint, --strategies and a second --base-url go with --compare")
    if given := _given(options):
        return tuple(given)
    if plan:
        return stored_plans.endpoints_of(plan)
    return (single_set.default_endpoint(),)


def _text_of_study(options: dict[str, Any], plan: Plan | None) -> PromptText | None:
    """The study's prompt that the options name, None where they name none. Raises BadRequest."""
    key = options["prompt_key"]
    if key is None:
        return None
    if plan is None:
        raise BadRequest("--prompt-key goes with --plan study/version")
    if options["prompt"] is not None or options["conversation"] is not None:
        raise BadRequest(ONE_OF)
    return stored_plans.prompt_of(plan, key, options["language"])


def _origin(text: PromptText, plan: Plan, body: PlanBody, context: Context) -> Origin:
    return linking.origin_for(
        text.prompt, body, context=context, language=text.language, plan_sha256=plan.sha256
    )


def _context(options: dict[str, Any]) -> Context:
    """The conversation of the options: exactly one of the two. Raises BadRequest."""
    prompt, conversation = options["prompt"], options["conversation"]
    if (prompt is None) == (conversation is None):
        raise BadRequest(ONE_OF)
    if conversation is not None:
        return read_context(_read_json(conversation))
    if not prompt.strip() or unusable(prompt):
        raise BadRequest(f"--prompt: {unusable(prompt) or 'the text is empty'}")
    return read_context([message("user", prompt)])


def _read_json(name: str) -> object:
    """The messages of a file: a list, or an object that has one as `messages`."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        value = json.loads(text)
    except OSError as fault:
        raise BadRequest(f"--conversation: {name}: {fault.strerror}") from fault
    except (ValueError, RecursionError) as fault:
        raise BadRequest(f"--conversation: {name}: no JSON ({fault})") from fault
    return value.get("messages") if isinstance(value, dict) else value


def _lines(wanted: Wish, result: SetResult) -> Iterator[str]:
    yield f"ready: {wanted.strategy}, {wanted.language}, seed {wanted.seed}, {result.seconds} s"
    for draft in result.drafts:
        stance = f", {draft.stance}" if draft.stance else ""
        yield f"\n[{draft.slot}] {draft.role}{stance}\n{draft.text}"
    figures = result.diversity
    yield f"\nwording: distance {figures.distance}, Vendi {figures.vendi} of {len(result.drafts)}"
    marks = [finding.said for finding in result.verdict.findings]
    yield f"guard: passed{'; marked: ' + '; '.join(marks) if marks else ''}"
    yield f"calls: {', '.join(call.request_id for call in result.calls)}"
