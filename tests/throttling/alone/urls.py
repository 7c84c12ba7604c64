from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Hello(APIView):
    def get(self, request: Request) -> Response:
        return Response({"hello": "there"})


urlpatterns = [path("", Hello.as_view())]
