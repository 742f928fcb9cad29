"""Each official form, read from slices of the real files: facts that anybody can look up in them."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from compliance.lists.countries import country_code
from compliance.lists.difference import difference
from compliance.lists.entries import ListEntry, SanctionsList
from compliance.lists.formats.dates import birth_dates
from compliance.lists.formats.un_xml import names_of
from compliance.lists.loader import load_list
from contracts.terms.errors import Malformed
from tests.list_files import public

SDN_XML = """<?xml version="1.0" standalone="yes"?>
<sdnList xmlns="https://example.org/XML">
  <publshInformation><Publish_Date>06/22/2026</Publish_Date><Record_Count>3</Record_Count></publshInformation>
  <sdnEntry><uid>7</uid><firstName>Ivan</firstName><lastName>NOBODY</lastName><sdnType>Individual</sdnType>
    <akaList>
      <aka><uid>1</uid><category>strong</category><lastName>NOBODYEV</lastName><firstName>Ivan</firstName></aka>
      <aka><uid>2</uid><category>weak</category><lastName>VANYA</lastName></aka>
    </akaList>
    <idList><id><uid>3</uid><idType>Passport</idType><idNumber>A1234567</idNumber></id>
      <id><uid>4</uid><idType>Gender</idType><idNumber>Male</idNumber></id></idList>
    <nationalityList><nationality><uid>5</uid><country>Iran</country></nationality></nationalityList>
    <dateOfBirthList><dateOfBirthItem><uid>6</uid><dateOfBirth>07 Oct 1952</dateOfBirth></dateOfBirthItem>
      <dateOfBirthItem><uid>7</uid><dateOfBirth>circa 1953</dateOfBirth></dateOfBirthItem></dateOfBirthList>
  </sdnEntry>
  <sdnEntry><uid>8</uid><lastName>NOWHERE TRADING LLC</lastName><sdnType>Entity</sdnType></sdnEntry>
  <sdnEntry><uid>9</uid><lastName>SEA GHOST</lastName><sdnType>Vessel</sdnType></sdnEntry>
