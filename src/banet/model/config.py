"""The shape of a network and the scaling of its input, as frozen values that travel with the weights."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from banet.burned_area.evidence import CLASSES
from banet.io.settings import Frozen

__all__ = ["CHANNELS", "BANetConfig", "Calibration", "ChannelName", "EvidenceTable", "InputSpec"]

ChannelName = Literal["red", "nir", "mir", "frp", "view_zenith", "observed", "hotspots_known"]
CHANNELS: tuple[ChannelName, ...] = (
    "red", "nir", "mir", "frp", "view_zenith", "observed", "hotspots_known",
)  # fmt: skip

PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]


class BANetConfig(Frozen):
    """Shape of a U-Net in space and time of the BA-Net family.

    The defaults are BA-Net as published (doi 10.1016/j.isprsjprs.2019.12.014). Stage i of the encoder has
    `width * multipliers[i]` channels; every stage but the first halves days, rows and columns, and a last
    convolution, the bottom, halves rows and columns once more.

    Attributes:
        channels: input channels.
        classes: output channels.
        width: channels of the first stage.
        multipliers: channels of each stage over `width`; their number is the depth.
        space_kernels: cells a side of each stage's convolution in space, odd.
        time_kernels: days of each stage's convolution in time, odd.
        head_kernel: days of the head's convolution in time, odd.
        memory: spans in days of the temporal context of every cell (`banet.model.temporal_context`); none in
            the original.
        lstm: whether a one-way LSTM runs over the days of each cell in the first stage.
        dropout: probability of dropping a whole channel after a stage, in training.
        norm: kind of normalisation; `batch` takes its statistics over batch, days, rows and columns.
    """

    channels: PositiveInt = 4
    classes: PositiveInt = 1
    width: PositiveInt = 32
    multipliers: tuple[PositiveInt, ...] = (1, 2, 4, 8, 8)
    space_kernels: tuple[PositiveInt, ...] = (7, 3, 3, 3, 3)
    time_kernels: tuple[PositiveInt, ...] = (7, 7, 5, 3, 3)
    head_kernel: PositiveInt = 3
    memory: tuple[PositiveFloat, ...] = ()
    lstm: bool = True
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    norm: Literal["batch"] = "batch"

    @model_validator(mode="after")
    def _stages_agree(self) -> Self:
        depths = {len(self.multipliers), len(self.space_kernels), len(self.time_kernels)}
        if len(depths) != 1 or min(depths) < 2:
            raise ValueError(
                f"multipliers, space_kernels and time_kernels must be of one length of at least 2, "
                f"found {len(self.multipliers)}, {len(self.space_kernels)} and {len(self.time_kernels)}"
            )
        even = [k for k in (*self.space_kernels, *self.time_kernels, self.head_kernel) if k % 2 == 0]
        if even:
            raise ValueError(f"kernels must be odd so that output days are input days, found {even}")
        return self

    @classmethod
    def original(cls) -> Self:
        """Return BA-Net as published: 32 channels wide with the LSTM, 3 415 361 parameters."""
        return cls()

    @classmethod
    def lean(cls, width: int = 12, **changes: Any) -> Self:
        """Return the same U-Net narrower and without the LSTM; `changes` override any other field."""
        return cls(**{"width": width, "lstm": False, **changes})

    @classmethod
    def remembering(cls, width: int = 16, **changes: Any) -> Self:
        """Return the network that the weights that ship grew from: two spans of memory, small kernels."""
        shape = {
            "width": width, "lstm": False, "memory": (3.0, 12.0), "multipliers": (1, 2, 3, 4),
            "space_kernels": (3, 3, 3, 3), "time_kernels": (5, 5, 3, 3), "dropout": 0.05,
        }  # fmt: skip
        return cls(**{**shape, **changes})

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each stage of the encoder."""
        return tuple(self.width * m for m in self.multipliers)

    @property
    def multiple(self) -> tuple[int, int, int]:
        """Numbers of which days, rows and columns of an input must be multiples."""
        halvings = len(self.multipliers) - 1
        return 2**halvings, 2 ** (halvings + 1), 2 ** (halvings + 1)


