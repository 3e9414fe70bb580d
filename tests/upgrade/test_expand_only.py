"""Every migration after the first only adds, so that the previous release goes on working while it is applied."""

import ast
from pathlib import Path

import pytest

from shared.storage.migrate import DIRECTORY

ADDING = {"create_table", "add_column", "create_index"}
"""Whatever else `op` can do (drop, alter, rename, execute) may take something from under a running release."""


def breaks(source: str) -> list[str]:
    """What in a migration is not safe while the previous release runs."""
    found = []
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    made = {str(ast.literal_eval(call.args[0])) for call in calls if name_of(call) == "op.create_table"}
    for call in calls:
        name = name_of(call)
        if not name.startswith("op.") or name == "op.f":
            continue
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if name.removeprefix("op.") not in ADDING:
            found.append(name)
        elif name == "op.add_column":
            column = call.args[1]
            assert isinstance(column, ast.Call)
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in column.keywords}
            if options.get("nullable") == "False" and "server_default" not in options:
                found.append("op.add_column without default")
        elif name == "op.create_index" and given.get("unique") == "True":
            table = ast.unparse(call.args[1]).strip("'")
            if table not in made:
                found.append("op.create_index unique on a table that is there")
    return found


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func)


UNRELEASED = {
    "reporting_0013": ["op.drop_column"],
    "reporting_0014": ["op.execute", "op.get_bind", "op.get_bind"],
    "pathways_0007": ["op.get_bind", "op.execute"],
    "activities_0004": ["op.get_bind", "op.execute"],
}
"""What fills a new table or column, of what intake has of exits; what takes away only what no release has had:
a ground of restriction, which no lead should have been told; or what is derived anew: start records of streams in which
a line says what an earlier release passed over."""


LATER = sorted(path for path in (DIRECTORY / "versions").glob("*_[0-9]*.py") if not path.stem.endswith("_0001"))


@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_a_later_migration_only_adds(path: Path) -> None:
    assert breaks(path.read_text(encoding="utf-8")) == UNRELEASED.get(path.stem, [])
    assert "op." in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        "op.drop_table('a')",
        "op.drop_column('a', 'b')",
        "op.alter_column('a', 'b', nullable=False)",
        "op.execute('DELETE FROM a')",
        "op.rename_table('a', 'b')",
        "op.batch_alter_table('a')",
        "op.add_column('a', sa.Column('b', sa.Integer(), nullable=False))",
        "op.create_index('i', 'a', ['b'], unique=True)",
        "op.create_unique_constraint('c', 'a', ['b'])",
    ],
)
def test_what_would_break_a_running_release_is_found(line: str) -> None:
    assert breaks(line)


def test_what_adds_is_taken() -> None:
    assert not breaks(
        "op.create_table('n', sa.Column('b', sa.Integer(), nullable=False))\n"
        "op.create_index('i', 'n', ['b'], unique=True)\n"
        "op.create_index('j', 'a', ['b'], unique=False)\n"
        "op.add_column('a', sa.Column('c', sa.Integer(), nullable=True))\n"
        "op.add_column('a', sa.Column('d', sa.Integer(), nullable=False, server_default='0'))\n"
    )
