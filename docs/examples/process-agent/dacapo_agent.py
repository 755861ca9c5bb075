"""Agents for Dacapo in Python: copy this file beside your program. It needs the standard library only.

    import dacapo_agent

    def decide(ask):
        if ask.bars and ask.bars[-1]["close"] > ask.bars[-1]["open"]:
            ask.publish(action="BUY", confidence=0.7)

    dacapo_agent.serve(decide)

The protocol, of which this is version 1, is told in docs/process-agents.md. Time and chance come with each question
(`ask.seconds`, `ask.random`): a program that uses no other clock and no other dice answers the same in every replay.
"""

import json
import random
import sys

PROTOCOL = "dacapo-process"
VERSION = 1


class Ask:
    """One question: what is known at this instant, and what you want done."""

    def __init__(self, message):
        question = message["question"]
        #: The pair that is asked about, such as "BTC/USDT".
        self.symbol = question["symbol"]
        #: Seconds of virtual time since the start of the run.
        self.seconds = message["now_us"] / 1e6
        #: The same as a date in UTC: ISO 8601 text.
        self.time = question["time"]
        #: The last price, or None if there was none yet.
        self.price = question["price"]
        #: Bars that closed since the last question about this symbol, the oldest first: closed_us, open, high, low,
        #: close, volume.
        self.bars = [line["bar"] for line in question["market"] if "bar" in line]
        #: Trades since then: at_us, price, size, taker ("buy", "sell" or None).
        self.trades = [line["trade"] for line in question["market"] if "trade" in line]
        #: How many bars and trades were left out because there were more than `history` of them.
        self.missed = question["market_missed"]
        #: Messages on the topics of `subscribe` since then: topic, source, at_us, payload.
        self.messages = question["messages"]
        account = question["account"] or {"balances": {}, "positions": []}
        #: Balances by asset.
        self.balances = account["balances"]
        #: Open positions of this symbol: side, size, entry_price, stop_loss, take_profit.
        self.positions = account["positions"]
        #: Random numbers that follow from the seed of the run: another sequence for each question.
        self.random = random.Random(message["random"])
        self._effects = []

    def publish(self, **fields):
        """Says something on the agent's topic: of a trading decision, `action` and `confidence`."""
        self._effects.append({"publish": fields})

    def log(self, text):
        """Writes a line into the log of the run."""
        self._effects.append({"log": str(text)})

    def wake(self, after_seconds):
        """Wants to be asked again after so many seconds of virtual time, besides the schedule."""
        self._effects.append({"wake": {"after_seconds": after_seconds}})

    def fail(self, why):
        """Has this run of the agent fail, as a run of any agent can."""
        self._effects.append({"fail": str(why)})


def serve(decide, begin=None):
    """Answers every question with `decide(ask)`, until the run is over.

    `begin(about)` is called once before, with `topic`, `symbols` and `start` of the run.
    """
    lines, say = sys.stdin.buffer, sys.stdout.buffer
    # What is printed by the way is for people: it goes where it does not disturb.
    sys.stdout = sys.stderr

    def answer(message):
        text = json.dumps(message, allow_nan=False, separators=(",", ":"))
        say.write(text.encode("utf-8") + b"\n")
        say.flush()

    for line in lines:
        message = json.loads(line)
        if message["type"] == "hello":
            if (message["protocol"], message["version"]) != (PROTOCOL, VERSION):
                sys.exit("this helper speaks version %d of %s" % (VERSION, PROTOCOL))
            if begin is not None:
                begin(message["about"])
            answer({"type": "ready", "version": VERSION})
        else:
            ask = Ask(message)
            decide(ask)
            answer({"type": "effects", "id": message["id"], "effects": ask._effects})
