"""Guests' photographs: what they are is read from their first bytes, never from their name."""

from __future__ import annotations

from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.files import File

LARGEST = 4 * 1024 * 1024
SIGNATURES = {
    "jpg": (0, b"\xff\xd8\xff"),
    "png": (0, b"\x89PNG\r\n\x1a\n"),
    "webp": (8, b"WEBP"),
}


def kind_of(photo: File) -> str | None:
    """The suffix that the file's content deserves."""
    photo.seek(0)
    head = photo.read(16)
    photo.seek(0)
    for suffix, (offset, signature) in SIGNATURES.items():
        if head[offset:].startswith(signature):
            return suffix
    return None


def validate_photo(photo: File) -> None:
    """Refuse what is too large or no photograph."""
    if photo.size > LARGEST:
        raise ValidationError(f"Photographs are at most {LARGEST // 1024**2} MB.")
    if kind_of(photo) is None:
        raise ValidationError("Only JPEG, PNG and WebP photographs are hung on our wall.")


def photo_path(guest: object, filename: str) -> str:
    """A new name for each upload: the guest's own says nothing that we would trust."""
    return f"guests/{uuid4().hex}.{kind_of(guest.photo)}"
