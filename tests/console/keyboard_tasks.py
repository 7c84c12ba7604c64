"""The main task of each page family, done with keys alone."""

from __future__ import annotations

import re

from playwright.sync_api import FilePayload, Locator, Page, expect

CHURCH = "/churches/grace/"
_MOST_TABS = 90
_PEOPLE = FilePayload(
    name="people.csv", mimeType="text/csv", buffer=b"first name,phone\nIda,3125553190\n"
)


class Keys:
    """A person without a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, path: str) -> None:
        self.page.goto(CHURCH + path)

    def to(self, target: Locator) -> None:
        """Press Tab until the control has the focus; fail if the keys do not reach it."""
        for _ in range(_MOST_TABS):
            if target.evaluate("(one) => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} is not reached by Tab")

    def write(self, label: str, text: str) -> None:
        self.to(self.page.get_by_label(label, exact=True))
        self.page.keyboard.type(text)

    def button(self, name: str) -> None:
        self.to(self.page.get_by_role("main").get_by_role("button", name=name, exact=True).first)
        self.page.keyboard.press("Enter")

    def link(self, name: str) -> None:
        self.to(self.page.get_by_role("main").get_by_role("link", name=name, exact=True).first)
        self.page.keyboard.press("Enter")

    def mark(self, label: str | re.Pattern[str]) -> None:
        self.to(self.page.get_by_label(label).first)
        self.page.keyboard.press("Space")

    def says(self, sentence: str) -> None:
        expect(self.page.get_by_text(sentence).first).to_be_visible()


def a_member_is_found_changed_and_opted_out(keys: Keys) -> None:
    keys.open("members/")
    keys.write("Name or number", "anna brown")
    expect(keys.page.locator("#members .people a").first).to_have_text("Anna Brown")
    keys.link("Anna Brown")
    keys.link("Change")
    keys.write("Last name", "Browne")
    keys.button("Save")
    keys.says("Anna Browne is saved.")
    keys.to(keys.page.get_by_text("Has asked for no texts"))
    keys.page.keyboard.press("Enter")
    keys.button("Opt this number out")
    keys.says("This number is opted out.")


def a_member_is_added_and_deleted(keys: Keys) -> None:
    keys.open("members/")
    keys.link("Add a member")
    keys.write("First name", "Ruth")
    keys.write("Mobile number", "312 555 3191")
    keys.page.keyboard.press("Enter")
    keys.says("Ruth is added.")
    keys.link("Delete")
    keys.button("Delete")
    keys.says("Ruth is deleted.")


def a_file_is_imported(keys: Keys) -> None:
    # Before the key: Chromium needs a moment until it hands the dialog over.
    keys.page.once("filechooser", lambda chooser: chooser.set_files(_PEOPLE))
    keys.open("members/import/")
    field = keys.page.get_by_label("File of people")
    keys.to(field)
    keys.page.keyboard.press("Enter")
    expect(field).to_have_value(re.compile("people.csv"))
    keys.button("Look at the file")
    keys.mark(re.compile("have agreed to get texts"))
    keys.button("Import 1 person")
    keys.says("The import is done")


def two_people_are_kept_apart(keys: Keys) -> None:
    for name in ("Joy", "Tim"):
        keys.open("members/new/")
        keys.write("First name", name)
        keys.write("Mobile number", "312 555 3192")
        keys.page.keyboard.press("Enter")
        keys.says(f"{name} is added.")
    keys.open("members/doubles/")
    keys.button("They are two people")
    keys.says("They are kept as two people.")


def a_group_is_made_and_filled(keys: Keys) -> None:
    keys.open("groups/")
    keys.link("Make a group")
    keys.write("Name", "Bell ringers")
    keys.page.keyboard.press("Enter")
    keys.says("The group Bell ringers is made.")
    keys.write("Name or number", "ben adams")
    expect(keys.page.get_by_label("Ben Adams")).to_be_visible()
    keys.to(keys.page.get_by_label("Ben Adams"))
    keys.button("Add the marked people")
    keys.says("1 person is added.")
    keys.button("Remove Ben Adams")
    keys.says("1 person is out of the group.")


def a_keyword_is_made(keys: Keys) -> None:
    keys.open("keywords/")
    keys.link("Make a keyword")
    keys.write("Word", "SINGING")
    keys.to(keys.page.get_by_label("Group", exact=True))
    keys.page.keyboard.type("Choir")
    keys.button("Save")
    keys.says("Whoever texts SINGING joins Choir now.")


def the_settings_are_saved(keys: Keys) -> None:
    keys.open("settings/")
    keys.write("Signature", "Grace")
    keys.page.keyboard.press("Enter")
    keys.says("Saved.")
    keys.open("answers/")
    keys.mark("Answer the first text of a number")
    keys.button("Save")
    keys.says("Saved.")


def a_colleague_is_invited(keys: Keys) -> None:
    keys.open("staff/")
    keys.write("E-mail address, or user name", "ruth.ames")
    keys.page.keyboard.press("Enter")
    keys.says("ruth.ames is invited.")
    keys.link("Withdraw ruth.ames")
    keys.says("Withdraw the invitation of ruth.ames?")
    keys.button("Withdraw")
    keys.says("The invitation is withdrawn.")


def a_role_is_changed(keys: Keys) -> None:
    keys.open("staff/")
    keys.to(keys.page.get_by_label("Role of grace-viewer"))
    keys.page.keyboard.type("Sender")
    keys.button("Change grace-viewer")
    keys.says("grace-viewer is sender now.")


def a_webhook_is_added(keys: Keys) -> None:
    keys.open("webhooks/")
    keys.link("Add a webhook")
    keys.write("Name", "Website")
    keys.write("Address of the receiver", "https://hooks.example.org/")
    keys.to(keys.page.get_by_role("checkbox").first)
    keys.page.keyboard.press("Space")
    keys.button("Add")
    keys.button("Copy")
    keys.says("Copied")


def a_key_is_made(keys: Keys) -> None:
    keys.open("account/")
    keys.link("API keys")
    keys.write("Name of the program", "Website")
    keys.mark("Read: texts")
    keys.button("Make the key")
    keys.says("Copy it now. It is not shown again.")


def the_log_is_filtered(keys: Keys) -> None:
    keys.open("log/")
    keys.to(keys.page.get_by_label("Colleague"))
    keys.page.keyboard.type("grace-owner")
    keys.button("Show")
    expect(keys.page).to_have_url(re.compile("log/[?]"))


TASKS = (
    a_member_is_found_changed_and_opted_out,
    a_member_is_added_and_deleted,
    a_file_is_imported,
    two_people_are_kept_apart,
    a_group_is_made_and_filled,
    a_keyword_is_made,
    the_settings_are_saved,
    a_colleague_is_invited,
    a_role_is_changed,
    a_webhook_is_added,
    a_key_is_made,
    the_log_is_filtered,
)
