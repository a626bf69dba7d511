"""Rows of a Journal dropped by hand, from the index of a daemon that does not run.

    python3 journal.py DATA SINCE     # Debian's, which has python3-lmdb; prints how many rows went

Keys as src/index/keys.hpp draws them: a byte for the space, then the sequence, big-endian. Nothing
says afterwards that there ever were such rows: neither the mark of dropped ones nor the newest's
number is touched.
"""

import pathlib
import subprocess
import sys

JOURNAL = 13


def drop_rows(data, since):
    """Those above `since`; how many there were."""
    command = ["/usr/bin/python3", __file__, str(data), str(since)]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=60,
                              check=True).stdout)


def _drop(data, since):
    import lmdb
    index = lmdb.open(str(pathlib.Path(data) / "index"), map_size=1 << 32, lock=False)
    with index.begin(write=True) as batch:
        first = bytes([JOURNAL]) + (since + 1).to_bytes(8, "big")
        cursor, rows = batch.cursor(), 0
        found = cursor.set_range(first)
        while found and cursor.key()[0] == JOURNAL:
            found = cursor.delete()
            rows += 1
    index.close()
    return rows


if __name__ == "__main__":
    print(_drop(sys.argv[1], int(sys.argv[2])))
