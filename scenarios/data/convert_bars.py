"""Makes the two files of bars in this folder from the packages that ship their sources.

    python3 convert_bars.py sp500-2000.csv FOREX_EURUSD_1H_ASK.csv

The first is `data/sp500-2000.csv` of the npm package vega-datasets 3.2.1, the second
`gym_anytrading/datasets/data/FOREX_EURUSD_1H_ASK.csv` of the Python package gym-anytrading 2.0.0. The same input
gives the same bytes.
"""

import csv
import gzip
import hashlib
import sys
from datetime import datetime
from pathlib import Path


def sp500(path):
    """Daily bars. The source has prices as 32-bit floats show them; an index is quoted in hundredths."""
    yield "date,open,high,low,close,volume"
    for row in csv.DictReader(open(path, newline="")):
        prices = [f"{float(row[name]):.2f}" for name in ("open", "high", "low", "close")]
        yield ",".join([row["date"], *prices, row["volume"]])


def eurusd(path):
    """Hourly bars of the ask. Weeks begin on Sundays at 22:00 in winter and 21:00 in summer: that is UTC."""
    yield "time,open,high,low,close,volume"
    for row in csv.DictReader(open(path, newline="")):
        at = datetime.strptime(row["Time"], "%d.%m.%Y %H:%M:%S.%f")
        prices = [f"{float(row[name]):.5f}" for name in ("Open", "High", "Low", "Close")]
        yield ",".join([at.strftime("%Y-%m-%d %H:%MZ"), *prices, f"{float(row['Volume']):.0f}"])


def write(lines, name):
    text = "".join(line + "\n" for line in lines).encode()
    with open(Path(__file__).parent / name, "wb") as out:
        # No name and no date in the archive, so that the same text gives the same bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as packed:
            packed.write(text)
    print(f"{name}: {len(text)} bytes, sha256 {hashlib.sha256(text).hexdigest()}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    write(sp500(sys.argv[1]), "sp500-daily.csv.gz")
    write(eurusd(sys.argv[2]), "eurusd-hourly-2017.csv.gz")
