"""The signals of scenarios/eurusd.toml: a fast average of closes crosses a slow one.

    python3 signals.py ../../../scenarios/data

Reads eurusd-hourly-2017.csv.gz in that folder and writes eurusd-cross.csv beside it.
"""

import sys
from pathlib import Path

import pandas as pd

folder = Path(sys.argv[1])
bars = pd.read_csv(folder / "eurusd-hourly-2017.csv.gz", index_col="time", parse_dates=True)

fast, slow = bars.close.rolling(24).mean(), bars.close.rolling(96).mean()
above = (fast > slow)[slow.notna()]
crosses = above[above != above.shift(fill_value=above.iloc[0])]

signals = pd.DataFrame(
    {
        # The bars are stamped at their open, so what they show is known one bar later.
        "knowable_at": crosses.index + pd.Timedelta("1h"),
        "symbol": "EUR/USDT",
        "action": crosses.map({True: "BUY", False: "SELL"}),
        "confidence": 0.8,
    }
)
signals.to_csv(folder / "eurusd-cross.csv", index=False)
print(f"{len(signals)} crosses")
