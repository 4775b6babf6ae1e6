"""What tests of the operator's pages share: filling in forms, reading what the pages say."""

from typing import Any

from accounts.models import AuditEntry, User


def text_of(response: Any) -> str:
    """The words of the page, as one line."""
    return " ".join(response.content.decode().replace("&#x27;", "'").split())


def errors_in(response: Any) -> str:
    assert response.status_code == 200, "it was saved"
    return str(response.context["adminform"].form.errors)


def notices(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def person_page(person: User) -> str:
    return f"/admin/accounts/user/{person.pk}/change/"


def typed(person: User, **changes: Any) -> dict[str, Any]:
    """What the form of a person holds; fields that are False are boxes without a tick."""
    values = {
        "full_name": person.full_name,
        "email": person.email,
        "department": person.department_id or "",
        "role": person.role,
        "desk_phone": person.desk_phone,
        "new_password": "",
        "is_active": person.is_active,
    } | changes
    return {name: value for name, value in values.items() if value is not False}


def logged() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
