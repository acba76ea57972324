"""``python -m bench``: print each measurement as one line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bench import case_extracts, landing_to_page, linkage, marts, receive, small_deliveries, whole_run

PUBLIC_DATA = Path(os.environ.get("RASSO_PUBLIC_DATA", Path(__file__).parents[2] / "shared" / "data"))


def main() -> None:
    """Run the measurements named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure speed and memory.")
    names = ("receive", "run", "airflow", "cases", "deliveries", "linkage", "marts")
    others = ("history", "linkage-parameters")
    parser.add_argument("names", nargs="*", choices=[*names, *others, []], help=f"which; if none: {', '.join(names)}")
    parser.add_argument("--runs", type=int, default=5, help="repetitions of a measurement")
    parser.add_argument("--scale", type=float, default=1.0, help="scale of the synthetic case extracts")
    arguments = parser.parse_args()
    chosen = arguments.names or names
    if "receive" in chosen:
        receive.measure(PUBLIC_DATA, arguments.runs)
    if "run" in chosen:
        whole_run.measure(PUBLIC_DATA)
    if "airflow" in chosen:
        landing_to_page.measure(arguments.runs)
    if "cases" in chosen:
        case_extracts.measure(arguments.scale)
    if "deliveries" in chosen:
        small_deliveries.measure()
    if "history" in chosen:
        case_extracts.measure_history(arguments.runs)
    if "marts" in chosen:
        marts.measure(arguments.scale)
    if "linkage" in chosen:
        linkage.measure(arguments.scale)
    if "linkage-parameters" in chosen:
        linkage.measure_parameters(arguments.scale)


if __name__ == "__main__":
    main()
