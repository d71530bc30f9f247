"""Questions to a collector's SQL port, as any program may ask them: a query in, rows out."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from sightline_collector.demo.processes import DemoFailed

ANSWER_S: Final = 30.0
STORED_S: Final = 90.0  # 3 s are usual; the collector itself gives up after 60

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """`http` is the base URL of the SQL port."""

    http: str

    def rows(self, sql: str) -> list[Row]:
        """The rows of a query; raises DemoFailed with what the collector said."""
        body = f"{sql.strip().rstrip(';')}\nformat JSON".encode()
        request = urllib.request.Request(self.http, data=body, method="POST")  # noqa: S310  # our own address
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
                found: list[Row] = json.load(answer)["data"]
                return found
        except urllib.error.HTTPError as error:
            raise DemoFailed(f"a query was refused: {error.read().decode(errors='replace')}\n{sql}") from None
        except OSError as error:
            raise DemoFailed(f"the SQL port {self.http} does not answer ({error}); is it up?") from None

    def wait_stored(self) -> None:
        """Returns when all that the collector has acknowledged can be asked for."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.http}/api/flush", data=b"{}", headers={"content-type": "application/json"}
        )
        try:
            urllib.request.urlopen(request, timeout=STORED_S).close()  # noqa: S310
        except OSError as error:
            raise DemoFailed(f"the store did not take everything in {STORED_S:.0f} s ({error})") from None

    def count(self, view: str) -> int:
        """How many rows a view has."""
        return int(self.rows(f"select count() as n from {view}")[0]["n"])  # noqa: S608  # names of our own


def query(name: str) -> str:
    """One of the report's queries: the text of report/NAME.sql."""
    return (resources.files(__package__) / "report" / f"{name}.sql").read_text(encoding="utf8")
