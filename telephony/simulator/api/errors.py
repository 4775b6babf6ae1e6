"""Refusals in Twilio's words (section 3), which Twilio advises not to program against."""

from aiohttp import web

MORE_INFO = "https://www.twilio.com/docs/errors/"

# code: (HTTP status, words). What differs from one message to the next stands in braces.
ERRORS = {
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20005: (401, "Account not active"),
    20008: (403, "Resource not accessible with Test Account Credentials"),
    20009: (409, "Cannot change or delete message because delivery has not been completed."),
    20404: (404, "The requested resource {path} was not found"),
    20422: (400, "Invalid value for {name}"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21211: (400, "Invalid 'To' Phone Number: {to}"),
    21212: (400, "Invalid From Number (caller ID): {sender}"),
    21265: (400, "'To' number cannot be a Short Code: {to}"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number provided ({sender}) is not a valid message-capable Twilio phone number."),
    21608: (400, "The number {to} is unverified. Trial accounts cannot send messages to unverified numbers."),
    21609: (400, "The 'StatusCallback' URL {url} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number {sender} has exceeded the maximum number of queued messages."),
    21612: (400, "Message cannot be sent with the current combination of 'To' ({to}) and/or 'From' parameters"),
    21614: (400, "To number: {to}, is not a mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit."),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds allowed limit."),
    21654: (400, "ContentSid {sid} not found"),
    21656: (400, "The Content Variables parameter is invalid."),
    21704: (400, "The Messaging Service contains no phone numbers."),
    21705: (400, "The Messaging Service Sid {sid} is invalid."),
    30409: (400, "This message cannot be canceled"),
    35111: (400, "The 'SendAt' parameter is required to schedule a message."),
    35114: (400, "Scheduling does not support this timestamp"),
    35118: (400, "A 'MessagingServiceSid' is required to schedule a message."),
    90007: (400, "Invalid validity period value"),
}


class ApiError(Exception):
    """Twilio says no. `facts` fill the braces of the words."""

    def __init__(self, code: int, **facts: str) -> None:
        self.code = code
        self.status, words = ERRORS.get(code, (400, f"Error {code}"))
        self.words = words.format_map(_Facts(facts))
        super().__init__(f"{code} {self.words}")

    def response(self) -> web.Response:
        body = {"code": self.code, "message": self.words, "more_info": f"{MORE_INFO}{self.code}", "status": self.status}
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == 401 else {}
        return web.json_response(body, status=self.status, headers=headers)


class _Facts(dict[str, str]):
    """What nobody said stays empty in the words: a refusal that was switched on knows only its code."""

    def __missing__(self, name: str) -> str:
        return ""


def gateway_error(status: int) -> web.Response:
    """What a gateway before Twilio answers when something behind it breaks: HTML, no error code."""
    reason = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}.get(status, "Error")
    page = f"<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>"
    return web.Response(status=status, text=page, content_type="text/html")
