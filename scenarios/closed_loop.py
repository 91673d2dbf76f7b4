"""The users of one load process: when each starts, what its tasks are over the wire, and their records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import gevent
import gevent.event
from gevent.pool import Group
from locust.env import Environment

from journal.clock import MILLISECOND, SECOND, Clock
from journal.records import Intent, Payment, UserTask
from journal.writer import Recorder
from scenarios.checkout import Checkout, PlannedPayment, user_order_id, user_payment
from scenarios.generator_watch import Tally
from scenarios.load import Users
from scenarios.request_events import PaymentError
from scenarios.result import Result, judge
from scenarios.shopper import Shopper
from scenarios.task_result import OwnPayment, TaskResult, judge_look_up, judge_refund, payment_id
from scenarios.wire import GENERATOR, Answer, NeverSentError, NoAnswerError, Wire

_CUT = "the load ended before the answer"


class ClosedLoop:
    """The users that live in this process.

    Args:
        environment: Gets a ``request`` event for every task. Its response time counts from when the user
            wanted the task.
        users: What users there are, in all processes, and what they do.
        end_ns: When they begin no task any more, in ns since the epoch.
        seed: Decides every draw.
        checkout: Plans the payments.
        wire: The client.
        clock: The run's.
        recorder: Takes the records, or ``None``.
        run: Prefix of the order ids.
        timeout_ns: When a user gives up waiting, counted from when it wanted the task.
        tally: Counts of the load process.
    """

    def __init__(
        self,
        environment: Environment,
        users: Users,
        *,
        end_ns: int,
        seed: int,
        checkout: Checkout,
        wire: Wire,
        clock: Clock,
        recorder: Recorder | None,
        run: str,
        timeout_ns: int,
        tally: Tally,
    ) -> None:
        self.users = users
        self.seed = seed
        self.clock = clock
        self._environment = environment
        self._end_ns = end_ns
        self._checkout = checkout
        self._wire = wire
        self._recorder = recorder
        self._run = run
        self._timeout_ns = timeout_ns
        self._tally = tally
        self._over = gevent.event.Event()
        self._shoppers = Group()
        self._starting: gevent.Greenlet | None = None

    def start(self, index: int, workers: int) -> None:
        """Let the users with ``number % workers == index`` live here, each from its time on."""
        self._starting = gevent.spawn(self._start, range(index, self.users.count, workers))

    def join(self) -> None:
        """Wait until all have ended."""
        if self._starting is not None:
            self._starting.join()
        self._shoppers.join()

    def end(self) -> None:
        """Begin no task any more."""
        self._over.set()

    def finish(self, grace: float) -> None:
        """End: wait at most ``grace`` seconds for the tasks that are under way, and cut the others short."""
        self.end()
        if self._starting is not None:
            self._starting.join()
        self._shoppers.join(timeout=grace)
        self._shoppers.kill()

    def sleep_until(self, due_ns: int) -> bool:
        """Sleep until a time in ns since the epoch; False if no task is to begin then."""
        if due_ns >= self._end_ns:
            return False
        while not self._over.is_set() and (left := due_ns - self.clock.now_ns()) > 0:
            self._over.wait(left / SECOND)
        return not self._over.is_set()

    def pay(self, user: Shopper) -> None:
        """A payment, recorded like every other."""
        number, order = user_payment(user.number, user.paid), user_order_id(self._run, user.number, user.paid)
        planned = self._checkout.payment(number, user.due_ns)
        user.paid += 1
        self._tally.due += 1
        sent = self.clock.now_ns()
        if sent >= planned.due_ns + self._timeout_ns:
            why = f"{GENERATOR}its turn came after the customer's time-out"
            self._ended(planned, order, None, None, Result("failed", why, ""), 0)
            return
        self._tally.left(sent - planned.due_ns)
        if self._recorder is not None:
            self._recorder.write(Intent(order, planned.due_ns, sent, "closed"))
        result, done, received = Result("unknown", _CUT, ""), None, 0
        try:
            left = (planned.due_ns + self._timeout_ns - sent) / SECOND
            answer = self._wire.post("/payments", planned.body(order), {"Idempotency-Key": order}, left)
            done, received = self.clock.now_ns(), len(answer.body)
            result = judge(planned, order, answer)
            if id := payment_id(answer):
                user.payments.append(OwnPayment(planned, order, id, result.outcome))
        except NeverSentError as error:
            done, result = self.clock.now_ns(), Result("failed", str(error), "")
            self._tally.socket_errors += result.error.startswith(GENERATOR)
        except NoAnswerError as error:
            result = Result("unknown", str(error), "")
        finally:
            self._ended(planned, order, sent, done, result, received)

    def look_up(self, user: Shopper, payment: OwnPayment) -> None:
        """Ask for a payment, and compare with what the user was told."""
        path = f"/payments/{quote(payment.id, safe='')}"
        self._do(user, "look_up", payment, lambda left: self._wire.get(path, left), judge_look_up)

    def refund(self, user: Shopper, payment: OwnPayment) -> None:
        """Have the whole of a payment refunded."""
        payment.refunded = True
        path = f"/payments/{quote(payment.id, safe='')}/refunds"
        headers = {"Idempotency-Key": f"{payment.order}-refund"}
        self._do(
            user, "refund", payment, lambda left: self._wire.post(path, b"{}", headers, left), judge_refund
        )

    def _start(self, numbers: range) -> None:
        for number in numbers:
            start = self.users.ramp * number // self.users.count
            if not self.sleep_until(start):
                return
            Shopper(self._environment, self, number, start).start(self._shoppers)

    def _do(
        self,
        user: Shopper,
        task: str,
        payment: OwnPayment,
        ask: Callable[[float], Answer],
        judged: Callable[[OwnPayment, Answer], TaskResult],
    ) -> None:
        sent = self.clock.now_ns()
        left = max((user.due_ns + self._timeout_ns - sent) / SECOND, 0.001)
        result, done, received = TaskResult("unknown", _CUT), None, 0
        try:
            answer = ask(left)
            done, received = self.clock.now_ns(), len(answer.body)
            result = judged(payment, answer)
        except NeverSentError as error:
            result = TaskResult("failed", str(error))
        except NoAnswerError as error:
            result = TaskResult("unknown", str(error))
        finally:
            if self._recorder is not None:
                self._recorder.write(
                    UserTask(
                        user=user.number,
                        task=task,
                        order_id=payment.order,
                        due_ns=user.due_ns,
                        sent_ns=sent,
                        done_ns=done,
                        outcome=result.outcome,
                        error=result.error,
                    )
                )
            self._tell(task.upper(), payment.planned.method, user.due_ns, done, received, result.error)

    def _ended(
        self,
        planned: PlannedPayment,
        order: str,
        sent: int | None,
        done: int | None,
        result: Result,
        received: int,
    ) -> None:
        self._tally.ended += 1
        if self._recorder is not None:
            self._recorder.write(
                Payment(
                    id=order,
                    due_ns=planned.due_ns,
                    sent_ns=sent,
                    done_ns=done,
                    method=planned.method,
                    amount_minor=planned.amount_minor,
                    currency=planned.currency,
                    instrument=planned.instrument,
                    expected=planned.expected,
                    outcome=result.outcome,
                    error=result.error,
                    gateway=result.gateway,
                    loop="closed",
                )
            )
        self._tell("PAY", planned.method, planned.due_ns, done, received, result.error)

    def _tell(self, kind: str, method: str, due_ns: int, done: int | None, received: int, error: str) -> None:
        """Tell Locust. The name keeps users apart from arrivals, whose latencies say something else."""
        request: Any = self._environment.events.request
        request.fire(
            request_type=kind,
            name=f"{method} (users)",
            response_time=None if done is None else (done - due_ns) / MILLISECOND,
            response_length=received,
            exception=PaymentError(error) if error else None,
            context={},
        )
