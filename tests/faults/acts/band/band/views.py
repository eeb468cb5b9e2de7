import hashlib
import time

from django.conf import settings
from django.http import HttpResponse

from band.models import Song
from band.take import TAKE


def stage(request):
    """Return who answers, and that the database answers, too."""
    return HttpResponse(f"{settings.TUNE} {TAKE}: {Song.objects.count()} songs\n", content_type="text/plain")


def health(request):
    """Return a digest of the secret key."""
    key = hashlib.sha256(settings.SECRET_KEY.encode()).hexdigest()
    return HttpResponse(f"in tune with {key}\n", content_type="text/plain")


def slow(request):
    time.sleep(float(request.GET["seconds"]))
    return HttpResponse("played to the end\n", content_type="text/plain")
