"""Pages: each translates a request into one call and answers with a page or a redirect."""
