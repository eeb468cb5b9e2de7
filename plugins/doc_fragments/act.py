# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # An Act's keys: options of backstage_act, and suboptions of backstage_production by the fragment "manifest".
    DOCUMENTATION = r"""
options:
  name:
    type: str
    required: true
    description: What the Act is called. A letter, then up to 31 lower-case letters, digits and hyphens.
  state:
    type: str
    choices: [present, absent]
    description:
      - V(absent) stops the Act and removes its releases. Its data, uploads, history and system users stay, until its
        data is deleted by name.
      - Defaults to V(present).
  source:
    type: dict
    description:
      - Where the code comes from, exactly one of C(git), C(archive), C(package) and C(path). It is resolved on the
        controller, once for all hosts, and shipped only to a host that lacks it. No host needs access to it.
    suboptions:
      git:
        type: str
        description:
          - A repository, by an C(https), C(ssh), C(git) or C(file) URL, in the short form of ssh, or by a path on the
            controller; a path that starts with C(./) or C(../) is relative to the inventory's directory.
          - Fetched with the keys and credential helpers of the user who runs Ansible, or with C(key), or C(username)
            and C(password). A URL that holds a password is refused.
      version:
        type: str
        description:
          - A tag, a branch, or a commit in full. A name that is a tag and a branch at once is refused, unless both
            are one commit.
          - Of a package, another version than its pin names.
          - Required with C(git), refused with C(archive) and C(path).
      archive:
        type: str
        description:
          - A tar or zip file, by an C(https) URL or by a path on the controller, relative to the inventory's
            directory. The one directory that holds all of it, as in most archives, is left out.
      checksum:
        type: str
        description: Of an archive, as C(sha256:) and the 64 characters that C(sha256sum) prints. Required with it.
      package:
        type: str
        description:
          - A Python package that is the Act, with its templates, media and fixtures. Pinned, as C(kittens==1.4.2) or
            C(kittens @ https://.../kittens-1.4.2-py3-none-any.whl#sha256=...).
          - Its code directory is empty but for C(files); C(manage) defaults to V(-m django), which needs C(settings).
      submodules:
        type: bool
        description:
          - Whether the submodules of a C(git) source are fetched, too, and theirs, each at the commit that is pinned.
          - Defaults to V(false).
      key:
        type: str
        description:
          - A private key on the controller, relative to the inventory's directory, with which C(git) reads over ssh.
            It never leaves the controller.
      username:
        type: str
        description: With C(password), for C(git) over https. With a token, any name will do.
      password:
        type: str
        description: A password or a token. It is used on the controller, and never reaches a host or a process list.
      path:
        type: str
        description:
          - A directory on the controller, relative to the inventory's. In a work tree of git everything that git
            would take, uncommitted files included; elsewhere everything but caches, virtual environments and
            version control.
      subdir:
        type: str
        description:
          - The directory inside the source that holds the project, for a repository with several. C(chdir), C(files),
            C(requirements) and C(writable) start from it.
  refresh:
    type: str
    description: Any text. Change it to install requirements anew that are not pinned to a version.
  requirements:
    type: list
    elements: str
    description:
      - Where the project says which packages it needs, relative to C(subdir). Requirements files, with their C(-r)
        and C(-c) followed, C(uv.lock), C(pylock.toml), C(Pipfile.lock), C(poetry.lock), C(pyproject.toml).
      - Defaults to the first of C(uv.lock), C(pylock.toml), C(requirements.txt), C(Pipfile.lock), C(poetry.lock),
        C(pyproject.toml) that there is. V([]) is none.
      - A requirements file whose name ends in C(build-constraints.txt) says with which versions packages are built.
      - Acts with the same ones share one virtual environment. One that installs code of the source itself, such as
        C(-e .), a package that has no wheel, or anything from an index with a password, makes an environment of the
        Act's own.
  index:
    type: dict
    description: Where packages come from. Defaults to PyPI, or to what the requirements files say.
    suboptions:
      url:
        type: str
        description: An index that takes PyPI's place.
      extra_urls:
        type: list
        elements: str
        description: Indexes that are asked before it. What one of them has is taken from nowhere else.
      find_links:
        type: list
        elements: str
        description:
          - Pages or directories with wheels; a URL, an absolute path of the host that everybody may read, or a
            directory inside the code.
          - Without C(url) and C(extra_urls) nothing else is asked.
      username:
        type: str
        description: For all of these hosts.
      password:
        type: str
        description:
          - For all of these hosts. It is neither in a process list nor in a file that outlives the build.
  settings:
    type: str
    description: The settings module. Defaults to the one that C(manage) sets.
  application:
    type: str
    description: The WSGI callable, as C(module:callable). Defaults to the settings' C(WSGI_APPLICATION).
  manage:
    type: str
    description:
      - The management program, as a C(*.py) file below C(chdir), C(-m module), or a console script of the environment.
      - Defaults to V(manage.py).
  chdir:
    type: str
    description: The working directory of everything that runs, inside the code. Defaults to V(.).
  files:
    type: list
    elements: dict
    description: Text files that are written into the code before anything of it runs.
    suboptions:
      path:
        type: str
        required: true
        description: Where, inside the code.
      content:
        type: str
        description: What it holds; or give C(src).
      src:
        type: str
        description: A file on the controller that it is a copy of, relative to the inventory's directory.
  env:
    type: dict
    description:
      - Environment variables, each a text or a number. C({code}), C({data}), C({media}) and C({static}) are replaced
        by the Act's directories. With a database, C({database}), C({database_user}), C({database_host}),
        C({database_port}) and C({database_url}) are replaced by what is known of it.
      - Names that start with C(BACKSTAGE_) or C(UWSGI_), and C(DJANGO_SETTINGS_MODULE), C(HOME) and C(LC_ALL), are
        refused.
  secrets:
    type: dict
    description:
      - Environment variables that nobody sees. They make no release. A changed one is a new Sess.
      - Each has at least 8 characters and is no name in the manifest, for Ansible masks it wherever it occurs.
  database:
    type: dict
    description:
      - The Act's own database, exported as C(DATABASE_URL), which the settings have to read. Without it the project's
        own C(DATABASES) are what counts.
      - Its data stays until that of the Act is deleted by name.
    suboptions:
      engine:
        type: str
        choices: [postgresql, sqlite]
        description:
          - V(postgresql) is a role and a database in the PostgreSQL of the host, named like the Act's system user and
            reached by the socket without a password. The role P(backstage.django.database#role) has it run.
          - V(sqlite) is a file in the Act's data directory.
  writable:
    type: list
    elements: str
    description:
      - Files and directories inside the code that the Act may write. A directory ends in C(/). They become links into
        its data directory, and start as copies of what the source has there.
  packages:
    type: list
    elements: str
    description: Debian packages that it needs to build or run. The role P(backstage.django.stage#role) installs them.
  build:
    type: list
    elements: str
    description:
      - Commands to run in C(chdir) before C(collectstatic). They are split as a shell would and run without one, and
        see no secrets.
  static:
    type: str
    choices: [auto, none]
    description:
      - V(auto) runs C(collectstatic) where the Act has C(django.contrib.staticfiles). V(none) never does.
      - Defaults to V(auto).
  static_urls:
    type: list
    elements: dict
    description:
      - Files that Django can't tell of, served by nginx as static files are. A URL that is C(STATIC_URL), too, takes
        its place.
    suboptions:
      url:
        type: str
        required: true
        description: The URL prefix, from the Venue's root, such as V(/assets/).
      root:
        type: str
        required: true
        description: The directory inside the code that holds them when the build ends.
  after_static:
    type: list
    elements: str
    description: Management commands to run after C(collectstatic), such as V(compress --force).
  migrate:
    type: bool
    description: Whether a new release's migrations are run before it plays. Defaults to V(true).
  fixtures:
    type: list
    elements: str
    description: Fixtures that are loaded once in the Act's life.
  seed:
    type: list
    elements: dict
    description: Management commands that run once in the Act's life, known by their names.
    suboptions:
      name:
        type: str
        required: true
        description: What history calls it.
      run:
        type: str
        required: true
        description: The management command with its arguments.
      before_migrate:
        type: bool
        description: Whether it runs before the migrations. Defaults to V(false).
      env:
        type: dict
        description: Variables for this command only.
      secrets:
        type: dict
        description: Variables for this command only that nobody sees.
  health:
    type: dict
    description: What a new Sess has to answer before it goes live.
    suboptions:
      path:
        type: str
        description: The page that is asked for. One that reads the database proves most. Defaults to V(/).
      status:
        type: list
        elements: int
        description: The statuses that are accepted. Defaults to any of 200 to 399.
      text:
        type: str
        description: A text that the page has to hold.
      host:
        type: str
        description:
          - The host name that is asked for. Defaults to the name of every open Venue, and to V(localhost) where the
            Sess has a port, or is booked nowhere.
      timeout:
        type: int
        description: How many seconds the start, and each answer, may take; 1 to 3600. Defaults to V(30).
  timeout:
    type: int
    description:
      - The longest that one request may take, in seconds, at most the role's C(stage_longest_request). With threads, a
        request beyond it ends the worker and what else that is answering.
      - Defaults to V(60).
  keep_releases:
    type: int
    description:
      - How many releases stay on the host, 1 to 100. The one that plays and one that is held always do.
      - Defaults to V(5).
  hooks:
    type: dict
    description: Management commands that run at a fixed moment, as the player and with the variables of the Sess.
    suboptions:
      before_migrate:
        type: list
        elements: str
        description: Before the migrations of a release. A failure ends the run for this Act before a switch.
      after_migrate:
        type: list
        elements: str
        description:
          - After them, and before fixtures and seeds. A failure does the same; the next run begins with
            C(before_migrate) again, so each of them has to bear being run twice.
      after_switch:
        type: list
        elements: str
        description:
          - When another Sess was switched to, also by a rollback, and nginx knows it. A failure is told at the end of
            the run, and nothing is taken back.
  workers:
    type: list
    elements: dict
    description:
      - What runs beside the web processes, from the same release and with the same variables, such as queue workers and
        a scheduler. They are switched together with the Sess, and end after what they are doing.
    suboptions:
      name:
        type: str
        required: true
        description: What logs and status call it. A letter, then up to 31 lower-case letters, digits and hyphens.
      run:
        type: str
        description:
          - A program of the environment with its arguments, such as V(celery -A kittens worker). It is split as a shell
            would and run without one. Exactly one of C(run) and C(manage) is given.
      manage:
        type: str
        description: A management command with its arguments, such as V(qcluster).
      stop:
        type: str
        choices: [TERM, INT, QUIT]
        description: The signal that has it end after what it is doing. Defaults to V(TERM).
      grace:
        type: int
        description: How many seconds that may take, 1 to 86400; then it is killed. Defaults to V(60).
      once:
        type: bool
        description:
          - Whether that of the old Sess has to end before that of the new one begins, as for a scheduler. Defaults to
            V(false).
      count:
        type: int
        description: How many of it run, 1 to 64. Defaults to V(1).
"""
