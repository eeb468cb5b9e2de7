# SPDX-License-Identifier: GPL-3.0-or-later
from celery import shared_task
from django_tasks import task
from huey.contrib.djhuey import task as huey_task

from .work import do, note


@shared_task
def by_celery(job, seconds):
    do("celery", job, seconds)


@shared_task(expires=5)
def tick():
    note("tick")


@huey_task()
def by_huey(job, seconds):
    do("huey", job, seconds)


@task()
def by_tasks(job, seconds):
    do("tasks", job, seconds)
