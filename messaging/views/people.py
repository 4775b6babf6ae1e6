"""Who asks. Every page requires signing in (LoginRequiredMiddleware), so there is always somebody."""

from django.http import Http404, HttpRequest

from accounts.models import Department, User


def person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def department_of(request: HttpRequest) -> Department:
    """The department of the person who asks; 404 for the operator, who has none."""
    department = person(request).department
    if department is None:
        raise Http404
    return department
