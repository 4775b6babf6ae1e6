"""A mass message goes out while web, worker and beat are killed, with one "Stop the rest" in the middle."""

import contextlib
import os
import random
import re
import signal
import time
import uuid
from collections import Counter

import requests
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from chaos import calls, mass_races, people, product
from chaos.ground import Ground
from chaos.load import signed_in
from chaos.options import Options
from chaos.product import Product, Wanted
from chaos.report import Report
from messaging import delivery, mass_filling
from messaging.actions import mass_drafts
from messaging.actions.mass_drafts import Ticks
from messaging.mass_choice import Listed, ticked_among
from messaging.models import MassMessage, MassMessageRecipient, Message

State = Message.State

STOP_AFTER = 0.4  # of the recipients
SLOW = (("CHAOS_CALL_SECONDS", "1.0"),)  # so that there is a middle, and something in hand when a worker is killed
KILL_EVERY = 1.5  # seconds
WITHIN = 600.0

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def run(ground: Ground, options: Options) -> Report:
    count = options.sizes.recipients
    chance = random.Random(options.seed)  # noqa: S311  # repeatable, guards nothing
    author = people.fill(count, case_managers=1)[0].case_manager
    mass_races.unhurried()
    draft = _draft(author)
    with product.running(ground, Wanted(backend="Recording", environment=SLOW)) as running:
        browser = _browser(signed_in(author))
        kills = _confirm(running, browser, draft)
        kills += _until_taken_up(running, round(count * STOP_AFTER), chance)
        _post(browser, f"{ground.url}/mass-messages/{draft.pk}/stop/", f"{ground.url}/mass-messages/{draft.pk}/")
        stopped_at = len({call.public_id for call in calls.of_all(ground.calls)})
        _settle(running)
        report = Report("A mass message, with a stop in the middle", f"{count} recipients; {kills} processes killed.")
        report.figure("texts taken up when the stop was answered", stopped_at)
        _judge(report, draft, ground, count)
    return report


def _draft(author: User) -> MassMessage:
    """To all of the author's clients."""
    assert author.department is not None
    now, nobody = timezone.now(), ticked_among([])
    draft = mass_drafts.begin_draft(
        by=author, department=author.department, submission_key=uuid.uuid4(), now=now, ticked=nobody
    )
    everyone = Ticks(everyone=True, listed=Listed())
    mass_drafts.save_draft(draft=draft, body="Hi {first name}, no court today", ticks=everyone, when=None)
    draft.refresh_from_db()
    return draft


def _browser(session: str) -> requests.Session:
    browser = requests.Session()
    browser.trust_env = False
    browser.cookies.set(settings.SESSION_COOKIE_NAME, session)
    return browser


def _post(browser: requests.Session, url: str, page: str, **fields: str) -> None:
    """As a person who tries again until it is answered."""
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        try:
            found = _TOKEN.search(browser.get(page, timeout=20).text)
            if found:
                form = {"csrfmiddlewaretoken": found[1], **fields}
                if browser.post(url, form, timeout=20, allow_redirects=False).status_code == 302:
                    return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise TimeoutError(url)


def _confirm(running: Product, browser: requests.Session, draft: MassMessage) -> int:
    """By five presses, with the web's workers killed between them."""
    check = f"{running.ground.url}/mass-messages/{draft.pk}/check/"
    token = _TOKEN.search(browser.get(check, timeout=60).text)
    assert token is not None
    form, kills = {"csrfmiddlewaretoken": token[1], "revision": str(draft.revision)}, 0
    for _press in range(5):
        with contextlib.suppress(requests.RequestException):
            browser.post(check, form, timeout=20, allow_redirects=False)
        for process_id in running.web_workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
                kills += 1
        time.sleep(0.5)
    draft.refresh_from_db()
    if draft.is_draft:
        _post(browser, check, check, revision=form["revision"])
    return kills


def _until_taken_up(running: Product, wanted: int, chance: random.Random) -> int:
    """Kills workers, and beat now and then, until so many texts were taken up. Gives the kills."""
    kills, deadline = 0, time.monotonic() + WITHIN
    while len({call.public_id for call in calls.of_all(running.ground.calls)}) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(Counter(Message.objects.values_list("state", flat=True)))
        time.sleep(KILL_EVERY)
        running.replace_worker(chance.randrange(len(running.workers)), signal.SIGKILL)
        kills += 1
        if running.beat is not None and kills % 3 == 0:
            running.beat.kill()
            running.beat = running.beat.another()
            running.beat.start()
            kills += 1
        if kills % 4 == 0:
            running.wait_for_a_tick()
            time.sleep(2 * KILL_EVERY)  # a worker that is killed as soon as it starts does nothing
    return kills


def _settle(running: Product) -> None:
    """What was taken up is finished; what a killed worker had in hand is named; no list is left to recount."""
    running.wait_for_a_tick()
    time.sleep(3)
    running.end_workers()
    delivery.sweep_unclear(now=timezone.now() + delivery.UNCLEAR_AFTER)
    mass_filling.fill(now=timezone.now())


def _judge(report: Report, mass: MassMessage, ground: Ground, count: int) -> None:
    calls_of = Counter(call.public_id for call in calls.of_all(ground.calls))
    report.none("texts handed over twice", sum(times > 1 for times in calls_of.values()))
    rows = dict(Message.objects.filter(mass_message=mass).values_list("public_id", "state"))
    clients = Message.objects.filter(mass_message=mass).values("client").distinct().count()
    report.none("recipients with two texts", len(rows) - clients)
    report.promise("recipients", MassMessageRecipient.objects.filter(mass_message=mass).count(), str(count), kept=True)
    gone = {str(pk) for pk, state in rows.items() if state in (State.ACCEPTED, State.UNKNOWN)}
    report.none("texts that went out, and the record says they did not", len(set(calls_of) - gone))
    cut_off = {call.public_id for call in calls.of_all(ground.calls) if call.ended is None}
    surely = {str(pk) for pk, state in rows.items() if state == State.ACCEPTED}
    report.none("texts that did not go out, and the record says they did", len(surely - set(calls_of)))
    report.none("texts still waiting", sum(state in (State.WAITING, State.SENDING) for state in rows.values()))
    report.figure("texts by state at the end", dict(Counter(rows.values())))
    report.figure("calls cut off by the kills", len(cut_off))
    unmade = MassMessageRecipient.objects.filter(mass_message=mass, message__isnull=True).count()
    report.figure("recipients whose text was not made before the stop", unmade)