class InputSpec(Frozen):
    """Input that a set of weights was trained on, hence its scaling.

    A value v of channel i enters as (v - mean[i]) / std[i], with v = 0 where it is missing. The defaults are
    the published ones for VIIRS at 0.01 degree.

    Attributes:
        channels: in the order of the network's input: `red`, `nir`, `mir` reflectance (1), `frp` as
            log(1 + MW), `view_zenith` in degrees, `observed` 1 or 0, `hotspots_known` 1 where somebody looked
            for hot spots that day, else 0.
        mean, std: one number a channel, in the unit of the channel.
        mir_band: band in the MIR slot, such as M12; several as in M11/M12.
        sensor: what flew.
        pixel_size: edge of a cell in degrees.
        sequence_length: days of an episode of the training, for information: mapping chooses its own.
        whole_looks: whether a look that lacks one of red, NIR and MIR counts as none. With a band at 0 its
            index is that of lush or of scorched ground, so half a look says less than none.
    """

    channels: tuple[ChannelName, ...] = ("red", "nir", "mir", "frp")
    mean: tuple[FiniteFloat, ...] = (0.2349, 0.3548, 0.1128, 0.0016)
    std: tuple[PositiveFloat, ...] = (0.1879, 0.1660, 0.0547, 0.0776)
    mir_band: str = "M12"
    sensor: str = "VIIRS"
    pixel_size: PositiveFloat = 0.01
    sequence_length: PositiveInt = 64
    whole_looks: bool = True

    @model_validator(mode="after")
    def _channels_agree(self) -> Self:
        if not len(self.channels) == len(self.mean) == len(self.std):
            raise ValueError(
                f"channels, mean and std must be of one length, "
                f"found {len(self.channels)}, {len(self.mean)} and {len(self.std)}"
            )
        if not self.channels or len(set(self.channels)) != len(self.channels):
            raise ValueError(f"channels must be named once each, found {self.channels}")
        return self

    @classmethod
    def original(cls) -> Self:
        """Return the published scaling: VIIRS S-NPP 750 m bands M5, M7, M12 and log(1 + FRP), one by one."""
        return cls(sensor="VIIRS S-NPP", whole_looks=False)

    @property
    def scaling(self) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...], bool]:
        """Channels, means, deviations and what a look is: networks with the same ones take the same input."""
        return self.channels, self.mean, self.std, self.whole_looks

    @property
    def missing(self) -> tuple[float, ...]:
        """Value that the network gets for a missing one, one number a channel (1)."""
        return tuple((0.0 - mean) / std for mean, std in zip(self.mean, self.std, strict=True))


class EvidenceTable(Frozen):
    """Meaning of the mapped burned fraction in one class of evidence, at the knots of its calibration.

    Attributes:
        evidence: the class, see `banet.burned_area.evidence`.
        cells: held-out cells that it was measured on.
        burned, tenth: as in `Calibration`.
    """

    evidence: str
    cells: Annotated[int, Field(ge=0)]
    burned: tuple[Annotated[float, Field(ge=0, le=1)], ...]
    tenth: tuple[Annotated[float, Field(ge=0, le=1)], ...]


class Calibration(Frozen):
    """Meaning of the numbers of a set of weights, found on scenes held out from training.

    Attributes:
        mapped: knots, burned fraction as mapped, rising from 0 to 1.
        burned: share of the cells at each knot of which at least half burned, never falling.
        tenth: share of the cells at each knot of which more than a tenth burned, never falling; empty where
            that was not measured.
        by_evidence: the same two by class of evidence, one table for each in their order; empty where that
            was not measured.
        neighbour_share: weight of the eight neighbours' mean in the burned fraction at which `tenth` is read.
        date_mass: share of the summed daily probability that must lie within the stated uncertainty of a
            date so that `date_coverage` of the true days do.
        date_coverage: share of true days that stated intervals hold.
        date_quantile: share of the summed daily probability that is reached on the date, such that dates are
            neither early nor late in the mean; None for the day of the largest.
    """

    mapped: tuple[FiniteFloat, ...]
    burned: tuple[Annotated[float, Field(ge=0, le=1)], ...]
    tenth: tuple[Annotated[float, Field(ge=0, le=1)], ...] = ()
    by_evidence: tuple[EvidenceTable, ...] = ()
    neighbour_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    date_mass: Annotated[float, Field(gt=0, lt=1)] = 0.8
    date_coverage: Annotated[float, Field(gt=0, lt=1)] = 0.8
    date_quantile: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _knots_agree(self) -> Self:
        rising = all(a < b for a, b in itertools.pairwise(self.mapped))
        if len(self.mapped) < 2 or not rising or (self.mapped[0], self.mapped[-1]) != (0.0, 1.0):
            raise ValueError(f"knots must rise from 0 to 1, found {self.mapped}")
        for shares in (self.burned, self.tenth or self.burned, *_curves(self.by_evidence)):
            if len(shares) != len(self.mapped) or list(shares) != sorted(shares):
                raise ValueError("the shares that burned must be as many as the knots and never fall")
        classes = tuple(table.evidence for table in self.by_evidence)
        if classes not in ((), CLASSES):
            raise ValueError(
                f"tables by evidence must be of {', '.join(CLASSES)}, found {', '.join(classes)}"
            )
        return self


def _curves(tables: Sequence[EvidenceTable]) -> Iterator[tuple[float, ...]]:
    for table in tables:
        yield table.burned
        yield table.tenth
