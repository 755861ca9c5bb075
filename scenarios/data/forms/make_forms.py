"""Writes the same few bars, outputs and trades in every form that a file may have, beside this script.

    python3 make_forms.py

Times differ in how they are written and never in which instant they are. The same script gives the same bytes.
"""

from datetime import datetime, timedelta, timezone
from pathlib import Path

START = datetime(2025, 3, 29, 20, tzinfo=timezone.utc)
HOURS = 60
FOLDER = Path(__file__).parent


def bars():
    """Hour by hour a price that swings, so that averages cross, and now and then jumps, so that stops are met."""
    price = 100_00
    for hour in range(HOURS):
        opened = price
        step = 90 if hour // 6 % 2 == 0 else -80
        price += step + (hour * hour * 37) % 61 - 30
        high = max(opened, price) + (hour * 53) % 47
        low = min(opened, price) - (hour * 29) % 43
        if hour % 11 == 7:
            low -= 350
        if hour % 13 == 5:
            high += 600
        yield START + timedelta(hours=hour), [opened, high, low, price], 5 + hour * 7 % 90


def cents(price):
    return f"{price // 100}.{price % 100:02d}"


def at(zone_minutes, pattern):
    zone = timezone(timedelta(minutes=zone_minutes))
    return lambda time: time.astimezone(zone).strftime(pattern)


def epoch(per_second):
    return lambda time: str(int(time.timestamp()) * per_second)


def offset(minutes):
    """Fractions of a second that are none, and a colon in the offset."""
    zone = timezone(timedelta(minutes=minutes))
    return lambda time: time.astimezone(zone).isoformat(timespec="milliseconds")


def new_york(time):
    """Four hours behind all the while: the clocks of these days have gone forward already."""
    return at(-240, "%Y-%m-%d %H:%M:%S")(time)


def table(name, time, head="time,open,high,low,close,volume", comma=",", shift=0):
    lines = [head.replace(",", comma)]
    for when, prices, volume in bars():
        cells = [time(when + timedelta(hours=shift)), *map(cents, prices), str(volume)]
        lines.append(comma.join(cells))
    write(name, lines)


def write(name, lines, end="\n"):
    (FOLDER / name).write_bytes("".join(line + end for line in lines).encode())


def messy():
    """Stamped at the close. Out of order, repeated with other prices, with rows that are no bars, and with blank lines."""
    rows = []
    for when, prices, volume in bars():
        time = at(0, "%Y-%m-%dT%H:%M:%SZ")(when + timedelta(hours=1))
        rows.append(",".join([time, *map(cents, prices), str(volume)]))
    half = "2025-03-30T0{}:30:00Z"
    rows[10], rows[11] = rows[11], rows[10]
    again = rows[20].split(",")
    again[1:5] = ["1.00", "900.00", "1.00", "900.00"]
    rows.insert(23, ",".join(again))
    for hour, row in [
        (1, "0,101,99,100,5"), (2, "100,99,101,100,5"), (3, "100,101,99,,5"), (4, "100,101,99,102,5"),
        (5, "98,101,99,100,5"), (6, "100,101,99,100,-1"), (7, "100,101,-99,100,1"),
    ]:
        rows.insert(5 + 3 * hour, half.format(hour) + "," + row)
    rows[40:40], rows[50:50] = ["", ""], [""]
    write("messy.csv", ["time,open,high,low,close,volume", *rows], end="\r\n")


def quoted():
    """Cells in quotes, a column with commas and quotes in it, a byte order mark, blanks around what is read."""
    lines = ['\ufeff"Symbol","Note","Close Time","Price (open)","Price (high)","Price (low)","Price (close)","Vol"']
    for when, prices, volume in bars():
        time = at(0, "%Y-%m-%d %H:%M:%S UTC")(when + timedelta(hours=1))
        cells = ", ".join(f'"{cents(price)}"' for price in prices).replace(", ", ",")
        lines.append(f'"QTD/USDT","so ""said"", and so on","{time}",{cells}," {volume}"')
    write("quoted.csv", lines)


def newest_first():
    lines = [f"{epoch(1)(when)},{','.join(map(cents, prices))},{volume}" for when, prices, volume in bars()]
    # The first step and the last are no bar long.
    del lines[1], lines[-2]
    write("newest-first.csv", ["time,open,high,low,close,volume", *reversed(lines)])


def closes():
    lines = [",price"]
    lines += [f"{epoch(1)(when)}.0,{cents(prices[3])}" for when, prices, _ in bars()]
    write("closes.csv", lines)


