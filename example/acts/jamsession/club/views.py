"""The club has one page: the programme, the playbill and the guest book."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from .forms import GuestForm
from .models import Guest, JazzSet
from .playbill import playbill

GUESTS_SHOWN = 12


@require_http_methods(["GET", "HEAD", "POST"])
def programme(request: HttpRequest) -> HttpResponse:
    """Show the night; a POST signs the guest book."""
    form = GuestForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect(reverse("programme") + "#guest-book")
    return render(
        request,
        "club/programme.html",
        {
            "sets": JazzSet.objects.prefetch_related("musicians"),
            "guests": Guest.objects.all()[:GUESTS_SHOWN],
            "form": form,
            "playbill": playbill(request),
        },
    )
