"""Work spread over processes of this machine or over the workers of a dask cluster."""

from banet.parallel.cluster import certificates, connected, threads_for
from banet.parallel.spreading import spread

__all__ = ["certificates", "connected", "spread", "threads_for"]
