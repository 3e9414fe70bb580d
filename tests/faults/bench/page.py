"""The run for people: a table for the terminal, one page of HTML."""

from html import escape
from typing import Any

from tests.faults.bench.judge import ZERO

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; vertical-align: top; }
tr { border-bottom: 1px solid #8884; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdict { font-weight: 600; } .good { color: #17803d; } .bad { color: #c02626; }
.counters { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .8rem; margin: 1rem 0; }
.counter { border: 1px solid #8886; border-radius: .4rem; padding: .5rem .8rem; }
.counter b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
td, code { overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  th, td { padding: .3rem .35rem .3rem 0; font-size: .8rem; }
  table { table-layout: fixed; } th { overflow-wrap: anywhere; }
  th.n, td.n { white-space: normal; } tr > :nth-child(2):not(:last-child) { width: 40%; }
}
"""


def table(found: dict[str, Any]) -> str:
    """The counters and the faults in columns."""
    rows = [f"{name:20}{value:>10}" for name, value in found["counters"].items()]
    heal = found["heal_seconds"]
    rows.append(f"{'heal_seconds':20}{heal['p50']:>10} p50  {heal['p95']} p95  {heal['max']} max")
    rows.append(
        f"{'faults':20}{found['faults_done']:>10} ({found['faults_planned']} planned) in {found['seconds']:.0f} s"
    )
    rows.append(
        f"{'statements checked':20}{found['statements_checked']:>10} ({found['complete_checked']} said complete)"
    )
    rows.append(f"{'ambiguous answers':20}{found['ambiguous_answers']:>10}")
    rows.append("")
    for fault, row in found["faults"].items():
        times = (
            f"{row['done']:>4} done  {row['not_staged']:>3} not staged  heal {row['heal_p50']} / {row['heal_max']} s"
        )
        rows.append(f"{fault}  {times}  {row['what']}")
    rows += [f"{fault}  not here: {why}" for fault, why in found["not_here"].items()]
    rows += [f"FOUND {name}: {what}" for name, whats in found["found"].items() for what in whats]
    rows += [f"FAILED {what}" for what in found["failures"]]
    rows += ["", found["bound"], f"again: {found['again']}", "passed" if found["passed"] else "NOT PASSED"]
    return "\n".join(rows)


def page(found: dict[str, Any]) -> str:
    """One page of HTML that needs nothing else."""
    passed = found["passed"]
    verdict = "Nothing lost, nothing twice, nothing claimed that was not so" if passed else "Not passed"
    heal = found["heal_seconds"]
    parts = [
        f'<p class="verdict {"good" if passed else "bad"}">{verdict}</p>',
        f"<p>{found['faults_done']} faults ({found['faults_planned']} planned) in {found['seconds']:.0f} seconds, "
        f"{found['partners']} partners, "
        f"{found['counters']['committed']} facts recorded: {escape(found['bound'])}.</p>",
        '<div class="counters">',
        *(_counter(name, value) for name, value in found["counters"].items()),
        *(_counter(f"heal_seconds {name}", value) for name, value in heal.items()),
        "</div>",
        "<h2>Faults</h2>",
        _rows(
            ("", "fault", "done", "not staged", "seconds to heal, p50", "max"),
            [
                (fault, row["what"], row["done"], row["not_staged"], row["heal_p50"], row["heal_max"])
                for fault, row in found["faults"].items()
            ],
        ),
        "<h2>Not in this run</h2>",
        _rows(("", "why"), list(found["not_here"].items())),
        "<h2>Quarantined, by reason</h2>",
        _rows(("reason", "contents"), list(found["quarantined_by_reason"].items())),
        *_troubles(found),
        "<h2>The run</h2>",
        _rows(
            ("", ""),
            [
                (
                    "statements checked",
                    f"{found['statements_checked']}, of which “complete”: {found['complete_checked']}",
                ),
                ("ambiguous answers, asked again", str(found["ambiguous_answers"])),
                ("longest stop after SIGTERM", f"{found['stop_seconds_max']} s"),
                ("a node put back to an old copy", found["restored_node"] or "not tried"),
                ("the partners' carriers", ", ".join(found["carriers"])),
                ("faults by carrier", ", ".join(f"{k} {n}" for k, n in found["faults_by_carrier"].items())),
                ("a courier waits for the lead", f"{found['patience_seconds']} s"),
                ("footing", found["footing"]),
                *((name, str(value)) for name, value in found["versions"].items()),
                ("seed", str(found["seed"])),
                ("again", found["again"]),
            ],
        ),
    ]
    title = f"Fault bench: {found['profile']}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _counter(name: str, value: float) -> str:
    kind = ""
    if name in (*ZERO, "conflicted"):
        kind = " good" if not value else " bad"
    return f'<div class="counter{kind}"><b>{value}</b>{escape(name)}</div>'


def _rows(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    head = "".join(f"<th{_n(rows[0][i] if rows else '')}>{escape(text)}</th>" for i, text in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td{_n(cell)}>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>{f'<tr>{head}</tr>' if any(heads) else ''}{body}</table>"


def _n(cell: Any) -> str:
    return ' class="n"' if isinstance(cell, int | float) else ""


def _troubles(found: dict[str, Any]) -> list[str]:
    rows = [(name, what) for name, whats in found["found"].items() for what in whats]
    rows += [("failed", what) for what in found["failures"]] + [
        ("ended by itself", what) for what in found["ended_by_itself"]
    ]
    return ["<h2>Found</h2>", _rows(("counter", "what"), rows)] if rows else []
