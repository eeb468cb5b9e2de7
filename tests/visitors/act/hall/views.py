import os
import threading

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse


def noted(get_response):
    """Print every request that Django sees, so that a test can say that it saw none."""

    def note(request):
        print(f"SEEN {request.method} {request.META['REQUEST_URI']!r}", flush=True)
        return get_response(request)

    return note


def front(request):
    return HttpResponse("open\n", content_type="text/plain")


def echo(request):
    """What Django sees of a request, and makes of it."""
    meta = {key: value for key, value in request.META.items() if isinstance(value, str) and key not in os.environ}
    uri = request.build_absolute_uri("/")
    return JsonResponse({"meta": meta, "host": request.get_host(), "uri": uri, "secure": request.is_secure()})


def upload(request):
    return HttpResponse(f"{len(request.body)}\n", content_type="text/plain")


def big(request):
    """Megabytes, for somebody who reads them slowly."""
    return StreamingHttpResponse(b"x" * 2**20 for _part in range(int(request.GET["megabytes"])))


def die(request):
    threading.Timer(0, os._exit, (1,)).start()
    threading.Event().wait()
