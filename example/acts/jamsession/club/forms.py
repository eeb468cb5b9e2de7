"""The page of the guest book that a visitor fills in."""

from django import forms

from .models import Guest


class GuestForm(forms.ModelForm):
    """Name, message and perhaps a photograph."""

    class Meta:
        model = Guest
        fields = ["name", "message", "photo"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "message": forms.Textarea(attrs={"rows": 3}),
            "photo": forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        }
        help_texts = {"photo": "Optional: JPEG, PNG or WebP, up to 4 MB."}
