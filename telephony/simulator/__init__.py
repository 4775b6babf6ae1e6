"""The pocket phones: a stand-in for the carrier, in a process of its own.

It speaks Twilio's wire protocol (the Messages API, signed webhooks, status callbacks) over HTTP, keeps its state in its
own SQLite file, and shows a page of phones on which a person plays the clients. The product reaches it by
`TWILIO_API_URL` alone and doesn't know that it isn't the real thing. Nothing here imports Django.

    carrier/      what the carrier knows and does: messages, opt-outs, delivery, webhooks, faults
    api/          the REST API that the product calls
    pages/        the phones and the fault panel, for people
    control_api   the switches, as JSON, for tests (loopback only); `control.PocketPhones` is the typed client for it
    app           puts the parts together and serves them

Rules are cited by the sections of docs/carrier.md ("section 6") and by its list of what is imitated here ("12.15").
"""
