"""A mail server (aiosmtpd) and a push service for the tests. Prints their ports, then one line of JSON for each message.

The push service is a browser's counterpart: it opens messages with http_ece (RFC 8291) and checks the sender's token with
PyJWT (RFC 8292). Its browser key stands in the first line, too. A path that ends in /gone answers 410, /busy 503.
"""
import base64
import json
import os
import sys
import threading
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
import jwt
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LOCK = threading.Lock()


def tell(**message):
    with LOCK:
        print(json.dumps(message), flush=True)


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Letters:
    async def handle_DATA(self, server, session, envelope):
        if any("refused" in to for to in envelope.rcpt_tos):
            return "550 no such mailbox"
        letter = message_from_bytes(envelope.content, policy=policy.default)
        tell(kind="mail", to=envelope.rcpt_tos, headers={k.lower(): v for k, v in letter.items()}, body=letter.get_content())
        return "250 OK"


BROWSER = ec.generate_private_key(ec.SECP256R1())
AUTH = os.urandom(16)
POINT = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class Push(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = {"gone": 410, "busy": 503}.get(self.path.rsplit("/", 1)[-1], 201)
        if status == 201:
            fields = dict(part.strip().split("=", 1) for part in self.headers["Authorization"].removeprefix("vapid ").split(","))
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(fields["k"]))
            origin = f"http://127.0.0.1:{self.server.server_port}"
            claims = jwt.decode(fields["t"], key, algorithms=["ES256"], audience=origin, options={"verify_exp": False})
            text = http_ece.decrypt(body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm").decode()
            headers = {k.lower(): v for k, v in self.headers.items()}
            tell(kind="push", path=self.path, payload=json.loads(text), claims=claims, headers=headers, key=fields["k"])
        else:
            tell(kind="refused", path=self.path)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


mail = Controller(Letters(), hostname="127.0.0.1", port=0)
# The controller looks whether it can be reached under the port it was given; 0 is none, so the port is found first.
import socket

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    mail.port = probe.getsockname()[1]
mail.start()
push = ThreadingHTTPServer(("127.0.0.1", 0), Push)
threading.Thread(target=push.serve_forever, daemon=True).start()
tell(smtp=mail.port, push=push.server_port, p256dh=unpadded(POINT), auth=unpadded(AUTH))
sys.stdin.read()
