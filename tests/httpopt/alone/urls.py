from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from tests.httpopt.alone.library import views

urlpatterns = [
    path("<int:library>/books/", views.Books.as_view()),
    path("<int:library>/plain-books/", views.PlainBooks.as_view()),
    path("<int:library>/books/<int:pk>/", views.OneBook.as_view()),
    path("for-a-while/", views.ForAWhile.as_view()),
    path("streamed/", views.Streamed.as_view()),
    path("broken/", views.Broken.as_view()),
    path("plain/", views.Plain.as_view()),
    path("page/", views.page),
    path("noise/", views.noise),
    path("lines/", views.lines),
    path("async-lines/", views.async_lines),
    path("schema/", SpectacularAPIView.as_view()),
]
