"""What came of it: lines while it runs, a table at its end, and a file of both. Must not know what the rows are about."""

import sys
import time


class Report:
    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")
        self.rows, self.begun = [], time.monotonic()

    def say(self, text):
        for line in str(text).rstrip("\n").split("\n"):
            print(line, flush=True)
            print(line, file=self.file, flush=True)

    def row(self, name, good, figures=""):
        """One thing that was to be so, whether it is, and what was measured."""
        self.rows.append((name, good, figures))
        self.say(f"[{time.monotonic() - self.begun:7.1f} s] {'ok  ' if good else 'FAIL'} {name}{': ' if figures else ''}{figures}")

    def close(self):
        bad = [row for row in self.rows if not row[1]]
        self.say(f"vm: {len(self.rows)} rows, {len(bad)} failed")
        for name, _, figures in bad:
            self.say(f"  FAIL {name}: {figures}")
        self.file.close()
        sys.exit(1 if bad or not self.rows else 0)


def spread(seconds):
    """Times as a few figures."""
    if not seconds:
        return "none"
    row = sorted(seconds)
    return f"n {len(row)}, median {row[len(row) // 2]:.2f} s, worst {row[-1]:.2f} s"
