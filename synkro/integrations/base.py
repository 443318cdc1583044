"""What every integration is: its fields, its check and its sample. The pages, masking and status follow from these."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from flask_babel import LazyString

from synkro.i18n import _l
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.http.client import HttpClient, HttpConnection

Colour = Literal["green", "yellow", "red"]
Stands = Literal["", "idle", "choice", "unsure"]
"""How a service stands where the colour does not say it. '': red does not work, all else does. idle: it is reached and
does not do what it is for. choice: a person has to choose first. unsure: that it works could not be seen this time."""


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. It is secret unless show=True says that people may see it again after saving."""

    name: str
    label: LazyString
    show: bool = False
    required: bool = True
    choices: tuple[str, ...] = ()
    """The only values that are possible, the usual one first."""
    hint: LazyString | str = ""
    by_hand: bool = True
    """False: never typed, such as a token that the vendor hands over."""
    way: str = ""
    """Of a service that can be connected in several ways: the one that this field belongs to."""
    several: bool = False
    """Of what is offered, more than one may be chosen. Stored with commas between."""
    host: bool = False
    """It says where the service is: keys and choices that were made for another place are forgotten."""
    destination: bool = False
    """It says where something is sent to: who is not of the company changes it only together with all keys."""

    def is_for(self, way: str) -> bool:
        return self.way in ("", way)


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that the vendor offers to choose from. note: what helps to choose, '' for nothing."""

    value: str
    title: str
    note: str = ""


SAMPLE = "sample"
"""The act that every service has: a few real items of the client's own."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that people can try out on a connection; jobs/connections/acts/ has a function for it.

    seconds: that it may take. is_lasting: what it finds is there to be saved, and stands after it was. is_evidence:
    what came of it belongs to the audit and is never forgotten.
    """

    name: str
    seconds: int = 45
    is_lasting: bool = False
    is_evidence: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """The act, and the step of a run, whose success shows that a connection does what it is for."""

    act: str
    step: str


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of a check. params fill the sentence that belongs to code."""

    colour: Colour
    code: str
    params: dict[str, Any] = field(default_factory=dict)
    stands: Stands = ""
    passing: bool = False
    """It may be over when the next check is made."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One real item shown in the wizard as proof. Phones in it are already masked."""

    title: str
    lines: tuple[str, ...]


class Integration(ABC):
    """One outside service. Raises only ApiError kinds; knows no tenant, no database and no web."""

    kind: ClassVar[str]
    title: ClassVar[LazyString]
    after: ClassVar[tuple[str, ...]] = ()
    """Kinds that have to be connected before this one."""
    fields: ClassVar[tuple[Field, ...]]
    sentences: ClassVar[dict[str, LazyString]] = {}
    """Code -> sentence, for the codes that only this service has. Codes start with the kind."""
    is_needed: ClassVar[bool] = False
    """Without it there is nothing to report."""
    acts: ClassVar[tuple[Act, ...]] = ()
    """What can be tried out, in the order in which people do it. SAMPLE is there for each service."""
    proof: ClassVar[Proof | None] = None
    """None: a good check is proof enough."""
    left: ClassVar[LazyString] = _l("Writing the sample is left")
    """What is left to do before it was seen to do what it is for."""
    sources: ClassVar[tuple[str, ...]] = ()
    """Kinds of the other services in whose data its acts find what they find."""
    is_tried_to_set_up: ClassVar[bool] = False
    """What can be tried out helps to mend it as well, so it is offered before the check is good."""
    ways: ClassVar[dict[str, LazyString]] = {}
    """Names of the ways in which it can be connected, where there are several."""
    way_field: ClassVar[str] = ""
    """The field that keeps the way, where the fields that are filled in do not tell it."""
    host_refused: ClassVar[str] = ""
    """Code of the refusal that ends once staff agree to the host of the address that was typed, a Field with place."""

    def __init__(self, settings: Mapping[str, str], http_client: HttpClient) -> None:
        self.settings = settings
        self.http = self.connect(http_client)

    @abstractmethod
    def connect(self, http_client: HttpClient) -> HttpConnection:
        """The connection: address, headers, paces, and the check of its answers."""

    @abstractmethod
    def check(self) -> Check:
        """Makes the same calls that a run makes. Green only from an effect that was seen."""

    @abstractmethod
    def sample(self, count: int = 3) -> list[Preview]:
        """A few real items. Empty where there is nothing to show."""

    def offers(self) -> dict[str, list[Offer]]:
        """Field -> what the vendor offers to choose from. Asked for after a check, with what was saved."""
        return {}

    @classmethod
    def tidied(cls, values: Mapping[str, str]) -> dict[str, str]:
        """What was typed, as it is kept and shown again. What cannot be understood stays: the check says what it is."""
        return dict(values)

    @classmethod
    def act(cls, name: str) -> Act | None:
        """None for what cannot be tried out."""
        usual = Act(SAMPLE) if name == SAMPLE else None
        return next((act for act in cls.acts if act.name == name), usual)

    @classmethod
    def secret_names(cls) -> frozenset[str]:
        return frozenset(f.name for f in cls.fields if not f.show)

    @classmethod
    def missing(cls, settings: Mapping[str, str]) -> list[str]:
        """Names of the required settings that are not filled in, of those that the way in use has."""
        way = cls.way_in_use(settings)
        return [f.name for f in cls.fields if f.required and f.is_for(way) and not settings.get(f.name)]

    @classmethod
    def way_in_use(cls, settings: Mapping[str, Any]) -> str:
        """The way that was saved, else the first with a field filled in, else the first; '' where there is only one."""
        told = [f.way for f in cls.fields if f.way and settings.get(f.name) and not cls.way_field]
        return next((way for way in (settings.get(cls.way_field), *told, *cls.ways) if way in cls.ways), "")


def retry_after(answer: HttpAnswer) -> float | None:
    """Seconds from a Retry-After header; None where it is absent or a date."""
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else None
