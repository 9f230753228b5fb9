#!/usr/bin/env python3
"""Convert the same workers from every format and look whether the bytes that come out are the same.

  cargo build --release && python3 benches/every_format.py            # 100,000 workers
  python3 benches/every_format.py 5000 --program target/debug/scimport

The workers are those of gen_workers.py, in its alphabets; windows-1252 has not all of their letters,
so that variant has a reference of its own, in which the others are folded. XLSX needs XlsxWriter.
The files (about 150 MB at 100,000 workers) are made in a temporary folder and removed.
"""
import argparse
import csv
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import types
import unicodedata

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import gen_workers  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent


def config():
    """The sample's, without its format, and with the second date."""
    text = (ROOT / "samples/scimport.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("format")]
    urn = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:EndDate"
    rule = '{ from = "TerminationDate", date = ["%Y-%m-%d"] }'
    return "\n".join(lines + [f'"{urn}" = {rule}', 'nickName = "PreferredName"', ""])


def folded(text):
    """The same text in letters of windows-1252."""
    out = []
    for letter in text:
        try:
            letter.encode("cp1252")
            out.append(letter)
        except UnicodeEncodeError:
            base = unicodedata.normalize("NFKD", letter)[0]
            out.append(base if base.isascii() else "x")
    return "".join(out)


def write_text(path, rows, encoding, delimiter, end):
    with open(path, "w", encoding=encoding, newline="") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
        writer.writerow(gen_workers.COLUMNS)
        writer.writerows(rows)


def write_xlsx(path, rows, inline):
    gen_workers.write_xlsx(types.SimpleNamespace(out=str(path), inline=inline), iter(rows))


def write_json(path, rows, is_lines):
    people = (dict(zip(gen_workers.COLUMNS, row)) for row in rows)
    with open(path, "w", encoding="utf-8", newline="") as out:
        if is_lines:
            for person in people:
                out.write(json.dumps(person, ensure_ascii=False) + "\n")
        else:
            out.write("[\n")
            for n, person in enumerate(people):
                out.write(("," if n else "") + json.dumps(person, indent=1) + "\n")
            out.write("]\n")


def converted(program, folder, name):
    """The digest of what comes out, and the seconds it took."""
    start = time.monotonic()
    command = [program, "convert", name, "--source", "hr", "-o", "-"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:
        digest, size = hashlib.sha256(), 0
        while block := ran.stdout.read(1 << 20):
            digest.update(block)
            size += len(block)
        words = ran.stderr.read().decode()
    if ran.returncode:
        sys.exit(f"{name}: exit code {ran.returncode}\n{words[-2000:]}")
    return digest.hexdigest(), size, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--program", default=str(ROOT / "target/release/scimport"))
    args = parser.parse_args()
    program = str(pathlib.Path(args.program).resolve())
    rows = [gen_workers.worker(1, n) for n in range(1, args.rows + 1)]
    western = [[folded(cell) for cell in row] for row in rows]
    # name, how it is written, whether it belongs to the folded reference
    variants = [
        ("utf-8.csv", lambda path: write_text(path, rows, "utf-8", ",", "\n"), False),
        ("utf-8-mark.csv", lambda path: write_text(path, rows, "utf-8-sig", ";", "\r\n"), False),
        ("utf-16.txt", lambda path: write_text(path, rows, "utf-16", "\t", "\r\n"), False),
        ("shared.xlsx", lambda path: write_xlsx(path, rows, False), False),
        ("inline.xlsx", lambda path: write_xlsx(path, rows, True), False),
        ("lines.ndjson", lambda path: write_json(path, rows, True), False),
        ("array.json", lambda path: write_json(path, rows, False), False),
        ("western-utf-8.csv", lambda path: write_text(path, western, "utf-8", ",", "\n"), True),
        ("western-1252.csv", lambda path: write_text(path, western, "cp1252", ";", "\r\n"), True),
    ]
    references, differ = {}, []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "scimport.toml").write_text(config(), encoding="utf-8")
        for name, write, is_western in variants:
            path = folder / name
            write(path)
            digest, size, seconds = converted(program, folder, name)
            is_same = references.setdefault(is_western, digest) == digest
            print(f"{name:18} {path.stat().st_size:>11,} bytes in, {size:>11,} out, {seconds:6.2f} s, "
                  f"{digest[:16]} {'same' if is_same else 'DIFFERENT'}", flush=True)
            if not is_same:
                differ.append(name)
            path.unlink()
    if differ:
        sys.exit(f"not the same: {', '.join(differ)}")
    print(f"{args.rows:,} workers are the same from every format")


if __name__ == "__main__":
    main()
