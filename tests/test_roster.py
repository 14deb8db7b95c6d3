"""Real exports of HR systems: damaged, renamed, in other date formats, with people who left, came back or manage in circles."""

import io
import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from bot.commands import parser
from bot.config import Settings
from bot.domain.roster import circles, columns_of
from bot.knowledge_base import load
from bot.services.roster import SCRATCH, RosterImport, known_to, write_report
from bot.services.roster_folder import take_files
from storage.models import OutboxItem, Person
from tests.conftest import NOW

KB = load(Path("content"))
WORKSPACE = "T0HOSPITAL"
WORKDAY = """Employee_ID,Legal_First_Name,Legal_Last_Name,Preferred name,Primary work email,Business title,Location,Scheduled Weekly Hours,Shift,Start_Date,Termination_Date,Employment Status,Manager_ID,Race,Date of Birth,Citizenship
A1,Rosa María,Delgado,,rosa@x.example,EVS Technician,Lakeshore Main Campus,36,Noc,7/5/2011,,Active,B1,Hispanic,1/1/1980,US
A2,Dwayne,Ellis,DJ,dwayne@x.example,Patient Transporter,Lakeshore West Hospital,24,1st Shift,2015/03/30,,Active,B1,Black,2/2/1990,US
A3,Lou,Left,,lou@x.example,Cook,main,40,Days,2019-01-02,1/31/2026,Terminated,B1,White,3/3/1970,US
B1,Marta,Kowalski,,marta@x.example,EVS Supervisor,main,40,Days,2015-06-01,,Active,,White,4/4/1975,PL
"""


@pytest.fixture
def hr(sessions, tmp_path):
    """Imports a text as a file and gives the outcome; `people` are those of this hospital, by employee id."""
    return Hr(sessions, tmp_path)


class Hr:
    def __init__(self, sessions, folder):
        self.sessions, self.folder = sessions, folder

    def take(self, text, encoding="utf-8", name="export.csv", **options):
        file = self.folder / name
        file.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return RosterImport(self.sessions, WORKSPACE, KB.roster, known_to(KB), NOW).run(file, **options)

    @property
    def people(self):
        with self.sessions() as session:
            found = session.exec(select(Person).where(Person.workspace == WORKSPACE)).all()
            return {person.employee_id: person for person in found}


def told(outcome):
    return "\n".join(str(problem) for problem in outcome.problems)


def test_a_workday_export_is_read_with_its_own_column_names(hr):
    outcome = hr.take(WORKDAY)
    rosa, dwayne = hr.people["A1"], hr.people["A2"]
    assert outcome.counts["new"] == 4
    assert (rosa.first_name, rosa.last_name, rosa.hired_on, rosa.shift, rosa.site) == (
        "Rosa María", "Delgado", date(2011, 7, 5), "nights", "main",
    )  # fmt: skip
    assert (rosa.role, rosa.hours_per_week) == ("environmental-services-technician", 36)
    assert (dwayne.first_name, dwayne.hired_on, dwayne.site, dwayne.shift) == ("DJ", date(2015, 3, 30), "west", "days")
    assert rosa.manager_id == hr.people["B1"].id
    assert hr.people["A3"].status == "terminated"


def test_race_birth_date_and_citizenship_are_never_stored(hr):
    outcome = hr.take(WORKDAY)
    assert outcome.ignored == ("Race", "Date of Birth", "Citizenship")
    stored = str([person.model_dump() for person in hr.people.values()])
    for word in ("Hispanic", "Black", "1980", "1/1/", "PL"):
        assert word not in stored


@pytest.mark.parametrize(
    ("encoding", "change"),
    [
        ("utf-8-sig", lambda text: text),
        ("utf-8", lambda text: text.replace(",", ";")),
        ("utf-16", lambda text: text.replace(",", "\t")),
        ("cp1252", lambda text: text.replace("\n", "\r\n")),
    ],
)
def test_any_program_may_have_saved_the_file(hr, encoding, change):
    assert hr.take(change(WORKDAY), encoding).counts["new"] == 4
    assert hr.people["A1"].first_name == "Rosa María"


