"""Options of commands that spread their work over processes or a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Workers"]


@Parameter(name="*")
@dataclass(frozen=True)
class Workers:
    """Processes that do the work: this one alone where neither `--workers` nor `--scheduler` is given.

    Attributes:
        workers: do the work in this number of processes of this machine.
        scheduler: address of a dask scheduler, whose workers do the work; they must see what is read and
            written.
        tls_ca: PEM file of the authority that signed the scheduler's certificate, for an address tls://...;
            by default what dask's own configuration says.
        tls_cert: PEM file of the certificate to show to the scheduler.
        tls_key: PEM file of the key of that certificate.
    """

    workers: int | None = None
    scheduler: str | None = None
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def check(self) -> None:
        """Make sure that the options go together, before anything is read.

        Raises:
            InputError: if they do not.
        """
        from banet.errors import InputError

        if self.workers is not None and self.scheduler is not None:
            raise InputError("give --workers or --scheduler, not both")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"--workers {self.workers}: give at least one")
        given = [path for path in (self.tls_ca, self.tls_cert, self.tls_key) if path is not None]
        if given and self.scheduler is None:
            raise InputError("certificates are for a scheduler: give --scheduler too")
        if len(given) not in (0, 3):
            raise InputError("give --tls-ca, --tls-cert and --tls-key together")

    def connected(self) -> AbstractContextManager[Client | None]:
        """Give a client of the cluster that is asked for; None if none is.

        Raises:
            InputError: if the options do not go together, or nobody answers at the address.
        """
        from banet.parallel import certificates, connected

        self.check()
        if self.tls_ca is None or self.tls_cert is None or self.tls_key is None:
            return connected(self.scheduler, self.workers)
        security = certificates(self.tls_ca, self.tls_cert, self.tls_key)
        return connected(self.scheduler, security=security)
