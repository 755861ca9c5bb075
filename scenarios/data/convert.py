#!/usr/bin/env python3
"""Convert barter's recording of Binance spot events to a Dacapo tape.

    convert.py binance_spot_trades_l1_btcusdt_ethusdt_solusdt.json binance-2025-03-25.csv.gz

Rows keep the order of the recording. Times become nanoseconds since 1970-01-01 UTC; prices and sizes
become plain decimal text of the same value, without trailing zeros. Numbers are read as text and never
pass through binary floating point. The columns are described in README.md beside this file.
"""

import gzip
import hashlib
import json
import sys
from datetime import datetime, timezone
from decimal import Decimal

COLUMNS = "received_ns,exchange_ns,symbol,kind,price,size,side,bid,bid_size,ask,ask_size"
# The recording numbers its instruments in the order in which its file name lists them.
SYMBOLS = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]


def nanoseconds(text):
    """Nanoseconds since 1970 of a time such as 2025-03-25T23:07:00.773674205Z."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    start = datetime.fromisoformat(seconds).replace(tzinfo=timezone.utc)
    return int(start.timestamp()) * 10**9 + int(fraction.ljust(9, "0"))


def plain(number):
    """The same number without an exponent and without trailing zeros."""
    text = format(Decimal(number), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def row(event):
    item = event["Item"]
    (kind, body), = item["kind"].items()
    start = [str(nanoseconds(item["time_received"])), str(nanoseconds(item["time_exchange"]))]
    symbol = SYMBOLS[item["instrument"]]
    if kind == "Trade":
        side = body["side"].lower()
        return start + [symbol, "trade", plain(body["price"]), plain(body["amount"]), side, "", "", "", ""]
    if kind == "OrderBookL1":
        bid, ask = body["best_bid"], body["best_ask"]
        levels = [bid["price"], bid["amount"], ask["price"], ask["amount"]]
        return start + [symbol, "quote", "", "", ""] + [plain(level) for level in levels]
    raise SystemExit(f"unexpected kind of event: {kind}")


def main(source, target):
    lines = [COLUMNS]
    with open(source, encoding="utf-8") as events:
        for event in events:
            # parse_float keeps the digits of a number as they are written.
            lines.append(",".join(row(json.loads(event, parse_float=str))))
    text = ("\n".join(lines) + "\n").encode("ascii")
    with open(target, "wb") as out:
        # No name and no time in the header: the same input gives the same bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as packed:
            packed.write(text)
    print(f"{len(lines) - 1} rows, {len(text)} bytes, sha256 {hashlib.sha256(text).hexdigest()}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])
