"""Settings of one installation, read from ``RASSO_*`` environment variables.

Belongs here: where state lives and which limits hold. Does not belong here: anything that opens a file or a database.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import ByteSize, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

AS_OF = "as_of"  # a file of the home that fixes its day: samples lie in the past


class SettingsError(ValueError):
    """A home that cannot be used as it is; the message says what to do."""


def _day_of(home: Path) -> date:
    fixed = home.expanduser() / AS_OF
    if not fixed.is_file():
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(fixed.read_text(encoding="utf-8").strip())
    except ValueError:
        raise SettingsError(f"{fixed} holds no day; write one such as 2021-01-15, or remove the file") from None


class Settings(BaseSettings):
    """Where state lives and which limits hold; every field can be set as ``RASSO_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="RASSO_", frozen=True, extra="ignore")

    home: Path = Field(default=Path(".rasso"), description="Folder of all state (mode 0700).")
    catalog: str = Field(
        default="",
        description="DuckLake catalogue: empty for SQLite under the home, or 'postgres:dbname=… host=… user=…'.",
    )
    as_of: date = Field(
        default_factory=lambda data: _day_of(data["home"]),
        description="The day that 'late' and 'in the future' are judged against; today unless set here or by the home.",
    )
    key_file: Path = Field(
        default_factory=lambda data: data["home"] / "secrets" / "keys.json",
        description="Key file (mode 0400) of tokens, vault and archive; made with: rasso make-key.",
    )
    memory_limit: str = Field(default="768MiB", description="Memory of one DuckDB connection.")
    staging_memory_limit: str = Field(default="512MiB", description="Memory of the connection that reads a file.")
    threads: int = Field(default=2, ge=1, description="Threads of one DuckDB connection.")
    staging_unpacked_limit: ByteSize = Field(
        default=ByteSize(8 << 30),
        description="What one file may hold when it is unpacked, and the largest file that its reading may write.",
    )
    staging_seconds: int = Field(default=300, ge=1, description="Time that the reading of one file may take.")
    lease_seconds: int = Field(default=900, ge=1, description="Time after which a claimed delivery may be taken over.")
    receive_batch: int = Field(default=200, ge=1, description="Deliveries that one task receives in one process.")

    link_threshold: float = Field(
        default=0.9,
        gt=0.5,
        le=1,
        description="Probability from which a crime and a case are taken as linked where no rule decides.",
    )

    model_unit_tests: bool = Field(
        default=True,
        description="Whether the first build by new code proves the models on their unit tests; CI does in any case.",
    )
    keep_releases: int = Field(
        default=12, ge=2, description="Releases whose pages are kept; editions that did not change share their files."
    )
    baseline: str = Field(
        default="2018-12",
        pattern=r"^(\d{4}-(0[1-9]|1[0-2])|year_before)$",
        description=(
            "What figures are compared with: a month (the rolling year that ends with it, and the same months and "
            "quarters within it), or year_before (the same period of the year before)."
        ),
    )

    @field_validator("catalog")
    @classmethod
    def _holds_no_password(cls, catalog: str) -> str:
        if "password=" in catalog.replace(" ", "").lower():
            raise ValueError("a password belongs into PGPASSWORD or a password file, not into RASSO_CATALOG")
        return catalog

    @field_validator("key_file")
    @classmethod
    def _found_from_any_folder(cls, key_file: Path) -> Path:
        return key_file.expanduser().absolute()

    @property
    def landing(self) -> Path:
        """Folder into which suppliers' deliveries are put: ``landing/<supplier>/<delivery-name>/``."""
        return self.root / "landing"

    @property
    def archive(self) -> Path:
        """Original files, named by the sha256 of their content."""
        return self.root / "archive"

    @property
    def lake(self) -> Path:
        """The DuckLake: catalogue, data files, extension binaries and the writer lock."""
        return self.root / "lake"

    @property
    def vault(self) -> Path:
        """The originals of case references, encrypted, and the lock of those who open it."""
        return self.root / "vault"

    @property
    def secrets(self) -> Path:
        """The key file, unless ``RASSO_KEY_FILE`` names one elsewhere."""
        return self.root / "secrets"

    @property
    def reports(self) -> Path:
        """Validation reports: ``reports/<supplier>/<delivery>/``."""
        return self.root / "reports"

    @property
    def site(self) -> Path:
        """Published scorecards: ``site/releases/<release>`` and the pointer ``site/current``."""
        return self.root / "site"

    @property
    def airflow(self) -> Path:
        """``AIRFLOW_HOME`` of the local Airflow."""
        return self.root / "airflow"

    @property
    def logs(self) -> Path:
        """Logs of the local processes and of dbt."""
        return self.root / "logs"

    @property
    def root(self) -> Path:
        """The home as an absolute path, so that a child process in another folder finds it."""
        return self.home.expanduser().absolute()

    @property
    def catalog_uri(self) -> str:
        """What DuckLake attaches, without its ``ducklake:`` scheme."""
        return self.catalog or f"sqlite:{self.lake / 'catalog.sqlite'}"

    def prepare(self) -> None:
        """Create the home and its folders, readable by their owner only."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)
        kept = (self.landing, self.archive, self.lake, self.vault, self.secrets)
        shown = (self.reports, self.site, self.airflow, self.logs)
        for folder in (*kept, *shown):
            folder.mkdir(mode=0o700, exist_ok=True)
