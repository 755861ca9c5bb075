"""Buys where a fast average of the closes rises above a slow one, and sells where it falls below it."""

import dacapo_agent

FAST, SLOW = 5, 20
closes, was_above = {}, {}


def decide(ask):
    seen = closes.setdefault(ask.symbol, [])
    seen.extend(trade["price"] for trade in ask.trades)
    del seen[:-SLOW]
    if len(seen) < SLOW:
        return
    fast, slow = sum(seen[-FAST:]) / FAST, sum(seen) / SLOW
    above, before = fast > slow, was_above.get(ask.symbol)
    was_above[ask.symbol] = above
    if before is None or above == before:
        return
    ask.log("%s at %s: the fast average is %s the slow one" % (ask.symbol, ask.price, "above" if above else "below"))
    ask.publish(action="BUY" if above else "SELL", confidence=0.75)


dacapo_agent.serve(decide)