def days():
    """Three days, as dates: of a zone three hours behind, each over at three in the morning of the next."""
    rows = [(29, "100,112,97,108"), (30, "108,111,93,95"), (31, "95,104,94,103")]
    for name, pattern in [("dashes", "2025-03-{}"), ("slashes", "2025/03/{}"), ("digits", "202503{}")]:
        lines = [f"{pattern.format(day)},{prices},10" for day, prices in rows]
        write(f"days-{name}.csv", ["date,open,high,low,close,volume", *lines])


def outputs():
    """What agents say, known half an hour after a bar has closed, or a quarter."""
    moods = ["very_bullish", "bullish", "neutral", "bearish", "very_bearish"]
    notes = ["True", "False", "true", "false", "soon", "3", "0.50", "-1e3", "", "007"]
    lines = ["symbol;knowable_at;bias;confidence;note"]
    for place in range(20):
        when = START + timedelta(hours=1 + 3 * place, minutes=30)
        # Known a moment after an instant that can be told apart.
        time = at(120, "%Y-%m-%dT%H:%M:%S")(when) + (".0000001" if place % 7 == 3 else "")
        lines.append(f"SEC/USDT;{time};{moods[place % 5]};0.{4 + place % 5}5;{notes[place % 10]}")
    write("moods.csv", lines)
    lines = ["knowable_at,action,confidence,entry_price,stop_loss,take_profit,size_usd,leverage,regime"]
    for place in range(14):
        when = START + timedelta(hours=2 + 4 * place, minutes=30)
        rows = ["BUY,0.9,,,,,,", "SELL,0.95,,,,150,2,choppy", "HOLD,0.5,,,,,,", "BUY,0.85,,95.5,120,250,,ranging"]
        lines.append(f"{epoch(1_000)(when)},{rows[place % 4]}")
    write("decisions.csv", lines)
    lines = ["regime,when known,confidence"]
    for place in range(10):
        when = START + timedelta(hours=1 + 6 * place, minutes=15)
        word = ["trending_bull", "trending_bear", "ranging", "volatile_bear"][place % 4]
        lines.append(f"{word},{at(0, '%d.%m.%Y %H:%M')(when)},0.7")
    write("regimes.csv", lines)


def tapes():
    """Trades and quotes of one market: received in another order than that of the exchange, and trades alone.

    Both have what tapes have: a quote that is crossed, a trade for nothing, a row that comes late, a pause.
    """
    rows = []
    for place in range(240):
        when = int(START.timestamp()) * 1000 + place * 700
        swing = place % 18 if place % 36 < 18 else 18 - place % 18
        if place % 4 == 3:
            bid = 30_000 + 20 * swing
            ask = bid - 1 if place == 99 else bid + 2
            rows.append((when, f"quote,,,,{cents(bid)},1.5,{cents(ask)},2"))
        else:
            side = ["buy", "sell", ""][place % 3]
            rows.append((when, f"trade,{cents(30_000 + 20 * swing)},0.{1 + place % 9},{side},,,,"))
    shuffled = sorted(rows, key=lambda row: (row[0] // 7000, row[0] % 3, row[0]))
    lines = ["received_ms,exchange_us,symbol,kind,price,size,side,bid,bid_size,ask,ask_size"]
    for place, (at, row) in enumerate(shuffled):
        lines.append(f"{rows[place][0] + 150},{at * 1000},SOL/USDT,{row}")
    write("tape-both.csv", lines)
    alone = [(at, row.split(",")) for at, row in rows if row.startswith("trade")]
    lines = []
    for place, (at, cells) in enumerate(alone):
        price = "0" if place == 90 else cells[1]
        at += 3_000 * (place >= 170) - 2_500 * (place == 60)
        lines.append(f"SOL/USDT,{cells[2]},{price},{at * 1_000_000}")
    write("tape-trades.csv", ["\ufeffsymbol,size,price,received_ns", *lines])


def main():
    table("seconds.csv", epoch(1), "Unix Timestamp,Open,High,Low,Close,Volume", ";")
    table("millis.csv", epoch(1_000), "ts,o,h,l,c,v")
    table("micros.csv", epoch(1_000_000), "Open time,Open,High,Low,Close,Base volume", "\t")
    table("nanos.csv", epoch(1_000_000_000))
    table("zulu.csv", at(0, "%Y-%m-%dT%H:%M:%SZ"))
    table("offsets.csv", offset(330), "datetime,open,high,low,close,volume")
    table("behind.csv", at(-300, "%Y/%m/%d %H:%M:%S"), "date,open,high,low,close,volume")
    table("ahead.csv", at(150, "%Y-%m-%dT%H:%M:%S"))
    table("new-york.csv", new_york, "local time,first,top,bottom,last one,traded")
    table("pattern.csv", at(0, "%d.%m.%Y %H:%M"))
    table("pattern-zone.csv", at(-210, "%d %b %Y %H.%M %z"))
    messy()
    quoted()
    newest_first()
    closes()
    days()
    outputs()
    tapes()


main()
