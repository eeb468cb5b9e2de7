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
    description: "The name of the Act: a letter, then up to 31 lower-case letters, digits and hyphens."
  state:
    type: str
    choices: [present, absent]
    description:
      - V(absent) stops the Act and removes its releases. Its data, uploads, history and system users stay until its
        data is deleted by name.
      - Defaults to V(present).
  source:
    type: dict
    description:
      - Where the code comes from. Give exactly one of C(git), C(archive), C(package) and C(path). The source is
        resolved on the controller, once for all hosts, and copied only to a host that lacks it. No host needs access to
        it.
    suboptions:
      git:
        type: str
        description:
          - A repository, as an C(https), C(ssh), C(git) or C(file) URL, in the short form of ssh, or as a path on the
            controller. A path that starts with C(./) or C(../) is relative to the inventory's directory.
          - It is fetched with the keys and credential helpers of the user who runs Ansible, or with C(key), or with
            C(username) and C(password). A URL that contains a password is refused.
      version:
        type: str
        description:
          - A tag, a branch, or a full commit id. A name that is both a tag and a branch is refused, unless both point
            to the same commit.
          - For a package, another version than its pin.
          - Required with C(git), refused with C(archive) and C(path).
      archive:
        type: str
        description:
          - A tar or zip file, as an C(https) URL or as a path on the controller, relative to the inventory's directory.
            If the archive has a single top-level directory, as most archives have, its contents are used.
      checksum:
        type: str
        description:
          - The checksum of an archive, C(sha256:) and the 64 characters of C(sha256sum). Required with C(archive).
      package:
        type: str
        description:
          - A Python package that is the Act, with its templates, media and fixtures. It must be pinned, as
            C(kittens==1.4.2) or C(kittens @ https://.../kittens-1.4.2-py3-none-any.whl#sha256=...).
          - The code directory then contains only C(files). C(manage) defaults to V(-m django), which needs C(settings).
      submodules:
        type: bool
        description:
          - Whether to fetch the submodules of a C(git) source, recursively, each at its pinned commit.
          - Defaults to V(false).
      key:
        type: str
        description:
          - The path of a private key on the controller, relative to the inventory's directory. C(git) uses it for ssh.
            It never leaves the controller.
      username:
        type: str
        description: The user name for C(git) over https, together with C(password). With a token, any name works.
      password:
        type: str
        description: A password or a token. It is used on the controller and never reaches a host or a process list.
      path:
        type: str
        description:
          - A directory on the controller, relative to the inventory's directory. In a git worktree, everything that git
            would add is used, including uncommitted files. In another directory, everything is used except caches,
            virtual environments and version control.
      subdir:
        type: str
        description:
          - The directory inside the source that holds the project, for a repository with several. C(chdir), C(files),
            C(requirements) and C(writable) start from it.
  refresh:
    type: str
    description: Any text. Change it to reinstall requirements that are not pinned to a version.
  requirements:
    type: list
    elements: str
    description:
      - The files that list the packages the project needs, relative to C(subdir). Supported are requirements files
        (their C(-r) and C(-c) are followed), C(uv.lock), C(pylock.toml), C(Pipfile.lock), C(poetry.lock) and
        C(pyproject.toml).
      - Defaults to the first that exists of C(uv.lock), C(pylock.toml), C(requirements.txt), C(Pipfile.lock),
        C(poetry.lock) and C(pyproject.toml). V([]) means none.
      - A requirements file whose name ends in C(build-constraints.txt) constrains the packages that build other
        packages.
      - Acts with the same requirements share one virtual environment. An Act gets an environment of its own if it
        installs code from its source (such as C(-e .)), a package without a wheel, or anything from an index with a
        password.
  index:
    type: dict
    description: Where packages come from. Defaults to PyPI, or to the index that the requirements files name.
    suboptions:
      url:
        type: str
        description: An index that replaces PyPI.
      extra_urls:
        type: list
        elements: str
        description: Indexes that are searched first. A package that one of them has is taken only from there.
      find_links:
        type: list
        elements: str
        description:
          - Pages or directories with wheels, each a URL, an absolute path on the host that all users can read, or a
            directory inside the code.
          - If neither C(url) nor C(extra_urls) is given, no index is searched.
      username:
        type: str
        description: The user name for all of these hosts.
      password:
        type: str
        description:
          - The password for all of these hosts. It is never in a process list, nor in a file that outlives the build.
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
        description: The path inside the code.
      content:
        type: str
        description: The content of the file. Give either this or C(src).
      src:
        type: str
        description: A file on the controller to copy, relative to the inventory's directory.
  env:
    type: dict
    description:
      - Environment variables, each a text or a number. C({code}), C({data}), C({media}) and C({static}) are replaced by
        the Act's directories. With a database, C({database}), C({database_user}), C({database_host}),
        C({database_port}) and C({database_url}) are replaced by its connection parameters.
      - Names that start with C(BACKSTAGE_) or C(UWSGI_), and C(DJANGO_SETTINGS_MODULE), C(HOME) and C(LC_ALL), are
        refused.
  secrets:
    type: dict
    description:
      - Environment variables whose values are never shown. They are not part of a release. A changed one starts a new
        Sess.
      - Each value needs at least 8 characters and must not be a name in the manifest, because Ansible masks it
        everywhere.
  database:
    type: dict
    description:
      - The Act's own database, exported as C(DATABASE_URL). The project's settings have to read that variable. Without
        this option the project's own C(DATABASES) apply.
      - The database stays until the Act's data is deleted by name.
    suboptions:
      engine:
        type: str
        choices: [postgresql, sqlite]
        description:
          - V(postgresql) is a role and a database in the host's PostgreSQL, named like the Act's system user. The Act
            connects through the socket, without a password. The role P(backstage.django.database#role) installs and
            starts PostgreSQL.
          - V(sqlite) is a file in the Act's data directory.
  writable:
    type: list
    elements: str
    description:
      - Files and directories inside the code that the Act may write. A directory ends in C(/). Each becomes a symlink
        into the Act's data directory, and starts as a copy of what the source has there.
  packages:
    type: list
    elements: str
    description:
      - Debian packages that the Act needs to build or run. The role P(backstage.django.stage#role) installs them.
  build:
    type: list
    elements: str
    description:
      - Commands to run in C(chdir) before C(collectstatic). They are split into words as a shell does it, but run
        without a shell and without the secrets.
  static:
    type: str
    choices: [auto, app, none]
    description:
      - V(auto) runs C(collectstatic) if the Act has C(django.contrib.staticfiles). V(none) never runs it.
      - V(app) does what V(auto) does, but the Act itself answers at C(STATIC_URL), such as by WhiteNoise behind a CDN.
        nginx only answers what the Act does not have, such as files of earlier releases.
      - Defaults to V(auto).
  static_urls:
    type: list
    elements: dict
    description:
      - Files that Django does not know about, which nginx serves like static files. An entry with the same URL as
        C(STATIC_URL) replaces it.
    suboptions:
      url:
        type: str
        required: true
        description: The URL prefix, from the Venue's root, such as V(/assets/).
      root:
        type: str
        required: true
        description: The directory inside the code that contains the files when the build ends.
  after_static:
    type: list
    elements: str
    description: Management commands to run after C(collectstatic), such as V(compress --force).
  migrate:
    type: bool
    description: Whether to run a new release's migrations before it plays. Defaults to V(true).
  fixtures:
    type: list
    elements: str
    description: Fixtures to load once in the Act's life.
  seed:
    type: list
    elements: dict
    description: Management commands to run once in the Act's life. Each is identified by its name.
    suboptions:
      name:
        type: str
        required: true
        description: Its name in the history.
      run:
        type: str
        required: true
        description: The management command with its arguments.
      before_migrate:
        type: bool
        description: Whether to run it before the migrations. Defaults to V(false).
      env:
        type: dict
        description: Variables for this command only.
      secrets:
        type: dict
        description: Variables for this command only, whose values are never shown.
  health:
    type: dict
    description: The request that a new Sess has to answer before it goes live.
    suboptions:
      path:
        type: str
        description: The page to request. A page that reads the database proves most. Defaults to V(/).
      status:
        type: list
        elements: int
        description: The accepted HTTP statuses. Defaults to 200 to 399.
      text:
        type: str
        description: A text that the page must contain.
      host:
        type: str
        description:
          - The host name of the request. Defaults to the names of all open Venues where the Act is booked, and to
            V(localhost) if the Sess has a port or the Act is not booked.
      timeout:
        type: int
        description: The maximum number of seconds for the start, and for each answer, 1 to 3600. Defaults to V(30).
  timeout:
    type: int
    description:
      - The maximum duration of a request in seconds, at most the role's C(stage_longest_request). With threads, a
        request that exceeds it kills its worker and the other requests of that worker.
      - Defaults to V(60).
  keep_releases:
    type: int
    description:
      - How many releases stay on the host, 1 to 100. The release that plays and a held release always stay.
      - Defaults to V(5).
  timers:
    type: list
    elements: dict
    description:
      - Commands that run at a time, with the release that plays, as the player and with the variables of the Sess. They
        run while the Sess is started, and never twice at the same time.
    suboptions:
      name:
        type: str
        required: true
        description: Its name in logs and status. A letter, then up to 31 lower-case letters, digits and hyphens.
      run:
        type: str
        description:
          - A program of the environment with its arguments, split like a shell does, but run without one. Give either
            C(run) or C(manage).
      manage:
        type: str
        description: A management command with its arguments, such as V(clearsessions).
      at:
        type: str
        description: A time of day in the host's time zone, such as V(03:00). Give either C(at) or C(every).
      every:
        type: str
        choices: [minute, quarter, hour, day, week, month, year]
        description: How often, at the beginning of each; V(quarter) is of an hour, a week begins on Monday.
  dump:
    type: bool
    description:
      - Whether the databases are dumped before migrations change them. The playbook C(restore) replaces them by such a
        dump. It is kept with the release that played then, and removed with it. Defaults to V(false).
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
  media:
    type: str
    choices: [local, external, none]
    description:
      - Where uploads are. V(local) is a directory of the host. V(external) is a storage that the project itself uses,
        such as S3. V(none) means that there are no uploads.
      - An Act on several hosts can't have V(local).
      - Defaults to V(local).
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

    # Only of a whole manifest, which says what is called otherwise.
    WAS = r"""
options:
  was:
    type: str
    description:
      - The old name of an Act that gets another one. It keeps its data, uploads, database, releases, history, logs and
        users. It is stopped meanwhile. If both names are on the host, the Act is refused.
"""
