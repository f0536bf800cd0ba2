#!/usr/bin/env python3
"""Posts a Markdown report as one note of a GitLab merge request, and from then on updates that note.

    phasegate check --since origin/main --output markdown=note.md || true
    merge_request_bot.py note.md

The note is known by its first line, an HTML comment such as `<!-- phasegate:note -->`, so that each pipeline changes the note
of the one before instead of adding another. Where to post stands in the variables that GitLab sets in a pipeline of a merge
request: CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID. The token is read from GITLAB_TOKEN (a project access token with the
scope `api`, as a masked variable), else from CI_JOB_TOKEN, and is never printed.

Python's standard library is all it needs: it runs wherever `pip install phasegate` does.
Exit codes: 0 the note is there and up to date; 1 GitLab did not take it; 2 something is missing or cannot be used.
"""

import argparse
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# https://docs.gitlab.com/administration/instance_limits/: "Size of comments and descriptions", in characters.
LONGEST_NOTE = 1_000_000
ATTEMPTS = 5
LONGEST_WAIT = 60  # seconds
TIMEOUT = 30  # seconds


class Unusable(Exception):
    """What was given cannot be used; nothing was sent."""


class Refused(Exception):
    """GitLab answered, and did not do it. `status` is that of HTTP, or 0 where no answer came."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status

    def is_passing(self):
        return self.status in (0, 429) or self.status >= 500


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever it leads."""

    def redirect_request(self, *_):
        return None


class GitLab:
    """The notes of one merge request."""

    def __init__(self, api, project, merge_request, header, token):
        project = urllib.parse.quote(project, safe="")
        self.notes = f"{api.rstrip('/')}/projects/{project}/merge_requests/{urllib.parse.quote(merge_request, safe='')}/notes"
        self.headers = {header: token, "Content-Type": "application/json", "User-Agent": "phasegate-merge-request-bot"}
        self.opener = urllib.request.build_opener(NoRedirects)

    def once(self, method, url, content=None):
        """One request: the JSON of the answer, its headers. What GitLab's answer says is not trusted to be short or printable."""
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(url, data, self.headers, method=method)
        try:
            with self.opener.open(request, timeout=TIMEOUT) as response:
                return json.load(response), response.headers
        except urllib.error.HTTPError as error:
            said = re.sub(r"[^ -~]+", " ", error.read(500).decode("utf-8", "replace")).strip()
            refused = Refused(f"{method} {url}: {error.code} {said}", error.code)
            refused.wait = error.headers.get("Retry-After", "")
        except (OSError, ValueError) as error:
            refused = Refused(f"{method} {url}: {getattr(error, 'reason', error)}", 0)
            refused.wait = ""
        raise refused from None

    def patient(self, work):
        """Does some work again while GitLab is busy or away, a limited number of times."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return work()
            except Refused as refused:
                if not refused.is_passing() or attempt == ATTEMPTS:
                    raise
                asked = int(refused.wait) if refused.wait.isdigit() else 2 ** (attempt - 1)
                seconds = min(asked, LONGEST_WAIT)
                print(f"{refused}; trying again in {seconds} s ({attempt} of {ATTEMPTS})", file=sys.stderr)
                time.sleep(seconds)

    def ours(self, marker):
        """The notes that begin with the marker, the oldest first. All pages are read: a long discussion has many."""
        found, page = [], "1"
        while page:
            query = urllib.parse.urlencode({"sort": "asc", "order_by": "created_at", "per_page": 100, "page": page})
            notes, headers = self.once("GET", f"{self.notes}?{query}")
            found += [note for note in notes if not note.get("system") and note["body"].split("\n", 1)[0].strip() == marker]
            page = next_page(headers)
        return found

    def publish(self, marker, body):
        """Updates our note, or begins it; says which."""
        for note in self.ours(marker):
            if note["body"].strip() == body.strip():
                return f"note {note['id']} is up to date"
            try:
                self.once("PUT", f"{self.notes}/{note['id']}", {"body": body})
                return f"updated note {note['id']}"
            except Refused as refused:
                # Somebody else's note with our first line, or one that was deleted just now.
                if refused.status not in (403, 404):
                    raise
        created, _ = self.once("POST", self.notes, {"body": body})
        return f"posted note {created['id']}"


def next_page(headers):
    """The number of the next page; empty after the last. Proxies drop headers that they do not know, but keep `Link`."""
    if "x-next-page" in headers:
        return headers["x-next-page"].strip()
    link = re.search(r'<([^>]*)>;\s*rel="?next"?', headers.get("Link", ""))
    pages = urllib.parse.parse_qs(urllib.parse.urlsplit(link.group(1)).query).get("page") if link else None
    return pages[0] if pages else ""


def read(path):
    """The text of the note, and its marker."""
    try:
        if path == "-":
            body = sys.stdin.buffer.read().decode("utf-8")
        else:
            with open(path, encoding="utf-8") as file:
                body = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: {error}") from None
    marker = body.split("\n", 1)[0].strip()
    if not re.fullmatch(r"<!--\s*\S.*-->", marker):
        raise Unusable(f"{path}: the first line has to be an HTML comment, by which the note is found again")
    if len(body) > LONGEST_NOTE:
        raise Unusable(
            f"{path}: {len(body)} characters, and GitLab takes {LONGEST_NOTE} in a note; nothing was posted. "
            "Give the report as an artifact, or report on less (--since, a higher level)"
        )
    return body, marker


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("note", metavar="FILE", help="the Markdown file; `-` is standard input")
    wanted = parser.parse_args(arguments)
    try:
        body, marker = read(wanted.note)
        variables = ["CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID"]
        missing = [name for name in variables if not os.environ.get(name)]
        if missing:
            raise Unusable(f"{', '.join(missing)} not set: this runs in a pipeline of a merge request (rules: merge_request_event)")
        tokens = {"PRIVATE-TOKEN": "GITLAB_TOKEN", "JOB-TOKEN": "CI_JOB_TOKEN"}
        known = [(header, os.environ[name].strip()) for header, name in tokens.items() if os.environ.get(name, "").strip()]
        if not known:
            raise Unusable("neither GITLAB_TOKEN nor CI_JOB_TOKEN is set: make a project access token with the scope `api`")
        gitlab = GitLab(*(os.environ[name] for name in variables), *known[0])
        # All of it again, and no request for itself: a POST that failed may have been done all the same.
        print(gitlab.patient(lambda: gitlab.publish(marker, body)))
    except Unusable as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Refused as error:
        hints = {
            401: "the token is not accepted: it is wrong or has expired",
            403: "the token may not write notes here: it needs the scope `api` and the role Developer",
            404: "there is no such merge request, or the token may not see it",
        }
        hint = hints.get(error.status, "CI_API_V4_URL has to be the API itself" if 300 <= error.status < 400 else "")
        print(f"error: {error}{f'; {hint}' if hint else ''}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
