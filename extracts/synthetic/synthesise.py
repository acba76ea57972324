"""Writing synthetic extracts: everything from one call.

Belongs here: the order of work, from the plan of deliveries to the answer key. Does not belong here: what a row holds.

Work goes CPS Area by CPS Area and month by month; each record is written as soon as it is drawn, so memory does not
grow with the scale.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from extracts.contract import all_contracts
from extracts.suppliers import Supplier, all_suppliers
from extracts.synthetic import yardstick
from extracts.synthetic.calibration import calibration
from extracts.synthetic.defects import Defects, delivery_purposes, injectable_rules
from extracts.synthetic.files import CsvFile, DeliveryFolder, repeat
from extracts.synthetic.irregular import CHANGES, Irregular, untouched_suppliers
from extracts.synthetic.months import month_number
from extracts.synthetic.outbox import Outbox
from extracts.synthetic.panels import Panel
from extracts.synthetic.places import areas_of, forces_of, recorded_a_year, supplier_of
from extracts.synthetic.references import ReferenceMint, ScarceReferencesError, mint_for
from extracts.synthetic.request import Request, SynthesisError
from extracts.synthetic.streams import Canaries, Outboxes, Place, Stream
from extracts.synthetic.yardstick import YardstickError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_TRUE_LINKS = "true_links.csv"
_NOTE_HEADER = "officer_note"
_SURNAME = "Quillfeatherby"
_LINK_COLUMNS = (
    "supplier", "urn", "crime_reference", "suspect_number", "submission_type", "submitted_date",
    "force_code", "true_crime_reference", "true_urn", "is_damaged",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: ``done`` of ``total`` CPS Areas, and the name of the next."""

    done: int
    total: int
    name: str


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What was written."""

    deliveries: int
    files: int
    rows: int
    defects: int
    not_placed: int
    answer_key: Path
    true_links: Path


def synthesise(request: Request, show: Callable[[Progress], None] = lambda _: None) -> Synthesis:
    """Write the deliveries of all suppliers, the answer key and the true links.

    Raises:
        SynthesisError: the folder is not empty, or the arguments make no sense; nothing is written.
    """
    _check(request)
    unfinished = request.into.with_name(f".{request.into.name}.unfinished")
    _remove(unfinished)
    try:
        written = _Writer(request, unfinished).write(show)
    except BaseException as error:
        _remove(unfinished)
        if isinstance(error, (ScarceReferencesError, YardstickError)):
            raise SynthesisError(str(error)) from error
        raise
    unfinished.replace(request.into)  # whoever finds the folder finds all of it
    return written


def _check(request: Request) -> None:
    if request.into.exists() and (not request.into.is_dir() or any(request.into.iterdir())):
        raise SynthesisError(f"{request.into} is not empty; name a new folder, or remove that one first")
    if not request.scale > 0:
        raise SynthesisError(f"scale {request.scale} is not more than 0; 1 is England and Wales as recorded")
    if not 0 <= request.damaged_references < 1:
        raise SynthesisError("the share of damaged references lies between 0 and 1, such as 0.05")
    if min([request.row_defects, request.delivery_defects, *request.defects.values()]) < 0:
        raise SynthesisError("there cannot be fewer than 0 defects")
    known = {area.code: area.name for area in _areas()}
    if not request.areas <= known.keys():
        listed = ", ".join(f"{code} ({name})" for code, name in known.items())
        raise SynthesisError(
            f"no CPS Area has the code {min(request.areas - known.keys())[:40]!r}; there are: {listed}"
        )
    _check_defects(request)
    _check_references(request)


class _Writer:
    def __init__(self, request: Request, folder: Path) -> None:
        self._request, self._folder = request, folder
        self._areas = [one for one in _areas() if one.code in request.areas or not request.areas]
        self._links = CsvFile(_beside(folder, _TRUE_LINKS), "true_links", _LINK_COLUMNS)
        carried = int(calibration().number("deliveries", "carry_in_months"))
        self._first_month = month_number(request.months.start) - carried
        self._defects = Defects(request.seed, request.row_defects, request.defects)
        self._outboxes: dict[str, Outbox] = {}
        self._closed: list[dict[str, Any]] = []
        self._canaries: Canaries | None = None
        self._note: dict[str, str] = {}

    def write(self, show: Callable[[Progress], None]) -> Synthesis:
        request = self._request
        self._folder.mkdir(mode=0o700, parents=True)
        self._open_outboxes()
        for done, area in enumerate(self._areas):
            show(Progress(done, len(self._areas), area.name))
            self._write_area(area)
        for supplier_id in list(self._outboxes):
            self._close(supplier_id)
        self._links.flush()
        true_links = self._links.path.replace(_beside(request.into, _TRUE_LINKS))
        show(Progress(len(self._areas), len(self._areas), "done"))
        key = _beside(request.into, "answer_key.json")
        key.write_text(json.dumps(self._answer_key(), indent=1) + "\n", encoding="utf-8")
        return Synthesis(
            deliveries=len(self._closed),
            files=sum(len(delivery["files"]) for delivery in self._closed),
            rows=sum(rows for delivery in self._closed for rows in delivery["files"].values()),
            defects=len(self._defects.entries),
            not_placed=len(self._defects.not_placed),
            answer_key=key,
            true_links=true_links,
        )

    def _open_outboxes(self) -> None:
        irregular = Irregular(self._request)
        senders = [supplier for supplier in all_suppliers().values() if self._takes_part(supplier)]
        for supplier in senders:
            regular, extra = irregular.deliveries(supplier)
            self._outboxes[supplier.supplier_id] = Outbox(
                self._folder, supplier.group, regular, extra, partial(self._rows_a_month, supplier.supplier_id)
            )
        untouched = untouched_suppliers()
        spoiled = {
            supplier.supplier_id: (supplier.group, self._outboxes[supplier.supplier_id])
            for supplier in senders
            if supplier.supplier_id not in untouched
        }
        self._defects.share_out(spoiled, self._rows_a_month)
        if irregular.canary in self._outboxes:
            self._plant_note(irregular)

    def _takes_part(self, supplier: Supplier) -> bool:
        if supplier.group == "force":
            return any(supplier.code in forces_of(area) for area in self._areas)
        return supplier.group != "publisher" and supplier.code in {area.code for area in self._areas}

    def _rows_a_month(self, supplier_id: str, kind: str) -> float:
        return _rows_a_month(supplier_id, kind) * self._request.scale

    def _plant_note(self, irregular: Irregular) -> None:
        """A surname in a column that no contract names."""
        delivery = self._outboxes[irregular.canary].regular[-1]
        file = delivery.files["police_crimes"]
        file.add_note(_NOTE_HEADER, _SURNAME)
        name = f"{irregular.canary}/{delivery.plan.name}"
        self._note = {"delivery": name, "file": file.path.name, "header": _NOTE_HEADER, "surname": _SURNAME}

    def _write_area(self, area: Supplier) -> None:
        panel = supplier_of("joint_panel", area.code)
        streams = self._streams(area)
        sitting = Panel(self._request.seed, area.code, area.own_force_codes, self._outboxes[panel.supplier_id])
        for month in range(self._first_month, month_number(self._request.months.end) + 1):
            for stream in streams:
                stream.month(month)
            sitting.month(month)
        self._close(area.supplier_id)
        self._close(panel.supplier_id)
        for force_code in forces_of(area):
            if len(areas_of(force_code)) == 1:
                self._close(supplier_of("force", force_code).supplier_id)
        if self._canaries is None and area.supplier_id != yardstick.supplier():
            self._canaries = next((stream.canaries for stream in streams if stream.canaries), None)

    def _streams(self, area: Supplier) -> list[Stream]:
        request = self._request
        shares = {force_code: areas_of(force_code)[area.code] for force_code in forces_of(area)}
        planned: yardstick.PlannedCases = {}
        if area.supplier_id == yardstick.supplier() and yardstick.applies(
            request.months, request.scale, request.layout
        ):
            planned = yardstick.planned_cases(request.seed, shares, self._first_month, request.months)
        return [
            Stream(
                Place(
                    seed=request.seed,
                    area_code=area.code,
                    force_code=force_code,
                    share=share,
                    scale=request.scale,
                    mint=_mint(area.code, force_code, request),
                ),
                Outboxes(
                    police=self._outboxes[supplier_of("force", force_code).supplier_id],
                    cps=self._outboxes[area.supplier_id],
                    links=self._links,
                ),
                damaged_share=request.damaged_references,
                planned=planned.get(force_code),
            )
            for force_code, share in shares.items()
        ]

    def _close(self, supplier_id: str) -> None:
        outbox = self._outboxes.pop(supplier_id)
        self._defects.close(outbox)
        for delivery in [*outbox.regular, *outbox.extra]:
            self._close_delivery(delivery)
        for plan in outbox.repeats:
            repeated = repeat(outbox.regular[-1], self._folder, plan, "police_crimes", CHANGES[plan.purpose])
            if repeated is None:
                self._defects.not_placed.append(str(plan.purpose))
            else:
                self._close_delivery(repeated)

    def _close_delivery(self, delivery: DeliveryFolder) -> None:
        contracts = all_contracts()
        if not delivery.close(lambda kind: contracts[kind].version):
            return
        plan = delivery.plan
        files = {file.path.name: file.rows for file in delivery.files.values()}
        name = f"{plan.supplier_id}/{plan.name}"
        self._closed.append(
            {"delivery": name, "purpose": str(plan.purpose), "period": str(plan.declared), "files": files}
        )
        self._defects.note_delivery(delivery)

    def _answer_key(self) -> dict[str, Any]:
        request = self._request
        return {
            "arguments": {
                "months": str(request.months),
                "scale": request.scale,
                "seed": request.seed,
                "layout": str(request.layout),
                "damaged_references": request.damaged_references,
                "consecutive_references": request.consecutive_references,
                "row_defects": request.row_defects,
                "delivery_defects": request.delivery_defects,
                "defects": dict(sorted(request.defects.items())),
                "areas": sorted(request.areas),
            },
            "deliveries": len(self._closed),
            "irregular_deliveries": sorted(
                (entry for entry in self._closed if entry["purpose"] != "regular"), key=lambda entry: entry["delivery"]
            ),
            "defects": self._defects.listed(),
            "defects_not_placed": sorted(self._defects.not_placed),
            "yardstick": yardstick.described(request.months, request.scale, request.layout),
            "canaries": {**(asdict(self._canaries) if self._canaries else {}), "undeclared_column": self._note},
        }


def _check_defects(request: Request) -> None:
    known = [*injectable_rules(), *delivery_purposes()]
    unknown = [name for name in request.defects if name not in known]
    if unknown:
        alike = [name for name in known if name[:3] == unknown[0][:3]]
        kinds = sorted({f"{name[:2]}-…" for name in known if name[2:3] == "-"})
        raise SynthesisError(f"no defect trips {unknown[0][:40]!r} alone; there are: {', '.join(alike or kinds)}")


def _check_references(request: Request) -> None:
    """Refuse a scale at which some force would run out of references, before anything is written."""
    try:
        for area in _areas():
            for force_code in forces_of(area):
                _mint(area.code, force_code, request)
    except ScarceReferencesError as error:
        raise SynthesisError(str(error)) from error


def _areas() -> list[Supplier]:
    return [supplier for supplier in all_suppliers().values() if supplier.group == "cps_area"]


def _mint(area_code: str, force_code: str, request: Request) -> ReferenceMint:
    """References for one stream: as many units as its cases need, and numbers long enough for its crimes."""
    areas = areas_of(force_code)
    # As many for every Area of the force: units are numbered through, and no two Areas may have one in common.
    crimes = recorded_a_year(force_code) * max(areas.values())
    cases = crimes * calibration().number("police_units", "cases_a_crime")
    growth = 1 + int(request.scale / calibration().number("police_units", "most_scale"))
    units = 2 + int(cases / calibration().number("police_units", "cases_a_year")) * growth
    return mint_for(
        force_code,
        list(areas).index(area_code),
        len(areas),
        units,
        crimes * request.scale / 12,
        is_consecutive=request.consecutive_references,
    )


def _rows_a_month(supplier_id: str, kind: str) -> float:
    """Rows a month that a supplier sends of a kind, roughly: enough to spread defects over a file."""
    supplier = all_suppliers()[supplier_id]
    share = calibration().number("deliveries", "rows_a_crime", kind)
    if supplier.group == "joint_panel":
        return share
    forces = [supplier.code] if supplier.group == "force" else forces_of(supplier)
    return share * sum(recorded_a_year(code) * areas_of(code).get(supplier.code, 1.0) for code in forces) / 12


def _remove(unfinished: Path) -> None:
    shutil.rmtree(unfinished, ignore_errors=True)
    _beside(unfinished, _TRUE_LINKS).unlink(missing_ok=True)


def _beside(folder: Path, name: str) -> Path:
    return folder.with_name(f"{folder.name}.{name}")
