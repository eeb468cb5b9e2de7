from django.urls import path

from band import views

urlpatterns = [path("", views.stage), path("health/", views.health), path("slow/", views.slow)]
