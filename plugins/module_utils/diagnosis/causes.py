# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of known causes and their cures, recognized in what an Act printed or answered."""

from __future__ import annotations

from . import package_causes
from .package_names import PACKAGES
from .rows import Row

_DENIED = r"(?:PermissionError: \[Errno 13\] Permission denied|OSError: \[Errno 30\] Read-only file system): '([^']+)'"
# The first row that matches counts, so specific rows stand above general ones.
ROWS: list[Row] = [
    # whatever is being done
    Row(
        "disk full",
        r"No space left on device",
        "the disk is full: make room and run again",
    ),
    *package_causes.ROWS,
    Row(
        "two libxml2",
        r"lxml & (xmlsec) libxml2 library version mismatch",
        "lxml and xmlsec hold two different libxml2: add the lines '--no-binary lxml' and '--no-binary xmlsec' to the"
        " requirements, and {packages} to 'packages'",
    ),
    # the project
    Row(
        "plugin missing",
        r"UNABLE to load uWSGI plugin: \S*python3_plugin\.so",
        "uWSGI's plugin for Python is missing on this host: run backstage.django.site, which installs it",
    ),
    Row(
        "another Python",
        r"init_fs_encoding: failed to get the Python codec|UNABLE to load uWSGI plugin: libpython3"
        r"|built for another Python",
        "the release was built for another Python than that of uWSGI's plugin: run backstage.django.site, which builds"
        " it anew",
    ),
    Row(
        "management program missing",
        r"there is no (\S+\.py|/srv/backstage/\S+/bin/[\w.-]+)$",
        "there is no {0}: set 'manage', 'chdir' or the source's 'subdir'",
    ),
    Row(
        "settings not named",
        r"settings are not configured\. You must either define the environment variable DJANGO_SETTINGS_MODULE",
        "the project names no settings: set 'settings'",
    ),
    Row(
        "settings module not found",
        r"(?:No module named|ModuleNotFoundError: No module named) '([\w.]*settings[\w.]*)'",
        "there is no settings module '{0}': set 'settings', 'chdir' or the source's 'subdir'",
    ),
    Row(
        "PostgreSQL client missing",
        r"Error loading psycopg2(?: or psycopg)? module",
        "the Python client of PostgreSQL is missing: add psycopg[binary] to the requirements (before Django 4.2"
        " psycopg2-binary)",
    ),
    Row(
        "MySQL client missing",
        r"Error loading MySQLdb module",
        "the Python client of MySQL is missing: add mysqlclient to the requirements",
    ),
    Row(
        "own module missing",
        r"the project's own module '([\w.]+)': No module named",
        "the project's own module '{0}' is missing: write it into 'files', or add it to the source",
    ),
    Row(
        "module of an older Python",
        r"No module named '((?:imp|distutils|asynchat|asyncore|smtpd|cgi|cgitb|crypt|imghdr|pipes|telnetlib|uu)"
        r"(?:\.[\w.]+)?)'",
        "the module '{0}' was part of Python once, and this host's has it no more: take a newer release of what imports"
        " it, or a host with an earlier Debian",
    ),
    Row(
        "missing module of a known package",
        rf"No module named '({'|'.join(PACKAGES)})'",
        "the module '{0}' is missing: add its package, {package}, to the requirements",
    ),
    Row(
        "submodule missing",
        r"the files of the submodule '([^']+)' are not there: No module named '([\w.]+)'",
        "the module '{1}' is missing, and so are the files of the submodule '{0}': write 'submodules: true' into the"
        " source, or add the module's package to the requirements",
    ),
    Row(
        "missing module",
        r"No module named '([\w.]+)'",
        "the module '{0}' is missing: add its package to the requirements",
    ),
    Row(
        "DATABASE_URL missing",
        r"KeyError: 'DATABASE_URL'|Set the DATABASE_URL environment variable",
        "the settings have no database: write 'database' in the manifest, which exports DATABASE_URL, or give"
        " DATABASE_URL in 'secrets'",
    ),
    Row(
        "database not named",
        r"the settings name no database|DATABASES is improperly configured",
        "the settings name no database: write 'database' in the manifest, which exports DATABASE_URL, or give what they"
        " read for one in 'env'",
    ),
    Row(
        "missing environment variable",
        r"KeyError: '(?!HTTP_|REMOTE_(?:ADDR|HOST|USER)')([A-Z][A-Z0-9_]*)'|Set the (\w+) environment variable"
        r"|(\w+) not found\. Declare it as envvar",
        "the environment variable {0} is missing: add it to 'env' or 'secrets'",
    ),
    Row(
        "placeholder read as a number",
        r"(?:invalid literal for int\(\) with base 10|could not convert string to float): 'rehearsal-placeholder'",
        "a variable that is read as a number holds the placeholder: give it a number in 'env'",
    ),
    Row(
        "SECRET_KEY empty",
        r"The SECRET_KEY setting must not be empty",
        "SECRET_KEY is empty: add it to 'secrets' and have the settings read it",
    ),
    Row(
        "app not installed",
        r"Model class (\S+) doesn't declare an explicit app_label",
        "the app of the model {0} is not in INSTALLED_APPS of these settings: add it, or set 'settings'",
    ),
    Row(
        "WSGI application not named",
        r"the settings have no WSGI_APPLICATION",
        "the settings have no WSGI_APPLICATION: set 'application'",
    ),
    Row(
        "system check",
        r"System check identified some issues:\s+(?:CRITICALS|ERRORS):\s+(\S.*)",
        "Django's system check refuses the project: {0}",
    ),
    Row(
        "wrong callable",
        r"WrapperError: ([^\n]+)",
        "the application can't be played: {0}",
    ),
    Row(
        "template missing",
        r"TemplateDoesNotExist: (\S+)",
        "the template '{0}' is missing: is it in the source, its app in INSTALLED_APPS, and a relative directory one of"
        " 'chdir'?",
    ),
    Row(
        "STATIC_ROOT unset",
        r"STATIC_ROOT is not set|without having set the STATIC_ROOT setting",
        "STATIC_ROOT is not set: set it to os.environ['BACKSTAGE_STATIC_ROOT'], or say 'static: none'",
    ),
    Row(
        "root outside",
        r"(STATIC_ROOT|MEDIA_ROOT) is outside: (\S+)",
        "{0} is {1}, where nginx can't serve it: set it to os.environ['BACKSTAGE_{0}'], or to a directory of the code",
    ),
    Row(
        "static files unbuilt",
        r"Missing staticfiles manifest entry for '([^'%]+)'",
        "the static file '{0}' is not in the manifest of the static files: is it in STATICFILES_DIRS or an app?",
    ),
    Row(
        "offline compression",
        r"\bis missing from offline manifest",
        "a page's style sheets or scripts were not compressed while the release was built: add 'compress --force' to"
        " 'after_static'",
    ),
    Row(
        "static file refers to nothing",
        r"The file '([^']+)' could not be found with <\S+Storage",
        "a static file refers to '{0}', which is not there: add it, correct the reference, or say 'static: none'",
    ),
    Row(
        "migrations in conflict",
        r"Conflicting migrations detected; multiple leaf nodes in the migration graph: \(([^)]+)\)",
        "two migrations follow the same one ({0}): merge them (makemigrations --merge)",
    ),
    Row(
        "app without migrations",
        r"the app '(\w+)' has models and no migrations",
        "the app '{0}' has models and no migrations, so it has no tables: run makemigrations, take its migrations out"
        " of .gitignore, and commit them",
    ),
    # what it may write
    Row(
        "database directory missing",
        r"unable to open database file: (\S+)",
        "the directory of the database file '{0}' is not there: is it in the source? One that the Act writes goes into"
        " 'writable', with a '/'",
    ),
    Row(
        "locked database",
        r"OperationalError: database (?:table )?is locked",
        "the database file is locked: another process, such as a worker, writes to it for longer than Django waits: run"
        " again, or raise 'timeout' in the OPTIONS of DATABASES",
    ),
    Row(
        "read-only database",
        r"attempt to write a readonly database|unable to open database file",
        "the database file can't be written: name it in 'writable', or put it into BACKSTAGE_DATA",
    ),
    Row(
        "directory not made",
        rf"{_DENIED} \(mkdir\)|mkdir\([^\n]*\n(?:[ ~^]*\n)? *{_DENIED}",
        "the Act may not make the directory '{0}': name it in 'writable', with a '/', or put it into BACKSTAGE_DATA",
    ),
    Row(
        "read-only file",
        _DENIED,
        "the Act may not write '{0}': name it in 'writable', or put it into BACKSTAGE_DATA",
    ),
    Row(
        "node_modules missing",
        r"No such file or directory: '([^']*/node_modules)\b",
        "'{0}' is not there: install the project's JavaScript packages by 'build', such as 'npm ci --omit=dev', with"
        " npm in 'packages'",
    ),
    Row(
        "directory missing",
        r"FileNotFoundError: \[Errno 2\] No such file or directory: '((?:/srv/backstage/|\w[^/']*/)[^']+)'",
        "'{0}' is not there: is it in the source? A directory that the Act writes goes into 'writable', with a '/'",
    ),
    # its database, and what else it talks to
    Row(
        "query at import",
        r"the database is asked while the project is loaded, at (\S+?:\d+)",
        "the database is asked while the project is loaded, at {0}, where it may be empty: ask it when a request comes;"
        " choices of a form may be a callable",
    ),
    Row(
        "cache table missing",
        r"/core/cache/backends/db\.py\"(?s:.{0,6000}?)(?:no such table: (\S+)|relation \"([^\"]+)\" does not exist)",
        "the cache has no table '{0}': make it by a seed that runs 'createcachetable'",
    ),
    Row(
        "table missing",
        r"OperationalError: no such table: (\S+)|relation \"([^\"]+)\" does not exist",
        "the database has no table '{0}': has 'migrate' run on the database that the Act uses?",
    ),
    Row(
        "Site missing",
        r"Site matching query does not exist",
        "the database has no Site of this name: add it by 'fixtures' or 'seed', or set SITE_ID",
    ),
    Row(
        "another database",
        r"DATABASES has (.+) as its default, and not (\w+) '[^']*'",
        "the settings' default database is {0}, not the manifest's {1}: have DATABASES read DATABASE_URL, or leave"
        " 'database' out",
    ),
    Row(
        "extension missing",
        r"extension \"([^\"]+)\" is not available|could not open extension control file \"\S*?/([\w-]+)\.control\"",
        "PostgreSQL has no extension '{0}': its administrator installs {packages}, and runs CREATE EXTENSION \"{0}\" as"
        " postgres in the Act's database",
    ),
    Row(
        "extension not allowed",
        r"permission denied to create extension \"([^\"]+)\"",
        "only PostgreSQL's administrator may make the extension '{0}': he runs CREATE EXTENSION \"{0}\" as postgres in"
        " the Act's database",
    ),
    Row(
        "wrong password",
        r"password authentication failed for user \"([^\"]+)\"|Access denied for user '([^']+)'",
        "the database refuses the password of '{0}': correct it in 'secrets'",
    ),
    Row(
        "password missing",
        r"no password supplied",
        "the database asks for a password: give DATABASE_URL with one in 'secrets', or leave host and user out, to"
        " come by the socket",
    ),
    Row(
        "another user of the database",
        r"Peer authentication failed for user \"([^\"]+)\"",
        "the Act is not the user '{0}' for the database: leave the user out, or give a host and a password",
    ),
    Row(
        "database unknown",
        r"FATAL: +(?:role|database) \"([^\"]+)\" does not exist",
        "PostgreSQL has no role or database '{0}': correct DATABASE_URL or DATABASES, and ask no database while a"
        " release is built",
    ),
    Row(
        "database of others",
        r"permission denied for database \"([^\"]+)\"",
        "the Act may not connect to the database '{0}': its own is in DATABASE_URL",
    ),
    Row(
        "unreachable database",
        r"connection to server .{0,200} failed: (?!FATAL|fe_sendauth)"
        r"|the database system is (?:starting up|shutting down)|server closed the connection"
        r"|terminating connection due to|could not translate host name|failed to resolve host"
        r"|Can't connect to (?:local )?(?:MySQL )?server|connection is bad: (?!connection to server)",
        "the database does not answer: start it, or correct where DATABASE_URL or DATABASES says it is",
    ),
    Row(
        "lock timeout",
        r"canceling statement due to lock timeout",
        "a migration waited for a lock that another connection holds, and gave up, because visitors wait behind it: run"
        " again, or first end what holds the lock (pg_stat_activity names it)",
    ),
    Row(
        "another migrate",
        r"another migrate of this database has not ended within (\d+) s",
        "another migrate of this database has not ended within {0} s: wait for it, or end it (pg_stat_activity names"
        " it), and run again",
    ),
    Row(
        "unreachable Redis",
        r"Error -?\d+ connecting to ([\w.-]+:\d+)\.",
        "Redis does not answer at {0}: add redis-server to 'packages' (it runs at localhost:6379), or correct where the"
        " settings say it is",
    ),
    # its commands
    Row(
        "question asked",
        r"EOFError: EOF when reading a line|skipped due to not running in a TTY",
        "it asks, and nobody can answer: give the command what it asks for, or --noinput",
    ),
    # its answers
    Row(
        "host not allowed",
        r"Invalid HTTP_HOST header: '([^']+)'|answers 400 to the host '([^']+)'",
        "the Act answers 400 to the host '{0}': add the name to ALLOWED_HOSTS (it is in BACKSTAGE_HOSTS)",
    ),
    Row(
        "nothing at the path",
        r"(\S+) answers 404",
        "nothing at {0} (404): set health.path to a page that the Act has",
    ),
    Row(
        "https expected",
        r"(\S+) leads to https://",
        "the page {0} leads to https, and this Venue speaks http: set SECURE_SSL_REDIRECT = False",
    ),
    Row(
        "CSRF origin",
        r"Origin checking failed - (\S+) does not match any trusted origins",
        "the Act refuses forms from {0}: add it to CSRF_TRUSTED_ORIGINS (the Venues' are in BACKSTAGE_ORIGINS)",
    ),
    Row(
        "request over the timeout",
        r"HARAKIRI \[core \d+\] \S+ - (\w+ \S+) since",
        "the request {0} took longer than 'timeout', and its worker was ended: make it faster, or raise 'timeout'",
    ),
    # the stage
    Row(
        "unknown option",
        r"unrecognized option '([^']+)'|\[strict-mode\] unknown config directive: (\S+)",
        "uWSGI refuses the option {0}",
    ),
    Row(
        "port taken",
        r"bind\(\) to (\S+) failed \(98: ",
        "the port {0} is taken: stop what listens there, or choose another one",
    ),
    Row(
        "name clash",
        r"conflicting server name \"([^\"]+)\" on (\S+), ignored",
        "two servers of nginx are called {0} on {1}, and one of them is never asked: rename one",
    ),
]