def test_ukg_names_and_adp_names_split_names_and_fte(hr):
    hr.take(
        'Employee number;Employee Name;FTE;Hire Date;Position Status;Supervisor ID\n'
        '1;"Delgado, Rosa";0,6;01-Mar-2021;A;2\n2;Marta Kowalski;100%;40729;Active;\n3;Ana;1;Mar 5, 2020;LOA;2\n'
    )  # fmt: skip
    people = hr.people
    assert (people["1"].first_name, people["1"].last_name, people["1"].hours_per_week) == ("Rosa", "Delgado", 24)
    assert (people["2"].last_name, people["2"].hours_per_week, people["2"].hired_on) == ("Kowalski", 40, date(2011, 7, 5))
    assert (people["3"].status, people["3"].hired_on) == ("leave", date(2020, 3, 5))


def test_importing_the_same_file_again_changes_nothing(hr):
    hr.take(WORKDAY)
    before = {key: person.model_dump() for key, person in hr.people.items()}
    outcome = hr.take(WORKDAY)
    assert (outcome.counts["same"], outcome.counts["new"], outcome.counts["changed"]) == (4, 0, 0)
    assert {key: person.model_dump() for key, person in hr.people.items()} == before


def test_a_dry_run_reports_a_line_for_everybody_and_writes_nothing(hr):
    report = io.StringIO()
    outcome = hr.take(WORKDAY, dry_run=True, report_line=write_report(report))
    assert outcome.counts["new"] == 4
    assert hr.people == {}
    assert report.getvalue().splitlines()[:2] == ["line,employee id,what", "2,A1,new"]
    hr.take(WORKDAY)
    report = io.StringIO()
    hr.take(
        WORKDAY.replace("rosa@x.example", "rosa.d@x.example").replace(",36,", ",40,"),
        dry_run=True,
        report_line=write_report(report),
    )
    assert 'A1,"changed: email, hours_per_week"' in report.getvalue()
    assert "rosa.d" not in report.getvalue(), "names of fields, never values"
    assert hr.people["A1"].email == "rosa@x.example"


def test_bad_lines_are_named_and_the_good_ones_saved(hr):
    outcome = hr.take(
        WORKDAY
        + ",No,Id,,x@x.example,,,,,,,,,,,\n"
        + "C1,,,,y@x.example,,,,,,,,,,,\n"
        + "C2,Pat,Wrong,,not-an-address,,,ninety,Moon,31/31/2020,,Active,B1,,,\n"
        + "C3,Too,Many,,z@x.example,,,40,,,,Active,B1,,,,and,more\n"
        + "C4,Hours,High,,h@x.example,,,400,,,,Active,B1,,,\n\n,,,\n"
    )
    words = told(outcome)
    assert "line 6: employee_id is missing" in words
    assert "line 7: first_name is missing" in words
    assert "line 8: email: “not-an-address” is not an e-mail address" in words
    assert "hours_per_week: “ninety” is not a number" in words
    assert "shift: “Moon” is not known" in words
    assert "hired_on: “31/31/2020” is not a date" in words
    assert "line 9: has 18 cells where the header has 16" in words
    assert "line 10: hours_per_week: input should be less than or equal to 80" in words
    assert sorted(hr.people) == ["A1", "A2", "A3", "B1", "C2"]


def test_an_id_that_stands_twice_keeps_the_job_that_goes_on(hr):
    outcome = hr.take(
        WORKDAY + "A3,Lou,Back,,lou@x.example,Cook,main,40,Days,2026-03-01,,Active,B1,,,\n"
        "A1,Rosa,Old,,,Cook,main,40,Days,2009-01-01,2010-01-01,Terminated,B1,,,\n"
    )
    assert (hr.people["A3"].last_name, hr.people["A3"].status) == ("Back", "active")
    assert hr.people["A1"].last_name == "Delgado"
    assert "employee id A3 stands twice; line 6 is kept" in told(outcome)