</sdnList>"""
EU_CSV = """fileGenerationDate;Entity_LogicalId;Entity_SubjectType;NameAlias_WholeName;NameAlias_Gender;\
BirthDate_BirthDate;Citizenship_CountryIso2Code;Identification_Number
05/08/2026;77;P;Pedro Nadie;M;;;
05/08/2026;77;P;Pedro Nadie Perez;M;;;
05/08/2026;77;P;;;1970-02-03;;
05/08/2026;77;P;;;;CO;X99
05/08/2026;88;E;Empresa Zeta;;;;
"""
TARGETS = """"id","schema","name","aliases","birth_date","countries","identifiers","dataset","last_change"
"NK-1","Person","Jane Fiction","J. Fiction;Джейн Фикшн","1970-01-02","ru;ua","P12","UK","2026-09-15T10:00:00"
"NK-2","Company","Nowhere AG","","","de","","EU","2026-01-06T08:00:00"
"NK-3","Vessel","GHOST SHIP","","","","IMO9422964","EU","2026-01-06T08:00:00"
"""
FTM = """{"id":"Q1","caption":"Ana Ministra","schema":"Person","target":true,"properties":{"name":["Ana Ministra"],\
"alias":["A. Ministra"],"weakAlias":["Anita"],"birthDate":["1960-05-04"],"nationality":["br"],"gender":["female"],\
"topics":["role.pep"]},"last_change":"2026-09-01T00:00:00"}
{"id":"Q2","caption":"Boris Blocked","schema":"Person","target":true,"properties":{"name":["Boris Blocked","Борис"],\
"topics":["role.pep","sanction"],"passportNumber":["77 123"]}}
{"id":"Q3","caption":"Blocked Ltd","schema":"Company","target":true,"properties":{"name":["Blocked Ltd"],\
"topics":["sanction"]}}
{"id":"A1","caption":"1 Road","schema":"Address","target":false,"properties":{"full":["1 Road"]}}
{"id":"Q4","caption":"A Cousin","schema":"Person","target":false,"properties":{"name":["A Cousin"]}}
"""


def by_id(listed: SanctionsList) -> dict[str, ListEntry]:
    return {entry.entry_id: entry for entry in listed.entries}


def read(folder: Path, name: str, content: str) -> SanctionsList:
    file = folder / name
    file.write_text(content, encoding="utf-8")
    return load_list(file)


def test_un_xml_with_original_scripts_and_weak_names() -> None:
    listed = load_list(public("un_sc_consolidated_2026-02-27.xml"))
    assert Counter(entry.kind for entry in listed.entries) == {"person": 730, "organization": 273}
    assert {entry.list_name for entry in listed.entries} == {"UN SC"}
    assert listed.sources[0].as_of == "2026-02-27"
    assert sum(len(entry.weak_aliases) for entry in listed.entries) > 600
    entries = by_id(listed)
    assert (entries["CDi.001"].name, entries["CDi.001"].birth_dates) == ("ERIC BADEGE", ("1971",))
    assert (entries["CDi.001"].genders, entries["CDi.001"].nationalities) == (("male",), ("CD",))
    assert entries["CDi.003"].weak_aliases == ("Rumuli",)
    assert "Byiringiro Victor Rumuli" in entries["CDi.003"].aliases
    arabic = [entry for entry in listed.entries if any("\u0600" <= each[0] <= "\u06ff" for each in entry.aliases)]
    assert len(arabic) > 300


def test_the_two_un_files_differ_as_they_do() -> None:
    old, new = (load_list(public(f"un_sc_consolidated_{day}.xml")) for day in ("2025-04-19", "2026-02-27"))
    assert len(old.entries) == 877
    found = difference(old.entries, new.entries)
    assert (len(found.added), len(found.removed), len(found.changed)) == (130, 4, 2)
    assert len(old.entries) + len(found.added) - len(found.removed) == len(new.entries)
    assert "QDi.317" in {entry.entry_id for entry in found.removed}
    assert {change.what for change in found.changed} == {("aliases",)}
    assert difference(new.entries, new.entries) == difference((), ())


def test_un_slice_without_reference_numbers() -> None:
    entries = by_id(load_list(public("slices/un_consolidated.xml")))
    assert entries["6908000"].name == "Qasim Al-Fictiti"
    assert (entries["6908000"].birth_dates, entries["6908000"].nationalities) == (("1965-08-01",), ("YE",))
    assert entries["6908100"].aliases == ("ICF",)


@pytest.mark.parametrize(
    ("text", "strong", "weak"),
    [
        ("Jin Tiesan (金铁三)", ["Jin Tiesan", "金铁三"], []),
        ("حسن غول (Hassan Ghul; Hassan Gul)", ["حسن غول", "Hassan Ghul", "Hassan Gul"], []),
        ("Amir Khazmat (original script: Амир Хазмат)", ["Amir Khazmat", "Амир Хазмат"], []),
        ("Encep Nurjaman (birth name)", ["Encep Nurjaman"], []),
        ("Falah-i-Insaniat Foundation (FIF)", ["Falah-i-Insaniat Foundation"], ["FIF"]),
        ("Hay’at Tahrir (HTS) (هيئة (original script); Hay’et)", ["Hay’at Tahrir", "هيئة"], ["HTS"]),
        ("華信船務(香港)有限公司", ["華信船務(香港)有限公司"], []),
        ("Leader (Hong Kong) Trading Limited", ["Leader (Hong Kong) Trading Limited"], []),
        ("Fazel Rahim; Fazil Rahim", ["Fazel Rahim", " Fazil Rahim"], []),
    ],
)
def test_names_within_a_un_alias(text: str, strong: list[str], weak: list[str]) -> None:
    assert names_of(text) == (strong, weak)


def test_ofac_advanced_xml_with_original_scripts() -> None:
    entries = by_id(load_list(public("slices/sdn_advanced_slice.xml")))
    assert entries.keys() == {"36", "2677", "9760", "16806"}
    assert (entries["36"].kind, entries["36"].name, entries["36"].aliases) == (
        "organization",
        "AEROCARIBBEAN AIRLINES",
        ("AERO-CARIBBEAN",),
    )
    zomor = entries["2677"]
    assert (zomor.kind, zomor.name) == ("person", "Al-Zomor, Abboud Abdul Latif Hassan")
    assert {"الزمر, عبود عبداللطيف حسن", "ZUMAR, Abbud"} <= set(zomor.aliases)
    assert (zomor.birth_dates, zomor.genders) == (("1947-04-19",), ("male",))
    assert "Лукашенко, Александр Григорьевич" in entries["9760"].aliases
    assert entries["9760"].birth_dates == ("1954-08-30", "1954-08-31")


def test_ofac_csv_with_the_aliases_from_their_own_file(tmp_path: Path) -> None:
    listed = load_list(public("watchman/sdn.csv"))
    assert Counter(entry.kind for entry in listed.entries) == {"person": 3845, "organization": 2994}
    assert listed.left_out == 323 + 217
    entries = by_id(listed)
    assert entries["36"].aliases == ("AERO-CARIBBEAN",)
    assert entries["306"].weak_aliases == ("BNC",)
    assert "AL-ZAWAHIRI, Ayman" in entries["2676"].aliases
    for name in ("sdn.csv", "alt.csv", "add.csv"):
        shutil.copy(public(f"watchman/{name}"), tmp_path / name)
    assert load_list(tmp_path).entries == listed.entries
    (tmp_path / "alt.csv").unlink()
    with pytest.raises(Malformed, match=r"sdn\.csv has its aliases in a file of its own: alt\.csv must lie beside it"):
        load_list(tmp_path / "sdn.csv")


def test_ofacs_consolidated_list_is_another_one(tmp_path: Path) -> None:
    for name in ("cons_prim.csv", "cons_alt.csv"):
        shutil.copy(public(f"watchman/{name}"), tmp_path / name)
    listed = load_list(tmp_path)
    assert {entry.list_name for entry in listed.entries} == {"OFAC Consolidated"}
    haniya = by_id(listed)["9639"]
    assert (haniya.name, haniya.birth_dates) == ("HANIYA, Ismail Abdul Salah", ("1962",))
    assert haniya.aliases[:2] == ("HANIYA, Ismail", "HANIYYA, Ismaeel")


def test_ofac_remarks(tmp_path: Path) -> None:
    nothing = ",".join(["-0- "] * 8)
    remarks = (
        "DOB 23 Nov 1943; alt. DOB circa 1944; POB Cali, Colombia; nationality Korea, North; Gender Male; "
        "Passport T321642 (Colombia); Cedula No. 6095803 (Colombia); a.k.a. 'EL SENOR'."
    )
    (tmp_path / "sdn.csv").write_text(f'4108,"RODRIGUEZ, Miguel","individual",{nothing},"{remarks}"\n')
    (tmp_path / "alt.csv").write_text('4108,1,"aka","RODRIGUEZ OREJUELA, Miguel",-0- \n')
    [entry] = load_list(tmp_path / "sdn.csv").entries
    assert entry.birth_dates == ("1943-11-23", "1944")
    assert (entry.nationalities, entry.genders, entry.weak_aliases) == (("KP",), ("male",), ("EL SENOR",))
    assert entry.identifiers == ("T321642", "6095803")


def test_ofac_xml(tmp_path: Path) -> None:
    listed = read(tmp_path, "sdn.xml", SDN_XML)
    entries = by_id(listed)
    assert (entries.keys(), listed.left_out, listed.sources[0].as_of) == ({"7", "8"}, 1, "2026-06-22")
    person = entries["7"]
    assert (person.name, person.aliases, person.weak_aliases) == ("NOBODY, Ivan", ("NOBODYEV, Ivan",), ("VANYA",))
    assert (person.birth_dates, person.nationalities) == (("1952-10-07", "1953"), ("IR",))
    assert (person.identifiers, person.genders) == (("A1234567",), ("male",))
    with pytest.raises(Malformed, match="it has 3 entries and says 4"):
        read(tmp_path, "cut.xml", SDN_XML.replace(">3</Record_Count>", ">4</Record_Count>"))


def test_us_consolidated_screening_list() -> None:
    listed = load_list(public("slices/csl_consolidated.csv"))
    entries = by_id(listed)
    assert (len(entries), listed.left_out) == (8, 1), "the vessel MAR AZUL can be no party"
    assert entries["36"].list_name == "OFAC SDN"
    assert (entries["17013"].list_name, entries["17013"].name) == ("CSL SSI", "VTB BANK PUBLIC JOINT STOCK COMPANY")
    assert "VTBRRUMM" in entries["17013"].identifiers
    assert entries["9760"].birth_dates == ("1954-08-30", "1954-08-31")
    assert (entries["9760"].nationalities, entries["9760"].genders) == (("BY",), ("male",))
    assert len(entries["6366"].aliases) == 17


def test_eu_xml() -> None:
    listed = load_list(public("slices/eu_consolidated.xml"))
    entries = by_id(listed)
    assert listed.sources[0].as_of == "2026-05-01"
    boris = entries["13"]
    assert (boris.kind, boris.name, boris.weak_aliases) == ("person", "Boris Vymyshlyenny", ("Borya Vymyshlyenny",))
    assert (boris.birth_dates, boris.nationalities) == (("1972-06-15",), ("RU",))
    assert (entries["45"].kind, entries["45"].name) == ("organization", "Phantom Trading OOO")


def test_eu_csv_has_a_row_for_each_fact(tmp_path: Path) -> None:
    listed = read(tmp_path, "eu.csv", EU_CSV)
    entries = by_id(listed)
    assert (entries["77"].name, entries["77"].aliases) == ("Pedro Nadie", ("Pedro Nadie Perez",))
    assert (entries["77"].birth_dates, entries["77"].nationalities) == (("1970-02-03",), ("CO",))
    assert (entries["77"].genders, entries["77"].identifiers) == (("male",), ("X99",))
    assert (entries["88"].kind, listed.sources[0].as_of) == ("organization", "2026-08-05")


def test_uk_ofsi_csv() -> None:
    listed = load_list(public("slices/uk_ofsi.csv"))
    entries = by_id(listed)
    assert listed.sources[0].as_of == "2026-06-03"
    assert (entries["1001"].name, entries["1001"].aliases) == ("Sergei Petrovich Notreal", ("Seryozha Notreal",))
    assert (entries["1001"].birth_dates, entries["1001"].nationalities) == (("1980-04-12",), ("RU",))
    assert (entries["1002"].kind, entries["1002"].aliases) == ("organization", ("ImagLog",))
    assert entries["1003"].name == '"ACME" TRADING LLC'


def test_opensanctions_targets(tmp_path: Path) -> None:
    listed = read(tmp_path, "targets.simple.csv", TARGETS)
    entries = by_id(listed)
    assert (entries.keys(), listed.left_out, listed.sources[0].as_of) == ({"NK-1", "NK-2"}, 1, "2026-09-15")
    assert entries["NK-1"].aliases == ("J. Fiction", "Джейн Фикшн")
    assert (entries["NK-1"].birth_dates, entries["NK-1"].nationalities) == (("1970-01-02",), ("RU", "UA"))


def test_opensanctions_entities_tell_the_politically_exposed_from_the_sanctioned(tmp_path: Path) -> None:
    entries = by_id(read(tmp_path, "entities.ftm.json", FTM))
    assert entries.keys() == {"Q1", "Q2", "Q3"}
    ana = entries["Q1"]
    assert (ana.category, ana.aliases, ana.weak_aliases) == ("pep", ("A. Ministra",), ("Anita",))
    assert (ana.birth_dates, ana.nationalities, ana.genders) == (("1960-05-04",), ("BR",), ("female",))
    assert (entries["Q2"].category, entries["Q2"].identifiers) == ("sanctions", ("77 123",))
    assert (entries["Q3"].kind, entries["Q3"].category) == ("organization", "sanctions")


def test_records_of_a_whole_list_in_json_lines() -> None:
    listed = load_list(public("ofac_sdn_20260803.jsonl.gz"))
    assert Counter(entry.kind for entry in listed.entries) == {"organization": 11_708, "person": 7_473}
    assert sum(len(entry.names) for entry in listed.entries) == 43_731
    assert by_id(listed)["306"].aliases == ("BNC", "NATIONAL BANK OF CUBA")


def test_a_folder_of_several_lists_counts_together_what_they_say_of_one_entry() -> None:
    listed = load_list(public("slices"))
    assert {entry.list_name for entry in listed.entries} == {"OFAC SDN", "CSL SSI", "EU", "UK OFSI", "UN SC"}
    [zomor] = [entry for entry in listed.entries if entry.reference == "OFAC SDN 2677"]
    assert {"الزمر, عبود عبداللطيف حسن", "AL-ZUMAR, Abbud"} <= set(zomor.names)
    assert zomor.nationalities == ("EG",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1947-04-19", ["1947-04-19"]),
        ("19 Apr 1947", ["1947-04-19"]),
        ("Apr 1947", ["1947"]),
        ("1947", ["1947"]),
        ("circa 1941", ["1941"]),
        ("1962 to 1964", ["1962", "1963", "1964"]),
        ("between 1956 and 1958", ["1956", "1957", "1958"]),
        ("01 Jan 1970 to 31 Dec 1970", ["1970"]),
        ("12/04/1980", ["1980-04-12"]),
        ("00/00/1980", ["1980"]),
        ("1980-00-00", ["1980"]),
        ("unknown", []),
        ("", []),
        ("१९८०", []),
    ],
)
def test_birth_dates_as_lists_write_them(text: str, found: list[str]) -> None:
    assert birth_dates(text) == found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Democratic People's Republic of Korea", "KP"),
        ("Korea, North", "KP"),
        ("Republic of Korea", "KR"),
        ("Democratic Republic of the Congo", "CD"),
        ("Iran (Islamic Republic of)", "IR"),
        ("Iran, Islamic Republic of", "IR"),
        ("United Kingdom of Great Britain and Northern Ireland", "GB"),
        ("Russia", "RU"),
        ("Türkiye", "TR"),
        ("PRK", "KP"),
        ("eg", "EG"),
        ("former Soviet Union", ""),
        ("", ""),
    ],
)
def test_countries_as_lists_write_them(text: str, code: str) -> None:
    assert country_code(text) == code
