# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cures that choose another settings module of the project, or another class in it."""

from __future__ import annotations

import posixpath

from .case import Case


def copy_example(case: Case) -> None:
    """Copy the example of a missing module, if the source has one."""
    draft = case.draft
    known = [file["path"] for file in draft.item.get("files", [])]
    for example, name in draft.survey.examples(draft.directory, case.word) if case.word else []:
        path, text = posixpath.relpath(name, draft.subdir or "."), draft.survey.texts.get(example, "")
        if text and path not in known:
            draft.add("files", [{"path": path, "content": text}], f"{case.because}; '{example}' is an example of it")
            draft.wish(f"'{path}' is a copy of '{example}', with its examples: write your own values there")
            return


def choose_settings(case: Case) -> None:
    """Use the settings that the project's programs name, or those that exist, with production's first."""
    draft = case.draft
    for example, name in draft.survey.examples(draft.directory):
        if example and (not case.word or draft.survey.is_file_of(name, case.word)):
            draft.wish(f"'{example}' is an example of settings: copy it to '{name}', or write that into 'files'")
    named = draft.survey.settings(draft.directory)
    others = draft.survey.settings_modules(draft.directory)
    found = [module for module in [named, *others] if module and draft.survey.module(module, draft.directory)]
    if not found or found[0] == draft.item.get("settings"):
        return
    others = [module for module in others if module != found[0]]
    because = f"{case.because}; others that it has: {', '.join(others)}" if others and not named else case.because
    draft.set("settings", found[0], because)
    application = draft.survey.application(draft.directory)
    if application:
        draft.set("application", application, f"the WSGI callable of {application.partition(':')[0]}")


def choose_production(case: Case) -> None:
    """Replace settings for development by those for production, if there are some."""
    draft = case.draft
    theirs = draft.theirs()
    module = draft.survey.settings_of_production(theirs, draft.directory)
    if module:
        draft.set("settings", module, f"{case.because}; {theirs} is for development")


def choose_configuration(case: Case) -> None:
    """Use the class for production, if settings are classes (django-configurations)."""
    draft = case.draft
    name = draft.survey.class_of_production(draft.theirs(), draft.directory)
    if name and "DJANGO_CONFIGURATION" not in draft.item.get("env", {}):
        draft.give("DJANGO_CONFIGURATION", name, f"{case.because}; the class {name} is for production")