def test_a_rehire_is_the_same_person_with_a_new_start(hr):
    hr.take(WORKDAY)
    number = hr.people["A3"].id
    again = WORKDAY.replace("2019-01-02,1/31/2026,Terminated", "2026-10-05,1/31/2026,Active")
    outcome = hr.take(again)
    lou = hr.people["A3"]
    assert (lou.id, lou.status, lou.hired_on, outcome.counts["back"]) == (number, "active", date(2026, 10, 5), 1)


def test_missing_managers_and_circles_are_told_and_do_not_stop_the_rest(hr):
    outcome = hr.take(
        "employee_id,first_name,manager_id\n1,Ann,2\n2,Bob,3\n3,Cem,1\n4,Dee,4\n5,Eve,99\n6,Fay,2\n"
    )  # fmt: skip
    words = told(outcome)
    assert "line 6: manager 99 is not in the file" in words
    assert "run in a circle (1, 2, 3, 4)" in words
    people = hr.people
    assert [people[each].manager_id for each in "12345"] == [None] * 5
    assert people["6"].manager_id == people["2"].id


def test_two_people_with_one_address_are_not_taken_for_each_other(hr):
    outcome = hr.take("employee_id,first_name,email\n1,Ann,ann@x.example\n2,Anna,ANN@x.example\n3,Bob,bob@x.example\n")
    assert "lines 2, 3 have the same e-mail address" in told(outcome)
    assert [hr.people[each].email for each in "123"] == [None, None, "bob@x.example"]


