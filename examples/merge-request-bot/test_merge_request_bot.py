"""The bot against a local server that behaves like GitLab's notes API: token header, pages, refusals, busy moments."""

import contextlib
import http.server
import io
import json
import os
import tempfile
import threading
import unittest
import urllib.parse
from unittest import mock

import merge_request_bot as bot

MARKER = "<!-- phasegate:note -->"
TOKEN = "glpat-0123456789"


class Server(http.server.ThreadingHTTPServer):
    """The notes of merge request 7 of project `shop/api`. `failures` are answered first: (method, status, headers, is_done)."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.notes, self.failures, self.seen = [], [], []
        self.header, self.with_link_only, self.page_size = "PRIVATE-TOKEN", False, 20

    def add(self, body, **more):
        note = {"id": 100 + len(self.notes), "body": body, "system": False, **more}
        self.notes.append(note)
        return note


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, content, headers=()):
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in [("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def handle_method(self):
        server, url = self.server, urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        content = json.loads(self.rfile.read(length)) if length else None
        server.seen.append(self.command)
        failure = next((one for one in server.failures if one[0] == self.command), None)
        if failure:
            server.failures.remove(failure)
            if failure[3]:
                self.work(url, content, lambda *_: None)
            return self.answer(failure[1], {"message": f"{failure[1]} here"}, failure[2])
        if self.headers.get(server.header) != TOKEN:
            return self.answer(401, {"message": "401 Unauthorized"})
        return self.work(url, content, self.answer)

    def work(self, url, content, answer):
        server, base = self.server, "/api/v4/projects/shop%2Fapi/merge_requests/7/notes"
        if url.path == base and self.command == "GET":
            query = dict(urllib.parse.parse_qsl(url.query))
            page, size = int(query.get("page", 1)), min(int(query.get("per_page", 20)), server.page_size)
            notes = server.notes[(page - 1) * size : page * size]
            more = page * size < len(server.notes)
            following = str(page + 1) if more else ""
            link = [("Link", f'<http://{self.headers["Host"]}{base}?page={following}>; rel="next"')] if more else []
            return answer(200, notes, link if server.with_link_only else [*link, ("X-Next-Page", following)])
        if url.path == base and self.command == "POST":
            return answer(201, server.add(content["body"]))
        note = next((one for one in server.notes if url.path == f"{base}/{one['id']}"), None)
        if note is None or self.command != "PUT":
            return answer(404, {"message": "404 Not found"})
        if note.get("foreign"):
            return answer(403, {"message": "403 Forbidden"})
        note["body"] = content["body"]
        return answer(200, note)

    do_GET = do_POST = do_PUT = handle_method


class BotTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.variables = {
            "CI_API_V4_URL": f"http://127.0.0.1:{self.server.server_port}/api/v4",
            "CI_PROJECT_ID": "shop/api",
            "CI_MERGE_REQUEST_IID": "7",
            "GITLAB_TOKEN": TOKEN,
        }
        self.waits = []

    def run_bot(self, body):
        """Exit code, standard output, standard error."""
        out, err = io.StringIO(), io.StringIO()
        with tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8") as file:
            file.write(body)
            file.flush()
            with (
                mock.patch.dict(os.environ, self.variables, clear=True),
                mock.patch.object(bot.time, "sleep", self.waits.append),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                code = bot.main([file.name])
        self.assertNotIn(TOKEN, out.getvalue() + err.getvalue(), "the token is never printed")
        return code, out.getvalue(), err.getvalue()

    def bodies(self):
        return [note["body"] for note in self.server.notes]

    def test_the_first_report_is_posted_and_the_next_one_updates_it(self):
        self.server.add("looks good")
        self.assertEqual(self.run_bot(f"{MARKER}\nfour errors – «ü»\n"), (0, "posted note 101\n", ""))
        self.assertEqual(self.run_bot(f"{MARKER}\nno errors\n"), (0, "updated note 101\n", ""))
        self.assertEqual(self.bodies(), ["looks good", f"{MARKER}\nno errors\n"])

    def test_what_is_the_same_is_not_sent_again(self):
        self.run_bot(f"{MARKER}\nsame\n")
        self.server.seen.clear()
        code, out, _ = self.run_bot(f"{MARKER}\nsame\n")
        self.assertEqual((code, out, self.server.seen), (0, "note 100 is up to date\n", ["GET"]))

    def test_a_note_on_a_later_page_is_found(self):
        for with_link_only in (False, True):
            with self.subTest(with_link_only=with_link_only):
                self.server.notes, self.server.with_link_only = [], with_link_only
                for number in range(45):
                    self.server.add(f"comment {number}")
                ours = self.server.add(f"{MARKER}\nold")
                for number in range(30):
                    self.server.add(f"answer {number}")
                self.assertEqual(self.run_bot(f"{MARKER}\nnew")[:2], (0, f"updated note {ours['id']}\n"))
                self.assertEqual(len(self.server.notes), 76)

    def test_notes_that_only_speak_of_the_marker_are_left_alone(self):
        self.server.add(f"I saw `{MARKER}` in the source")
        self.server.add(f"{MARKER}\nsystem", system=True)
        self.server.add(f"{MARKER}\nsomebody else's", foreign=True)
        self.assertEqual(self.run_bot(f"{MARKER}\nours")[:2], (0, "posted note 103\n"))
        self.assertEqual(self.run_bot(f"{MARKER}\nours again")[:2], (0, "updated note 103\n"))
        self.assertIn("somebody else's", self.bodies()[2])

    def test_the_token_of_the_job_has_a_header_of_its_own(self):
        self.server.header = "JOB-TOKEN"
        self.variables["CI_JOB_TOKEN"] = self.variables.pop("GITLAB_TOKEN")
        self.assertEqual(self.run_bot(f"{MARKER}\n")[0], 0)

    def test_a_token_that_is_wrong_is_said_and_not_tried_again(self):
        self.variables["GITLAB_TOKEN"] = "wrong"
        code, _, err = self.run_bot(f"{MARKER}\n")
        self.assertEqual((code, len(self.server.seen)), (1, 1))
        self.assertIn("the token is not accepted", err)
        self.assertNotIn("wrong", err.replace("it is wrong or", ""))

    def test_a_merge_request_that_is_not_there_is_said(self):
        self.variables["CI_MERGE_REQUEST_IID"] = "8"
        code, _, err = self.run_bot(f"{MARKER}\n")
        self.assertEqual(code, 1)
        self.assertIn("no such merge request", err)

    def test_a_busy_server_is_asked_again_as_it_wishes(self):
        self.server.failures = [("GET", 429, [("Retry-After", "7")], False), ("GET", 502, [], False), ("PUT", 503, [], False)]
        self.server.add(f"{MARKER}\nold")
        self.assertEqual(self.run_bot(f"{MARKER}\nnew")[:2], (0, "updated note 100\n"))
        self.assertEqual(self.waits, [7, 2, 4])

    def test_a_server_that_stays_busy_is_left_after_a_limit(self):
        self.server.failures = [("GET", 500, [("Retry-After", "9999")], False)] * 50
        code, _, err = self.run_bot(f"{MARKER}\n")
        self.assertEqual((code, len(self.server.seen)), (1, bot.ATTEMPTS))
        self.assertTrue(all(wait <= bot.LONGEST_WAIT for wait in self.waits), self.waits)
        self.assertIn("500", err)

    def test_a_post_that_was_done_but_not_confirmed_leaves_one_note(self):
        self.server.failures = [("POST", 504, [], True)]
        self.assertEqual(self.run_bot(f"{MARKER}\nonce")[:2], (0, "note 100 is up to date\n"))
        self.assertEqual(self.bodies(), [f"{MARKER}\nonce"])

    def test_a_redirect_does_not_take_the_token_along(self):
        elsewhere = Server()
        threading.Thread(target=elsewhere.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(elsewhere.server_close)
        self.addCleanup(elsewhere.shutdown)
        self.server.failures = [("GET", 302, [("Location", f"http://127.0.0.1:{elsewhere.server_port}/")], False)]
        code, _, err = self.run_bot(f"{MARKER}\n")
        self.assertEqual((code, elsewhere.seen), (1, []))
        self.assertIn("CI_API_V4_URL", err)

    def test_a_server_that_is_not_there_is_said(self):
        self.variables["CI_API_V4_URL"] = "http://127.0.0.1:1/api/v4"
        code, _, err = self.run_bot(f"{MARKER}\n")
        self.assertEqual(code, 1)
        self.assertIn("refused", err.lower())

    def test_a_note_that_gitlab_would_not_take_is_refused_whole(self):
        code, _, err = self.run_bot(f"{MARKER}\n" + "ü" * bot.LONGEST_NOTE)
        self.assertEqual((code, self.server.seen), (2, []))
        self.assertIn("nothing was posted", err)

    def test_what_is_missing_is_said_before_anything_is_sent(self):
        for name in ("GITLAB_TOKEN", "CI_MERGE_REQUEST_IID"):
            with self.subTest(name=name):
                value = self.variables.pop(name)
                code, _, err = self.run_bot(f"{MARKER}\n")
                self.variables[name] = value
                self.assertEqual(code, 2)
                self.assertIn(name, err)
        code, _, err = self.run_bot("# a report without a marker\n")
        self.assertEqual((code, self.server.seen), (2, []))
        self.assertIn("the first line", err)


if __name__ == "__main__":
    unittest.main()
