# SPDX-License-Identifier: GPL-3.0-or-later
import os

import django_rq
from django.http import HttpResponse
from django.urls import path
from django_q.tasks import async_task

from . import tasks


def home(request):
    return HttpResponse(f"release {os.environ['BACKSTAGE_RELEASE']}")


def send(request):
    """Put one job into each queue."""
    job, seconds = int(request.GET["job"]), float(request.GET["seconds"])
    tasks.by_celery.delay(job, seconds)
    async_task("jobs.work.do", "q", job, seconds)
    tasks.by_huey(job, seconds)
    tasks.by_tasks.enqueue(job, seconds)
    django_rq.enqueue("jobs.work.do", "rq", job, seconds)
    return HttpResponse("sent")


urlpatterns = [path("", home), path("send/", send)]
