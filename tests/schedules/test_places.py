"""A city alone names its zone; what names none, or several, is refused with those that are near."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from schedules.places import zone_for, zone_names


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("new york", "America/New_York"),
        (" New  York ", "America/New_York"),
        ("sydney", "Australia/Sydney"),
        ("são paulo", "America/Sao_Paulo"),
        ("europe / london", "Europe/London"),
        ("America/new_york", "America/New_York"),
        ("UTC", "UTC"),
    ],
)
def test_a_city_or_a_zone_is_read_as_people_write_it(text: str, zone: str) -> None:
    assert zone_for(text) == zone


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Londn", "called 'Londn'; perhaps Europe/London is meant."),
        ("Europe/Sydny", "perhaps Australia/Sydney is meant."),
        ("Mars/Base", "use a city such as London"),
        ("Europe", "use a city such as London"),
        ("Factory", "use a city such as London"),
        ("localtime", "use a city such as London"),
        ("West", "There is no time zone"),
        ("North", "There is no time zone"),
        ("", "use a city such as London"),
    ],
)
def test_what_names_no_zone_is_refused_with_those_that_are_near(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="There is no time zone") as refused:
        zone_for(text)
    assert said in str(refused.value)


def test_every_zone_on_offer_is_taken_by_its_own_name_and_no_city_by_another_clock() -> None:
    for name in zone_names():
        assert ZoneInfo(zone_for(name)).key == name
        try:
            found = zone_for(name.rpartition("/")[2])
        except ValueError:
            continue
        assert found.rpartition("/")[2] == name.rpartition("/")[2] or "/" not in found
