from django.urls import path

from hall import views

urlpatterns = [
    path("", views.front),
    path("echo/", views.echo),
    path("upload/", views.upload),
    path("big/", views.big),
    path("die/", views.die),
]