def test_half_a_file_ends_nobodys_job_without_yes(hr):
    many = "employee_id,first_name\n" + "".join(f"{number},Person\n" for number in range(100))
    hr.take(many)
    outcome = hr.take(many[: len(many) // 2] + "\n")
    assert "Nothing was written. Is the file complete?" in outcome.refused
    assert all(person.status == "active" for person in hr.people.values())
    few = "employee_id,first_name\n" + "".join(f"{number},Person\n" for number in range(95))
    assert not hr.take(few).refused
    assert sum(person.status == "terminated" for person in hr.people.values()) == 5
    assert not hr.take("employee_id,first_name\n1,Person\n", yes=True).refused
    assert sum(person.status == "active" for person in hr.people.values()) == 1


def test_who_has_left_gets_nothing_more_at_once(hr):
    hr.take(WORKDAY)
    with hr.sessions() as session:
        rosa = session.exec(select(Person).where(Person.workspace == WORKSPACE, Person.employee_id == "A1")).one()
        rosa.slack_id = "UROSA9"
        item = OutboxItem(workspace=WORKSPACE, key="k", channel="UROSA9", payload={}, created_at=NOW, due_at=NOW)
        session.add(item)
        session.commit()
    hr.take("".join(line for line in WORKDAY.splitlines(keepends=True) if not line.startswith("A1")))
    assert hr.people["A1"].status == "terminated"
    with hr.sessions() as session:
        assert session.exec(select(OutboxItem.state).where(OutboxItem.channel == "UROSA9")).one() == "expired"


def test_what_the_file_does_not_have_stays_as_it_is(hr):
    hr.take(WORKDAY)
    with hr.sessions() as session:
        rosa = session.exec(select(Person).where(Person.workspace == WORKSPACE, Person.employee_id == "A1")).one()
        rosa.language, rosa.access = "es", "coach"
        session.commit()
    hr.take("Employee_ID,Full_Name\nA1,Rosa Delgado\nA2,DJ Ellis\nB1,Marta Kowalski\n")
    rosa = hr.people["A1"]
    assert (rosa.language, rosa.access, rosa.hours_per_week, rosa.manager_id) == ("es", "coach", 36, hr.people["B1"].id)


def test_a_cell_that_cannot_be_read_leaves_what_was_known(hr):
    hr.take(WORKDAY)
    report = io.StringIO()
    broken = WORKDAY.replace("7/5/2011", "31.31.2021").replace("rosa@x.example", "rosa.x.example")
    broken = broken.replace(",36,Noc,", ",abc,Moonlight,")
    outcome = hr.take(broken, report_line=write_report(report))
    rosa = hr.people["A1"]
    assert (rosa.hired_on, rosa.email, rosa.hours_per_week, rosa.shift) == (date(2011, 7, 5), "rosa@x.example", 36, "nights")
    assert (outcome.refused, outcome.counts["unreadable cells"], outcome.counts["same"]) == ("", 4, 4)
    assert '2,A1,"same: can\'t be read and stays as it was: email, hired_on, hours_per_week, shift"' in report.getvalue()
    assert "31.31" not in report.getvalue(), "names of fields, never values"


def test_an_empty_cell_and_the_ways_to_write_one_say_that_there_is_nothing(hr):
    hr.take(WORKDAY)
    outcome = hr.take(WORKDAY.replace("rosa@x.example", "N/A").replace("dwayne@x.example", "").replace("7/5/2011", "-"))
    people = hr.people
    assert (people["A1"].email, people["A2"].email, people["A1"].hired_on) == (None, None, None)
    assert outcome.counts["unreadable cells"] == 0


def test_a_new_date_format_in_the_whole_file_is_refused_and_with_yes_the_old_dates_stay(hr):
    def file(day):
        return "employee_id,first_name,hired_on\n" + "".join(f"{number},Pat,{day}\n" for number in range(21))

    hr.take(file("2021-03-01"))
    outcome = hr.take(file("1. 03. 2021"))
    assert "hired_on can't be read in 21 of 21 lines, more than 10 %. Nothing was written." in outcome.refused
    assert not hr.take(file("1. 03. 2021"), yes=True).refused
    assert {person.hired_on for person in hr.people.values()} == {date(2021, 3, 1)}
    assert not hr.take(file("2021-03-01").replace("2021-03-01", "soon", 3)).refused, "three of 21 are told, no more"


def test_somebody_whose_line_cannot_be_used_has_not_left(hr):
    hr.take(WORKDAY)
    report = io.StringIO()
    outcome = hr.take(WORKDAY.replace(",24,1st Shift,", ",400,1st Shift,"), report_line=write_report(report))
    assert (outcome.counts["dropped lines"], outcome.counts["left"]) == (1, 0)
    assert (hr.people["A2"].status, hr.people["A2"].hours_per_week) == ("active", 24)
    assert "3,A2,left out: hours_per_week: input should be" in report.getvalue()
    hr.take(WORKDAY.replace(",main,40,Days,2015-06-01", ",main,400,Days,2015-06-01"))
    assert hr.people["A1"].manager_id == hr.people["B1"].id, "nor do people lose a manager whose line can't be used"


def test_a_last_day_that_cannot_be_read_brings_nobody_back(hr):
    text = "employee_id,first_name,Termination_Date\n1,Ann,1/31/2026\n2,Bob,\n"
    hr.take(text)
    outcome = hr.take(text.replace("1/31/2026", "31st of January"))
    assert (hr.people["1"].status, hr.people["2"].status, outcome.counts["back"]) == ("terminated", "active", 0)


def test_an_address_that_the_file_gives_to_somebody_else_does_not_stay_with_the_first(hr):
    hr.take("employee_id,first_name,email\n1,Ann,ann@x.example\n2,Anna,\n")
    hr.take("employee_id,first_name,email\n1,Ann,ann.x.example\n2,Anna,ann@x.example\n")
    assert [hr.people[each].email for each in "12"] == [None, "ann@x.example"]


def test_a_file_that_is_no_people_file_is_refused_with_its_columns(hr):
    outcome = hr.take("Invoice;Amount\n1;2\n")
    assert "no column looks like a name. The file has: Invoice, Amount" in outcome.refused


@pytest.mark.parametrize("text", ["", "\n", ",,\n1,Ann,\n"])
def test_an_empty_file_is_called_empty(hr, text):
    assert hr.take(text).refused.startswith("the file is empty, or its first line is")


def people_command(file, workspace, settings, *more):
    arguments = parser().parse_args(["roster", "import", str(file), "--workspace", workspace, *more])
    return arguments.run(arguments, settings)


def test_a_mistyped_workspace_is_noticed_because_the_token_belongs_to_another(slack, database_url, tmp_path, capsys):
    (tmp_path / "people.csv").write_text(WORKDAY)
    settings = Settings(database_url=database_url, slack_bot_token="xoxb-local", slack_api_url=slack.api_url)
    assert people_command(tmp_path / "people.csv", "T0TYPO", settings) == 2
    assert "SLACK_BOT_TOKEN belongs to T01LAKE, not to T0TYPO: nobody would be served." in capsys.readouterr().err
    assert people_command(tmp_path / "people.csv", "T01LAKE", settings) == 0
    assert "4 people were saved: 4 new" in capsys.readouterr().out


def test_a_mistyped_workspace_is_noticed_without_slack_because_the_others_are_elsewhere(
    sessions, database_url, tmp_path, capsys
):
    (tmp_path / "people.csv").write_text(WORKDAY)
    settings = Settings(database_url=database_url, slack_bot_token="")
    assert people_command(tmp_path / "people.csv", "T0TYPO", settings) == 2
    assert (
        "The database holds 3 people of T01LAKE, and nobody of T0TYPO. If the id is right: --yes" in capsys.readouterr().err
    )
    assert people_command(tmp_path / "people.csv", "T01LAKE", settings, "--dry-run") == 0
    assert people_command(tmp_path / "people.csv", "T0TYPO", settings, "--yes") == 0


def test_nightly_files_are_taken_from_a_folder_once_and_a_refused_one_stops_nothing(hr, tmp_path):
    folder = tmp_path / "nightly"
    folder.mkdir()
    for age, (name, text) in enumerate(
        {"new.csv": WORKDAY, "half": "", "bad.csv": "Invoice\n1\n", "old.csv": WORKDAY}.items()
    ):
        (folder / name).write_text(text)
        os.utime(folder / name, (NOW.timestamp() - 1000 - age,) * 2)
    (folder / "growing.csv").write_text(WORKDAY[:300])
    os.utime(folder / "growing.csv", (NOW.timestamp() - 5,) * 2)

    def import_one(file, report_line):
        return RosterImport(hr.sessions, WORKSPACE, KB.roster, known_to(KB), NOW).run(file, report_line=report_line)

    taken = [(file.parent.name, outcome.counts["new"]) for file, outcome in take_files(folder, import_one, NOW)]
    assert taken == [("done", 4), ("refused", 0), ("done", 0)]
    assert sorted(file.name for file in folder.iterdir()) == ["done", "growing.csv", "half", "refused"]
    assert "no column looks like" in next((folder / "refused").glob("*bad.csv.report.txt")).read_text()
    assert list(take_files(folder, import_one, NOW)) == []


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("abcdefghxyz")))
@settings(max_examples=300)
def test_circles_are_exactly_those_who_come_back_to_themselves(manager_of):
    def comes_back(start):
        at = manager_of.get(start)
        for _ in manager_of:
            if at == start:
                return True
            at = manager_of.get(at)
        return False

    assert circles(manager_of) == {each for each in manager_of if comes_back(each)}


@given(st.lists(st.text(max_size=12), max_size=12))
def test_any_header_can_be_read(header):
    columns = columns_of(header, KB.roster)
    assert all(place < len(header) for place in columns.fields.values())


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_no_file_however_broken_stops_the_program(tmp_path_factory, content):
    """A dry reading against no database at all would need one only when the file is sensible."""
    file = tmp_path_factory.mktemp("broken") / "export.csv"
    file.write_bytes(b"employee_id,first_name\n" + content)
    columns = RosterImport(lambda: None, WORKSPACE, KB.roster, known_to(KB), NOW)
    import sqlite3

    scratch = sqlite3.connect(":memory:")
    for table in SCRATCH:
        scratch.execute(table)
    columns._stage(scratch, file, lambda size: None)
    scratch.close()
